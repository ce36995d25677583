import Foundation
import Runtime

/// A small laboratory in a folder of its own: two corpora, a finetuning set, a tokenizer and a recipe.
final class Laboratory {
    let scratch: Scratch
    let store: Store
    let prose: Corpus
    let code: Corpus
    let tasks: Corpus
    let base: Recipe

    init() throws {
        scratch = try Scratch()
        store = try Store("\(scratch.path)/store")
        prose = try Self.corpus("prose", bytes: 200_000)
        code = try Self.corpus("code", bytes: 60_000)
        tasks = try Self.corpus("code-tasks", bytes: 24_000)
        let tokenizer = try store.tokenizer(
            trainedOn: [prose, code], vocabulary: 300, maximumBytes: nil)
        let model = NeoXConfiguration(vocabulary: 300, context: 128, layers: 2, width: 32, heads: 2)
        base = try Recipe(
            model: model, tokenizer: tokenizer, corpora: ["prose": prose, "code": code],
            mixture: Mixture(only: "prose"), steps: 12, batch: 4, accumulate: 1, seed: 1,
            precision: .float32,
            optimizer: AdamW(),
            learningRate: LearningRateSettings(
                kind: .cosine, peak: 3e-3, minimum: 3e-5, warmup: 0.1, decay: 0.1),
            mayRepeat: [])
    }

    private static func corpus(_ name: String, bytes: Int) throws -> Corpus {
        var specification = CorpusSpecification(name: name, embedded: name)
        specification.bytes = bytes
        specification.validFraction = 0.1
        specification.testFraction = 0.1
        return try Corpus(specification)
    }

    func midtrained(from: Int = 5, weight: Double = 0.25) throws -> Recipe {
        try base.switching(
            from: from, mixture: try Mixture([("prose", 1 - weight), ("code", weight)]),
            name: "midtrain", length: nil,
            corpora: [:])
    }

    func finetuning(_ rate: Double = 1e-3) -> Finetuning {
        Finetuning(
            corpus: tasks, epochs: 1, batch: 8, seed: 1, packed: false,
            learningRate: LearningRateSettings(
                kind: .cosine, peak: rate, minimum: 0, warmup: 0.1, decay: 0.1),
            optimizer: AdamW())
    }

    func run(_ recipe: Recipe) throws -> Run {
        Run(try Trajectory(recipe, store: store), store: store, name: "test")
    }
}

extension Run {
    /// The exact bits of weights and moments.
    func bits() throws -> Digest {
        try save()
        guard let manifest = try store.manifest(key) else {
            throw FileError("read", "checkpoint", reason: "absent")
        }
        var builder = DigestBuilder("bits")
        for name in manifest.files.keys.sorted() {
            if let digest = manifest.files[name] { builder.add(digest) }
        }
        return builder.finish()
    }
}
