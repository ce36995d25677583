import Runtime
import Testing

@Suite("Generation")
struct GenerationTests {
    private func model(context: Int = 24, biases: Bool = true) throws -> any LanguageModel {
        var configuration = try NeoXConfiguration.preset("micro-0.1m")
        configuration.context = context
        configuration.vocabulary = 50
        configuration.attentionBias = biases
        return try configuration.model(seed: 8)
    }

    /// Generates without a cache: every token from a fresh forward pass over the whole text.
    private func plainly(
        _ model: any LanguageModel, _ prompt: [Int32], _ count: Int, _ sampling: Sampling
    )
        throws -> [Int32]
    {
        var text = prompt
        for _ in 0..<count {
            let logits = try model.logits(text, rows: 1).values().suffix(
                model.configuration.vocabulary)
            text.append(try sampling.draw(Array(logits), position: text.count))
        }
        return Array(text.dropFirst(prompt.count))
    }

    @Test(
        "with the key/value cache gives the same tokens as without",
        arguments: [
            Sampling(temperature: 0), Sampling(temperature: 1, seed: 3),
            Sampling(temperature: 2, topK: 5, seed: 4),
            Sampling(temperature: 1.5, topP: 0.6, seed: 5),
        ])
    func cache(sampling: Sampling) throws {
        for biases in [true, false] {
            let model = try model(biases: biases)
            let prompt: [Int32] = [4, 9, 1]
            let ours = try model.generate(prompt: prompt, count: 20, sampling: sampling)
            #expect(ours == (try plainly(model, prompt, 20, sampling)))
        }
    }

    @Test("goes on beyond the context, and uses the end of a long prompt")
    func long() throws {
        let model = try model(context: 8)
        let tokens = try model.generate(
            prompt: Array(0..<20), count: 30, sampling: Sampling(temperature: 0))
        #expect(tokens.count == 30)
        let tiny = try self.model(context: 1)
        #expect(try tiny.generate(prompt: [3], count: 4).count == 4)
    }

    @Test("stops after the end-of-text token, and when asked to")
    func stopping() throws {
        let model = try model()
        let free = try model.generate(prompt: [1], count: 10, sampling: Sampling(seed: 2))
        let ended = try model.generate(
            prompt: [1], count: 10, sampling: Sampling(seed: 2), endOfText: free[3])
        #expect(ended == Array(free.prefix(through: free.firstIndex(of: free[3]) ?? 3)))
        let seen = Polls()
        #expect(throws: Interrupted.self) {
            _ = try model.generate(
                prompt: [1], count: 10, stop: { seen.count >= 4 },
                each: { _ in seen.next() })
        }
        #expect(seen.count == 4)
    }

    @Test("top-k of 1 and a tiny top-p are the most likely token")
    func narrow() throws {
        let model = try model()
        let best = try model.generate(prompt: [7, 7], count: 8, sampling: Sampling(temperature: 0))
        #expect(
            try model.generate(prompt: [7, 7], count: 8, sampling: Sampling(topK: 1, seed: 1))
                == best)
        #expect(
            try model.generate(prompt: [7, 7], count: 8, sampling: Sampling(topP: 1e-9, seed: 1))
                == best)
    }

    @Test("rows of the vocabulary that no token has are never drawn")
    func padding() throws {
        let model = try model()
        let all: [Sampling] = [
            Sampling(temperature: 0), Sampling(temperature: 3, seed: 1),
            Sampling(temperature: 3, topK: 4, seed: 2),
            Sampling(temperature: 3, topP: 0.9, seed: 3),
        ]
        for sampling in all {
            func draw(_ vocabulary: Int?) throws -> [Int32] {
                try model.generate(
                    prompt: [1], count: 40, sampling: sampling, vocabulary: vocabulary)
            }
            #expect(try draw(nil).contains { $0 >= 3 })
            #expect(try draw(3).allSatisfy { $0 < 3 })
            #expect(try draw(50) == draw(nil))
        }
    }

    @Test("options and prompts that make no sense are errors")
    func validation() throws {
        let model = try model()
        #expect(throws: InvalidValue.self) { try model.generate(prompt: [], count: 1) }
        #expect(throws: InvalidValue.self) { try model.generate(prompt: [50], count: 1) }
        #expect(throws: InvalidValue.self) { try model.generate(prompt: [1], count: -1) }
        for bad in [
            Sampling(temperature: -1), Sampling(topK: -1), Sampling(topP: 0),
            Sampling(temperature: .nan),
        ] {
            #expect(throws: InvalidValue.self) {
                try model.generate(prompt: [1], count: 1, sampling: bad)
            }
        }
        model.parameters.values.update(repeating: .nan)
        #expect(throws: InvalidValue.self) { try model.generate(prompt: [1], count: 1) }
    }
}
