import Foundation
import RuntimeModel
import RuntimeNumerics
import RuntimeStore
import RuntimeSupport

/// A recipe as it is recorded: for people, for the registry and for `explain`.
package struct RecipeText: Codable {
    package struct PhaseText: Codable {
        package let name: String
        package let start: Int
        package let weights: [String: Double]
    }

    package struct FinetuneText: Codable {
        package let corpus: String
        package let data: String
        package let epochs: Int
        package let batch: Int
        package let seed: UInt64
        package let packed: Bool
        package let learning_rate: LearningRateSettings
        package let optimizer: RecordedOptimizer
    }

    package let model: RecordedModel
    package let weights: String?
    package let tokenizer: String
    /// The digest of what was read with the tokenizer and is written back on export.
    let tokenizer_extras: String?
    package let vocabulary: Int
    package let sources: [String: String]
    package let steps: Int
    package let upto: Int?
    package let batch: Int
    package let accumulate: Int
    package let seed: UInt64
    package let precision: String
    package let optimizer: RecordedOptimizer
    package let learning_rate: LearningRateSettings
    package let phases: [PhaseText]
    package let finetune: FinetuneText?
    let numerics: Int
}

extension Trajectory {
    /// The recipe with the digests of its data, as canonical JSON.
    public func recipeText(pretty: Bool = false) throws -> String {
        try CanonicalJSON.text(
            RecipeText(
                model: RecordedModel(recipe.model), weights: recipe.weights?.digest.hex,
                tokenizer: recipe.tokenizer.digest.hex,
                tokenizer_extras: recipe.tokenizer.extras.digest?.hex,
                vocabulary: recipe.tokenizer.vocabularySize,
                sources: Dictionary(uniqueKeysWithValues: sources.map { ($0.name, $0.digest.hex) }),
                steps: recipe.steps, upto: recipe.stop, batch: recipe.batch,
                accumulate: recipe.accumulate,
                seed: recipe.seed,
                precision: recipe.precision.rawValue,
                optimizer: RecordedOptimizer(recipe.optimizer),
                learning_rate: recipe.learningRate,
                phases: recipe.phases.map { phase in
                    RecipeText.PhaseText(
                        name: phase.name, start: phase.start,
                        weights: Dictionary(
                            uniqueKeysWithValues: phase.mixture.parts.map {
                                ($0.name, phase.mixture.weight($0.name))
                            }))
                },
                finetune: finetune.map { finetune in
                    let settings = finetune.settings
                    return RecipeText.FinetuneText(
                        corpus: settings.corpus.name, data: finetune.set.digest.hex,
                        epochs: settings.epochs,
                        batch: settings.batch, seed: settings.seed, packed: settings.packed,
                        learning_rate: settings.learningRate,
                        optimizer: RecordedOptimizer(settings.optimizer))
                },
                numerics: Numerics.version),
            pretty: pretty)
    }
}

/// Where two trajectories part, and which fields of their recipes differ.
public struct Difference: Sendable {
    /// The last state they share; `nil` when they share none.
    public let lastShared: Int?
    /// Fields by path, with both values as JSON.
    public let fields: [(path: String, first: String, second: String)]

    /// The first step from equal states that measured something else; `nil` for none, or where no records were compared.
    public let firstOtherNumber: Int?

    /// Compares two trajectories.
    public init(_ first: Trajectory, _ second: Trajectory) throws {
        lastShared = first.commonPrefix(second)
        firstOtherNumber = nil
        fields = try Self.fields(first.recipeText(), second.recipeText())
    }

    /// Compares two runs of one store or of two, as far as they were carried out.
    public init(
        _ first: StoredRun, in store: Store, _ second: StoredRun, in other: Store
    ) throws {
        let (a, b) = (try first.states(in: store), try second.states(in: other))
        let shared = a.indices.prefix(b.count).last { a[$0].key == b[$0].key }
        lastShared = shared.map { a[$0].step }
        firstOtherNumber = a.indices.prefix(b.count).first { index in
            a[index].key == b[index].key && a[index].version != b[index].version
        }.map { a[$0].step }
        var fields = try Self.fields(first.row.recipe, second.row.recipe)
        func engines(_ run: StoredRun, _ store: Store) throws -> String {
            guard let state = run.row.state else { return "absent" }
            return try store.registry.engines(state, run.row.version).map(\.text).joined(
                separator: "; ")
        }
        let (x, y) = (try engines(first, store), try engines(second, other))
        if x != y { fields.append(("computed by", x, y)) }
        self.fields = fields
    }

    private static func fields(_ first: String, _ second: String) throws -> [(
        path: String, first: String, second: String
    )] {
        let (a, b) = (try flatten(first), try flatten(second))
        return Set(a.keys).union(b.keys).sorted().compactMap { path in
            let (x, y) = (a[path] ?? "absent", b[path] ?? "absent")
            return x == y ? nil : (path, x, y)
        }
    }

    private static func flatten(_ text: String) throws -> [String: String] {
        var result: [String: String] = [:]
        func walk(_ value: Any, _ path: String) {
            if let fields = value as? [String: Any] {
                for (name, value) in fields { walk(value, path.isEmpty ? name : "\(path).\(name)") }
            } else if let items = value as? [Any] {
                for (index, value) in items.enumerated() { walk(value, "\(path)[\(index + 1)]") }
            } else {
                result[path] = "\(value)"
            }
        }
        walk(try JSONSerialization.jsonObject(with: Data(text.utf8)), "")
        return result
    }
}

extension Trajectory {
    /// The last state that this trajectory and another have in common; `nil` when even the initial states differ.
    public func commonPrefix(_ other: Trajectory) -> Int? {
        guard keys[0] == other.keys[0] else { return nil }
        // Keys are a hash chain: once different, different for good.
        var (shared, differs) = (0, min(keys.count, other.keys.count))
        while differs - shared > 1 {
            let middle = (shared + differs) / 2
            if keys[middle] == other.keys[middle] { shared = middle } else { differs = middle }
        }
        return shared
    }
}

extension StoredRun {
    /// The states that the run passed, with their versions, from the first of which there is a record.
    fileprivate func states(in store: Store) throws -> [(
        step: Int, key: Digest, version: StateVersion
    )] {
        guard let state = row.state else { return [] }
        return try store.registry.states(state, version: row.version)
    }
}
