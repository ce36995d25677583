import Foundation
import Runtime
import Testing

/// A batch of seeded tokens whose targets are the tokens that follow; every `ignoring`-th target is
/// not counted.
func randomBatch(
    _ configuration: NeoXConfiguration, rows: Int, columns: Int, seed: UInt64 = 1, ignoring: Int = 0
) -> TokenBatch {
    let stream = RandomStream(seed: seed, "tokens")
    let tokens = (0...rows * columns).map {
        Int32(stream.integer(UInt64($0), below: configuration.vocabulary))
    }
    var targets = Array(tokens.dropFirst())
    if ignoring > 0 {
        for index in stride(from: 0, to: targets.count, by: ignoring) { targets[index] = -1 }
    }
    return TokenBatch(
        rows: rows, columns: columns, inputs: Array(tokens.dropLast()), targets: targets)
}

@Suite("GPT-NeoX")
struct NeoXTests {
    @Test(
        "the text of a shape, which state keys hash, has no field that older versions did not know")
    func text() throws {
        var configuration = NeoXConfiguration(
            vocabulary: 300, context: 128, layers: 2, width: 32, heads: 2)
        let plain = try CanonicalJSON.text(configuration)
        #expect(
            plain == """
                {"context":128,"feedForward":128,"gelu":"exact","heads":2,"initialisation":"pythia","layers":2,\
                "normEpsilon":1e-05,"parallelResidual":true,"rotaryBase":10000,\
                "rotaryFraction":0.25,"tiedEmbeddings":false,"vocabulary":300,"width":32}
                """)
        let count = configuration.parameterCount
        configuration.attentionBias = false
        #expect(configuration.parameterCount == count - 2 * 4 * 32)
        let text = try CanonicalJSON.text(configuration)
        #expect(text != plain)
        #expect(
            try JSONDecoder().decode(NeoXConfiguration.self, from: Data(text.utf8))
                == configuration)
        configuration.attentionBias = true
        #expect(try CanonicalJSON.text(configuration) == plain)
    }

    @Test(
        "presets have the published number of parameters",
        arguments: [
            ("pythia-14m", 14_067_712), ("pythia-31m", 30_494_720), ("pythia-70m", 70_426_624),
            ("pythia-160m", 162_322_944), ("pythia-410m", 405_334_016),
            ("pythia-1b", 1_011_781_632),
        ])
    func presets(name: String, count: Int) throws {
        let configuration = try NeoXConfiguration.preset(name)
        try configuration.validate()
        #expect(configuration.parameterCount == count)
    }

    @Test("every preset is valid and an unknown one lists them")
    func presetNames() throws {
        for name in NeoXConfiguration.presetNames { try NeoXConfiguration.preset(name).validate() }
        let error = #expect(throws: InvalidValue.self) { try NeoXConfiguration.preset("pythia-2b") }
        #expect(error?.message.contains("pythia-14m") == true)
    }

    @Test("a configuration that makes no sense names the field")
    func validation() throws {
        let good = try NeoXConfiguration.preset("micro-0.1m")
        for (field, change) in [
            ("heads", { $0.heads = 3 }), ("width", { $0.width = 0 }),
            ("layers", { $0.layers = -1 }),
            ("rotary_fraction", { $0.rotaryFraction = 0.1 }),
            ("norm_epsilon", { $0.normEpsilon = 0 }),
            ("vocabulary", { $0.vocabulary = 0 }), ("context", { $0.context = 1 << 40 }),
        ] as [(String, (inout NeoXConfiguration) -> Void)] {
            var bad = good
            change(&bad)
            let error = #expect(throws: InvalidValue.self) { try bad.validate() }
            #expect(error?.name == field)
        }
    }

    @Test("an untrained model predicts near the uniform loss, and a few steps lower it")
    func learns() throws {
        let configuration = try NeoXConfiguration.preset("micro-0.1m")
        let model = try configuration.model(seed: 3)
        let batch = randomBatch(configuration, rows: 2, columns: 32)
        let start = try model.loss(batch)
        #expect(abs(start.mean - 6.93) < 0.3)
        let optimizer = try OptimizerState(model.parameters)
        for _ in 0..<10 {
            model.parameters.zeroGradients()
            _ = try model.accumulateGradients(batch, scale: 1 / Float(batch.targets.count))
            try optimizer.step(learningRate: 1e-2)
        }
        #expect(try model.loss(batch).mean < start.mean - 2)
    }

    @Test("loss without gradients is the same number as with them")
    func sameLoss() throws {
        let configuration = try NeoXConfiguration.preset("micro-0.1m")
        let model = try configuration.model(seed: 3)
        let batch = randomBatch(configuration, rows: 3, columns: 70, ignoring: 3)
        let with = try model.accumulateGradients(batch, scale: 1)
        let without = try model.loss(batch)
        #expect(with == without)
        #expect(with.count == 140)
    }

    @Test("gradients of two batches add up, and scale scales them")
    func accumulation() throws {
        let configuration = try NeoXConfiguration.preset("micro-0.1m")
        let model = try configuration.model(seed: 3)
        let batch = randomBatch(configuration, rows: 1, columns: 16)
        _ = try model.accumulateGradients(batch, scale: 0.5)
        let once = Array(model.parameters.gradients)
        _ = try model.accumulateGradients(batch, scale: 1.5)
        let most = once.map(abs).max() ?? 0
        #expect(
            largestDifference(model.parameters.gradients, once.map { $0 * 4 }) < 1e-5 * most * 4)
        model.parameters.zeroGradients()
        #expect(model.parameters.gradients.allSatisfy { $0 == 0 })
    }

    @Test("one column, one row, and positions that nothing follows")
    func edges() throws {
        let configuration = try NeoXConfiguration.preset("micro-0.1m")
        let model = try configuration.model(seed: 3)
        let single = TokenBatch(rows: 1, columns: 1, inputs: [5], targets: [7])
        #expect(try model.accumulateGradients(single, scale: 1).count == 1)
        let partly = TokenBatch(rows: 1, columns: 3, inputs: [5, 6, 7], targets: [-1, 7, -1])
        let cut = TokenBatch(rows: 1, columns: 2, inputs: [5, 6], targets: [-1, 7])
        #expect(abs(try model.loss(partly).nats - (try model.loss(cut).nats)) < 1e-6)
        let full = randomBatch(configuration, rows: 1, columns: configuration.context)
        #expect(try model.loss(full).count == configuration.context)
    }

    @Test("batches that do not fit are errors that name position and value")
    func badBatches() throws {
        let configuration = try NeoXConfiguration.preset("micro-0.1m")
        let model = try configuration.model(seed: 3)
        func message(_ batch: TokenBatch) -> String {
            do { _ = try model.accumulateGradients(batch, scale: 1) } catch { return "\(error)" }
            return ""
        }
        #expect(
            message(TokenBatch(rows: 1, columns: 2, inputs: [1, 1024], targets: [1, 1]))
                == "token 1: expected a token id below 1024, got 1024")
        #expect(
            message(TokenBatch(rows: 1, columns: 2, inputs: [1, 1], targets: [1, -2])).contains(
                "target 1"))
        #expect(
            message(TokenBatch(rows: 1, columns: 2, inputs: [1, 1], targets: [-1, -1])).contains(
                "only -1"))
        #expect(
            message(TokenBatch(rows: 1, columns: 2, inputs: [1], targets: [1])).contains("batch"))
        #expect(message(TokenBatch(rows: 0, columns: 0, inputs: [], targets: [])).contains("batch"))
        #expect(
            message(randomBatch(configuration, rows: 1, columns: 129)).contains("context of 128"))
    }

    @Test("initial weights depend on seed and name alone")
    func initialWeights() throws {
        let configuration = try NeoXConfiguration.preset("micro-0.1m")
        let a = try configuration.model(seed: 3)
        let b = try configuration.model(seed: 3)
        let c = try configuration.model(seed: 4)
        #expect(Array(a.parameters.values) == Array(b.parameters.values))
        #expect(Array(a.parameters.values) != Array(c.parameters.values))
        let gain = try a.parameters.tensor(named: "gpt_neox.final_layer_norm.weight")
        #expect(try gain.values().allSatisfy { $0 == 1 })
        let matrix = try a.parameters.tensor(
            named: "gpt_neox.layers.0.attention.query_key_value.weight")
        #expect(abs(try matrix.variance().item().squareRoot() - 0.0791) < 0.002)
    }

    @Test("hidden states begin with the embedding and number two more than the layers")
    func hiddenStates() throws {
        let configuration = try NeoXConfiguration.preset("micro-0.1m")
        let model = try configuration.model(seed: 3)
        let states = try model.hiddenStates([1, 2, 3, 4], rows: 2)
        #expect(states.map(\.shape) == Array(repeating: [2, 2, 64], count: 4))
        let embedding = try model.parameters.tensor(named: "gpt_neox.embed_in.weight")
        #expect(try states[0].values() == (try embedding.rows([1, 2, 3, 4]).values()))
    }
}

@Suite("Same bits", .serialized)
struct DeterminismTests {
    @Test("for 1, 2, 3 and 5 threads, gradients and an AdamW step", arguments: Precision.allCases)
    func threads(precision: Precision) async {
        await #expect(processExitsWith: .success) { [precision] in
            let expected = try #require(try onThreads(1) { try Self.steps(precision) }.first)
            for threads in [2, 3, 5, 2] {
                for found in try onThreads(threads, { try Self.steps(precision) }) {
                    #expect(found.numbers == expected.numbers)
                    #expect(found.losses == expected.losses)
                }
            }
        }
    }

    /// Gradients and losses of two steps, and the weights after them.
    private static func steps(_ precision: Precision) throws -> (
        numbers: [Float], losses: [LossSum]
    ) {
        var configuration = try NeoXConfiguration.preset("micro-0.4m")
        configuration.vocabulary = 9001
        let model = try configuration.model(seed: 2, precision: precision)
        let optimizer = try OptimizerState(model.parameters)
        let batch = randomBatch(configuration, rows: 5, columns: 100, ignoring: 7)
        var numbers: [Float] = []
        var losses: [LossSum] = []
        for _ in 0..<2 {
            model.parameters.zeroGradients()
            losses.append(try model.accumulateGradients(batch, scale: 0.01))
            numbers += model.parameters.gradients
            try optimizer.step(learningRate: 1e-3)
        }
        return (numbers + model.parameters.values, losses)
    }
}

@Suite("Numerics")
struct NumericsTests {
    /// Digests of weights after three steps, by `Numerics.processor` and version.
    static let golden: [String: String] = [
        "avx512-bf16, oneDNN avx512_core_bf16, float32, version 2": "fdd143ef80cb",
        "avx512-bf16, oneDNN avx512_core_bf16, bfloat16, version 2": "483aa899e98d",
        "avx2, oneDNN avx2, OpenBLAS Zen, float32, version 2": "eaf01be9c5a8",
        "avx2, oneDNN avx2, OpenBLAS Zen, bfloat16, version 2": "f68e1559011e",
    ]

    @Test("have not changed without a new version")
    func golden() throws {
        var unknown: [String] = []
        for precision in Precision.allCases {
            let digest = try digest(precision)
            let key = "\(Numerics.processor), \(precision.rawValue), version \(Numerics.version)"
            if let expected = NumericsTests.golden[key] {
                #expect(digest == expected, "raise Numerics.version and record the new digest")
            } else {
                unknown.append("\(key): \(digest)")
            }
        }
        if !unknown.isEmpty {
            try Test.cancel("no golden digest is recorded; here they are: \(unknown)")
        }
    }

    private func digest(_ precision: Precision) throws -> String {
        let configuration = try NeoXConfiguration.preset("micro-0.1m")
        let model = try configuration.model(seed: 1, precision: precision)
        let optimizer = try OptimizerState(model.parameters)
        for step in 0..<3 {
            model.parameters.zeroGradients()
            let batch = randomBatch(configuration, rows: 4, columns: 80, seed: UInt64(step))
            _ = try model.accumulateGradients(batch, scale: 1 / 320)
            try optimizer.step(learningRate: 1e-3)
        }
        var builder = DigestBuilder("numerics")
        builder.add(bytes: UnsafeRawBufferPointer(model.parameters.values))
        return builder.finish().short
    }
}
