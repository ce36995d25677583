import Foundation
import Runtime
import Testing

private struct RepresentationGolden: Decodable {
    struct Alignment: Decodable {
        var x, y: [Double]
        var documents: Int
        var biased, unbiased: Double
    }
    struct Compression: Decodable {
        var texts: [String]
        var similarity: [Double]
    }
    var alignments: [Alignment]
    var compression: Compression

    static func load() throws -> RepresentationGolden {
        let path = ReferenceCase.folder.appendingPathComponent("science.json")
        return try JSONDecoder().decode(RepresentationGolden.self, from: Data(contentsOf: path))
    }
}

@Suite("Representation", .serialized) struct RepresentationTests {
    @Test("linear CKA from kernels agrees with NumPy's from features, biased and unbiased")
    func alignment() throws {
        for item in try RepresentationGolden.load().alignments {
            let found = try CenteredAlignment(item.x, item.y, documents: item.documents)
            #expect(agrees(found.value.value, item.biased))
            #expect(agrees(found.unbiased, item.unbiased))
            #expect((found.value.low ?? 2) <= found.value.value)
        }
        #expect(throws: InvalidValue.self) { try CenteredAlignment([1, 2], [1, 2], documents: 2) }
    }

    @Test("the compression distance agrees with another binding of zstd")
    func compression() throws {
        let golden = try RepresentationGolden.load().compression
        let engine = CompressionEngine(
            names: ["a", "b", "c"], texts: golden.texts.map { [Array($0.utf8)] })
        func pair(_ first: String, _ second: String) -> SimilarityPair {
            SimilarityPair(first: Mixture(only: first), second: Mixture(only: second))
        }
        let found = try engine.values(
            [
                pair("a", "a"), pair("a", "b"), pair("a", "c"), pair("c", "a"),
            ], stop: { false })
        for (value, expected) in zip(found, golden.similarity) {
            #expect(abs(value - expected) < 0.02)
        }
        #expect(found[2] == found[3])
        let mixture = try Mixture([("a", 0.25), ("b", 0.75)])
        let mixed = try engine.values(
            [SimilarityPair(first: mixture, second: Mixture(only: "a"))], stop: { false })
        #expect(abs(mixed[0] - 0.25 * found[0] - 0.75 * found[1]) < 1e-12)
    }

    @Test("a model compared with itself is aligned and undistorted; the states of a run are not")
    func states() throws {
        let laboratory = try Laboratory()
        let run = try laboratory.run(laboratory.base)
        let start = try run.model().copy()
        try run.train(to: 6)
        let end = try run.model()
        let tokenizer = laboratory.base.tokenizer
        func compare(_ a: any LanguageModel, _ b: any LanguageModel) throws -> LayerAlignment {
            try LayerAlignment(
                (a, tokenizer), (b, tokenizer), corpus: laboratory.prose, split: .valid,
                documents: 12, tokens: 40, replicates: 20)
        }
        let same = try compare(end, end)
        #expect(same.layers.map(\.name) == ["embedding", "1", "2", "final norm"])
        #expect(same.layers.allSatisfy { abs($0.alignment.value.value - 1) < 1e-9 })
        let moved = try compare(start, end)
        #expect(moved.layers.allSatisfy { $0.alignment.value.value < 1 - 1e-7 })
        #expect(try LayerDistortion(from: end, to: end).lines.allSatisfy { $0.change == 0 })
        let distortion = try LayerDistortion(from: start, to: end)
        // Every parameter once, three layers' sums and the head's, and all: each the root of the squares of its own.
        let parts = distortion.lines.filter { $0.kind != "all" }
        let groups = distortion.lines.filter { $0.kind == "all" }
        #expect(groups.map(\.layer) == ["embedding", "1", "2", "head", "all"])
        let sum = parts.reduce(0) { $0 + $1.change * $1.change }.squareRoot()
        #expect(abs(sum - (groups.last?.change ?? 0)) < 1e-9 && sum > 0)
        let name = "gpt_neox.layers.1.mlp.dense_4h_to_h.weight"
        let difference = try end.parameters.tensor(named: name).values()
        let before = try start.parameters.tensor(named: name).values()
        let norm = zip(difference, before).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
            .squareRoot()
        let line = try #require(
            parts.first { $0.layer == "2" && $0.kind == "mlp.dense_4h_to_h.weight" })
        #expect(abs(line.change - norm) < 1e-5 * norm)
    }

    @Test("cosines of gradients are those of whole gradients, whatever the blocks")
    func gradients() throws {
        let laboratory = try Laboratory()
        let model = try laboratory.run(laboratory.base).model()
        let tokenizer = laboratory.base.tokenizer
        let sets = [laboratory.prose, laboratory.tasks].map { EvaluationSet($0, .valid, limit: 6) }
        func blocks(_ count: Int) throws -> GradientBlocks {
            try GradientBlocks(
                model, tokenizer, sets, blocks: count, store: laboratory.store, stop: { false })
        }
        let (one, three) = (try blocks(1), try blocks(3))
        #expect(one.layers == ["embedding", "1", "2", "head", "all"])
        #expect(one.blocks.count == 2 && three.blocks.count == 6)
        for (a, b) in zip(one.cosines([1, 0], [0, 1]), three.cosines([1, 0], [0, 1])) {
            #expect(abs(a - b) < 1e-4)
        }
        #expect(abs((three.cosines([0.3, 0.7], [0.3, 0.7]).last ?? 0) - 1) < 1e-12)
        // Whole gradients, the plain way.
        let wholes = try sets.map { set -> [Float] in
            let copy = try model.copy()
            let part = try set.corpus.summary()[.valid]
            var count = 0
            if part.promptBytes > 0 {
                let examples = try laboratory.store.data.finetuneSet(
                    set.corpus, .valid, tokenizer, context: 128)
                for batch in try examples.evaluationBatches(batch: 6, limit: 6) {
                    count += try copy.accumulateGradients(batch, scale: 1).count
                }
            } else {
                let tokens = try laboratory.store.data.tokens(set.corpus, .valid, tokenizer)
                let batches = try EvaluationBatches(
                    store: tokens, context: 128, rows: 2, limit: 6 * 128)
                for index in 0..<batches.count {
                    count += try copy.accumulateGradients(batches.batch(index), scale: 1).count
                }
            }
            #expect(count > 0)
            return Array(copy.parameters.gradients)
        }
        func dot(_ a: [Float], _ b: [Float]) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let expected =
            dot(wholes[0], wholes[1])
            / (dot(wholes[0], wholes[0]) * dot(wholes[1], wholes[1])).squareRoot()
        #expect(abs((one.cosines([1, 0], [0, 1]).last ?? 2) - expected) < 1e-4)
        let losses = try LossesUnderModel(
            model, tokenizer, sets, store: laboratory.store, replicates: 10, seed: 1,
            stop: { false })
        #expect(abs(losses.lines[1].nats.value - three.loss(1).nats) < 1e-5)
    }

    @Test("conflict is read at the states that the store has")
    func conflict() throws {
        let laboratory = try Laboratory()
        let run = try laboratory.run(laboratory.base)
        var options = RunOptions()
        options.keep = [4]
        try run.train(to: 8, options: options)
        func conflict(_ steps: [Int]?) throws -> GradientConflict {
            try GradientConflict(
                run.trajectory, store: laboratory.store, steps: steps,
                general: EvaluationSet(laboratory.prose, .valid, limit: 4),
                target: EvaluationSet(laboratory.code, .valid, limit: 4), blocks: 2, replicates: 10,
                seed: 1, stop: { false })
        }
        let all = try conflict(nil)
        #expect(all.states.map(\.step) == [0, 4, 8])
        #expect(
            all.states.allSatisfy { state in state.layers.allSatisfy { abs($0.cosine.value) <= 1 } }
        )
        // At first both want the bias of frequent tokens; the loss of the general corpus falls.
        #expect(all.states[2].losses.general < all.states[0].losses.general)
        #expect(throws: InvalidValue.self) { try conflict([5]) }
    }
}
