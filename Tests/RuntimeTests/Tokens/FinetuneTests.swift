import Runtime
import Testing

@Suite("Finetune sets") struct FinetuneTests {
    private func make(context: Int = 64) throws -> (FinetuneSet, Tokenizer, Corpus) {
        var specification = CorpusSpecification(name: "tasks", embedded: "code-tasks")
        specification.bytes = 20_000
        (specification.validFraction, specification.testFraction) = (0, 0)
        let corpus = try Corpus(specification)
        let tokenizer = try Tokenizer.train(on: [corpus], vocabularySize: 400)
        return (
            try FinetuneSet(corpus: corpus, split: .train, tokenizer: tokenizer, context: context),
            tokenizer, corpus
        )
    }

    @Test("examples are prompt, response and end-of-text; long ones are cut at the end and counted")
    func examples() throws {
        let (set, tokenizer, corpus) = try make()
        var index = 0
        var (truncated, dropped) = (0, 0)
        try corpus.forEachDocument(.train) { document in
            let prompt = tokenizer.encode(Array(document.text[..<document.promptBytes]))
            let response = tokenizer.encode(Array(document.text[document.promptBytes...]))
            let whole = prompt + response + [tokenizer.endOfText]
            if prompt.count >= 64 {
                dropped += 1
                return
            }
            if whole.count > 64 { truncated += 1 }
            #expect(set.examples[index].tokens == Array(whole.prefix(64)))
            #expect(set.examples[index].promptTokens == prompt.count)
            if whole.count <= 64 {
                #expect(
                    set.examples[index].responseBytes == document.text.count - document.promptBytes)
            }
            index += 1
        }
        #expect(set.truncated == truncated && set.dropped == dropped && truncated > 0)
        #expect(index == set.examples.count)
    }

    @Test("each epoch holds every example once, in an order of its own", arguments: [false, true])
    func batches(packed: Bool) throws {
        let (set, _, _) = try make(context: 200)
        func counted(_ batches: [TokenBatch]) -> [Int32] {
            batches.flatMap(\.targets).filter { $0 >= 0 }
        }
        let first = try set.batches(epoch: 0, batch: 4, seed: 1, packed: packed)
        let again = try set.batches(epoch: 0, batch: 4, seed: 1, packed: packed)
        let second = try set.batches(epoch: 1, batch: 4, seed: 1, packed: packed)
        #expect(first.map(\.inputs) == again.map(\.inputs))
        #expect(first.map(\.inputs) != second.map(\.inputs))
        #expect(counted(first).count == set.countedTokens)
        #expect(counted(first).sorted() == counted(second).sorted())
        for batch in first {
            #expect(batch.columns <= set.context && batch.rows <= 4)
            #expect(batch.inputs.count == batch.rows * batch.columns)
        }
        if packed { #expect(first.count < (try set.evaluationBatches(batch: 4).count)) }
    }

    @Test("only responses count, each target follows its input, and evaluation keeps the order")
    func mask() throws {
        let (set, tokenizer, _) = try make()
        let batches = try set.evaluationBatches(batch: 3)
        var example = 0
        for batch in batches {
            for row in 0..<batch.rows {
                let tokens = set.examples[example].tokens
                let prompt = set.examples[example].promptTokens
                for column in 0..<batch.columns {
                    let place = row * batch.columns + column
                    let counts = column >= prompt && column < tokens.count
                    #expect(batch.targets[place] == (counts ? tokens[column] : -1))
                    let input =
                        column > 0 && column < tokens.count
                        ? tokens[column - 1] : tokenizer.endOfText
                    #expect(batch.inputs[place] == input)
                }
                example += 1
            }
        }
        #expect(example == set.examples.count)
    }

    @Test("a context that holds no response is an error")
    func tooShort() {
        #expect(
            message { _ = try make(context: 2) }.contains(
                "no example with a response within 2 tokens"))
    }
}

extension FinetuneSet {
    /// All batches of an epoch.
    func batches(epoch: Int, batch: Int, seed: UInt64, packed: Bool) throws -> [TokenBatch] {
        try (0..<batchCount(epoch: epoch, batch: batch, seed: seed, packed: packed)).map {
            try self.batch(epoch: epoch, index: $0, batch: batch, seed: seed, packed: packed)
        }
    }
}
