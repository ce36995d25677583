import Foundation
import Runtime
import Testing

@Suite("Decoders")
struct DecoderTests {
    /// Published counts of trained numbers, as the models' files have them.
    static let published = [
        ("llama", "smollm2-135m", 134_515_008), ("llama", "smollm2-360m", 361_821_120),
        ("llama", "tinyllama-1.1b", 1_100_048_384), ("llama", "llama-3.2-1b", 1_235_814_400),
        ("llama", "smollm2-1.7b", 1_711_376_384), ("llama", "llama-3.2-3b", 3_212_749_824),
        ("llama", "llama-2-7b", 6_738_415_616), ("llama", "llama-3.1-8b", 8_030_261_248),
        ("mistral", "mistral-7b", 7_241_732_096), ("qwen2", "qwen2.5-0.5b", 494_032_768),
        ("qwen2", "qwen2.5-1.5b", 1_543_714_304), ("qwen2", "qwen2.5-3b", 3_085_938_688),
        ("qwen2", "qwen2.5-7b", 7_615_616_512), ("qwen3", "qwen3-0.6b", 596_049_920),
        ("qwen3", "qwen3-1.7b", 1_720_574_976), ("qwen3", "qwen3-4b", 4_022_468_096),
        ("olmo", "olmo-1b", 1_176_764_416), ("olmo", "olmo-7b", 6_888_095_744),
        ("olmo2", "olmo2-1b", 1_484_916_736), ("olmo2", "olmo2-7b", 7_298_617_344),
        ("gpt2", "gpt2", 124_439_808), ("gpt2", "gpt2-medium", 354_823_168),
        ("gpt2", "gpt2-large", 774_030_080), ("gpt2", "gpt2-xl", 1_557_611_200),
        ("gemma2", "gemma-2-2b", 2_614_341_888), ("gemma3", "gemma-3-270m", 268_098_176),
        ("gemma3", "gemma-3-1b", 999_885_952), ("phi3", "phi-3-mini-4k", 3_821_079_552),
        ("smollm3", "smollm3-3b", 3_075_098_624),
    ]

    @Test("published models have the published number of parameters")
    func publishedCounts() throws {
        var left = Set(DecoderFamilies.all.flatMap { $0.presetNames })
        for (family, name, count) in Self.published {
            let shape = try DecoderFamilies.named(family).preset(name)
            try shape.validate()
            #expect(shape.parameterCount == count, "\(family) \(name)")
            left.remove(name)
        }
        #expect(left.allSatisfy { $0.hasPrefix("micro-") }, "\(left)")
    }

    @Test("small models have the size of their names, without embeddings")
    func smallCounts() throws {
        let sizes = ["micro-1m": 1e6, "micro-4m": 4e6, "micro-15m": 15e6, "micro-60m": 60e6]
        for family in ModelFamilies.all {
            for (name, size) in sizes {
                let shape = try family.preset(name)
                try shape.validate()
                let inner = shape.parameterShapes.reduce(0) {
                    $1.role == .embedding || $1.role == .head
                        ? $0 : $0 + $1.shape.reduce(1, *)
                }
                #expect(abs(Double(inner) / size - 1) < 0.25, "\(family.family) \(name): \(inner)")
            }
        }
    }

    @Test("the text of a shape, which keys hash, is its fields and the family")
    func record() throws {
        let shape = try DecoderFamilies.tiny("llama")
        let text = try CanonicalJSON.text(RecordedModel(shape))
        #expect(
            text == """
                {"attentionBias":"none","context":128,"family":"llama","feedForward":192,\
                "feedForwardBias":false,"function":"silu","heads":2,"initialisation":"normal",\
                "isGated":true,"keyValueHeads":1,"layers":2,"norm":"rms","normEpsilon":1e-05,\
                "normPlace":"before","rotaryBase":10000,"tiedEmbeddings":false,"vocabulary":300,\
                "width":64}
                """)
        for name in DecoderFamilies.names {
            let shape = RecordedModel(try DecoderFamilies.tiny(name))
            let text = try CanonicalJSON.text(shape)
            #expect(try JSONDecoder().decode(RecordedModel.self, from: Data(text.utf8)) == shape)
        }
    }

    @Test("a shape that makes no sense names the field")
    func validation() throws {
        for (field, change) in [
            ("heads", { $0.heads = 3 }), ("key_value_heads", { $0.keyValueHeads = 3 }),
            ("head_size", { $0.headSize = 5000 }), ("width", { $0.width = 0 }),
            ("layers", { $0.layers = .max }), ("feed_forward", { $0.feedForward = -1 }),
            ("norm_epsilon", { $0.normEpsilon = .nan }), ("rotary_base", { $0.rotaryBase = 1 }),
            ("rotary", { $0.rotaryFraction = 0.1 }), ("window", { $0.window = 0 }),
            ("attention_cap", { $0.attentionCap = -1 }), ("context", { $0.context = 1 << 40 }),
            ("context", { $0.learnedPositions = 5 }),
            ("rotary_scaling.factor", { $0.rotaryScaling = RotaryScaling(.linear, factor: 0) }),
            (
                "rotary_scaling.original_context",
                { $0.rotaryScaling = RotaryScaling(.yarn, factor: 2) }
            ),
            (
                "context",
                { $0.rotaryScaling = RotaryScaling(.dynamic, factor: 2, originalContext: 16) }
            ),
        ] as [(String, (inout DecoderShape) -> Void)] {
            var bad = try LlamaConfiguration.preset("micro-1m")
            change(&bad.shape)
            let error = #expect(throws: InvalidValue.self) { try bad.validate() }
            #expect(error?.name == field, "\(field)")
        }
    }

    /// Greedy text without a cache: every token from a fresh forward pass over the whole text.
    private func plainly(_ model: any LanguageModel, _ prompt: [Int32], _ count: Int) throws
        -> [Int32]
    {
        var text = prompt
        let sampling = Sampling(temperature: 0)
        for _ in 0..<count {
            let logits = try model.logits(text, rows: 1).values()
            let last = Array(logits.suffix(model.configuration.vocabulary))
            text.append(try sampling.draw(last, position: text.count))
        }
        return Array(text.dropFirst(prompt.count))
    }

    @Test(
        "text with the cache is text without, in both precisions and beyond the context",
        arguments: DecoderFamilies.names)
    func generation(family: String) throws {
        let shape = try DecoderFamilies.tiny(family, vocabulary: 50, context: 48)
        for precision in Precision.allCases {
            let model = try shape.model(seed: 8, precision: precision)
            // Far from the flat logits of fresh weights, so that rounding decides nothing.
            for place in model.parameters.values.indices { model.parameters.values[place] *= 4 }
            let prompt: [Int32] = [4, 9, 1]
            let text = try model.generate(
                prompt: prompt, count: 45, sampling: Sampling(temperature: 0))
            if precision == .float32 { #expect(text == (try plainly(model, prompt, 45))) }
            #expect(
                try model.generate(
                    prompt: Array(0..<40), count: 60, sampling: Sampling(temperature: 0)
                ).count == 60)
        }
    }

    @Test("a fresh model predicts near the uniform loss, and a few steps lower it")
    func learns() throws {
        for name in DecoderFamilies.names {
            let shape = try DecoderFamilies.tiny(name)
            let batch = tokens(shape, rows: 2, columns: 70)
            let model = try shape.model(seed: 3)
            let start = try model.accumulateGradients(batch, scale: 1)
            #expect(try model.loss(batch) == start, "\(name)")
            #expect(abs(start.mean - log(300)) < 0.4, "\(name): \(start.mean)")
            let optimizer = try OptimizerState(model.parameters)
            for _ in 0..<12 {
                model.parameters.zeroGradients()
                _ = try model.accumulateGradients(batch, scale: 1 / 140)
                try optimizer.step(learningRate: 1e-2)
            }
            let end = try model.loss(batch).mean
            #expect(end < start.mean - 1.5, "\(name): \(end)")
        }
    }

    @Test("gradients in bfloat16 are those in float32 but for rounding")
    func bfloat16() throws {
        for name in DecoderFamilies.names {
            let shape = try DecoderFamilies.tiny(name)
            let batch = tokens(shape, rows: 2, columns: 70)
            let gradients = try Precision.allCases.map { precision in
                let model = try shape.model(seed: 3, precision: precision)
                let loss = try model.accumulateGradients(batch, scale: 1)
                #expect(try model.loss(batch) == loss, "\(name)")
                return Array(model.parameters.gradients)
            }
            func norm(_ values: [Float]) -> Double {
                values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            }
            let difference = norm(zip(gradients[0], gradients[1]).map { $0 - $1 })
            let part = difference / norm(gradients[0])
            #expect(part > 0 && part < 0.03, "\(name): \(part)")
        }
    }

    private func tokens(
        _ shape: any ModelConfiguration, rows: Int, columns: Int
    ) -> TokenBatch {
        let stream = RandomStream(seed: 5, "tokens")
        let all = (0...rows * columns).map {
            Int32(stream.integer(UInt64($0), below: shape.vocabulary))
        }
        return TokenBatch(
            rows: rows, columns: columns, inputs: Array(all.dropLast()),
            targets: Array(all.dropFirst()))
    }

    @Test("gradients of all families have the same bits on 1, 2 and 3 threads")
    func threads() async {
        await #expect(processExitsWith: .success) {
            func steps() throws -> [Float] {
                var numbers: [Float] = []
                for (index, name) in DecoderFamilies.names.enumerated() {
                    let shape = try DecoderFamilies.tiny(name, vocabulary: 900)
                    let model = try shape.model(
                        seed: 2, precision: Precision.allCases[index % 2])
                    _ = try model.accumulateGradients(
                        DecoderTests().tokens(shape, rows: 3, columns: 100), scale: 0.01)
                    numbers += model.parameters.gradients
                }
                return numbers
            }
            let expected = try #require(try onThreads(1, steps).first)
            for threads in [2, 3] {
                for found in try onThreads(threads, steps) { #expect(found == expected) }
            }
        }
    }

    @Test("a training step takes the memory that was estimated")
    func memory() async {
        await #expect(processExitsWith: .success) {
            for family in ModelFamilies.all {
                var shape = try family.preset("micro-0.1m")
                shape.vocabulary = 300
                let batch = DecoderTests().tokens(shape, rows: 32, columns: 128)
                let model = try shape.model(seed: 2)
                let estimate = shape.memory(rows: 32, columns: 128)
                try model.parameters.prepareGradients()
                _ = try model.accumulateGradients(batch, scale: 1)
                Memory.resetPeak()
                let before = Memory.liveBytes
                _ = try model.accumulateGradients(batch, scale: 1)
                let used = Memory.peakBytes - before
                let expected = estimate.activations + estimate.temporary
                print("memory of \(family.family): \(used) bytes, \(expected) estimated")
                #expect(
                    Double(used) < 1.25 * Double(expected) && Double(used) > 0.5 * Double(expected),
                    "\(family.family): \(used), \(expected)")
            }
        }
    }

    @Test("fresh models learn as many positions as their context, those of a file keep theirs")
    func context() throws {
        var shape = try GPT2Configuration.preset("gpt2")
        shape.context = 256
        #expect(shape.parameterShapes[1].shape == [256, 768])
        shape.shape.learnedPositions = 1024
        shape.context = 128
        #expect(shape.parameterShapes[1].shape == [1024, 768])
        try shape.validate()
        shape.context = 1025
        #expect(throws: InvalidValue.self) { try shape.validate() }
    }
}
