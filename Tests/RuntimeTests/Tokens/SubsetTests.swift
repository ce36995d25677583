import Foundation
import Runtime
import Testing

@Suite("Subsets of corpora") struct SubsetTests {
    private let scratch: Scratch
    private let corpus: Corpus
    private let tokenizer: Tokenizer
    private let data: EncodedCorpora

    init() throws {
        scratch = try Scratch()
        var specification = CorpusSpecification(name: "prose", embedded: "prose")
        specification.bytes = 120_000
        (specification.validFraction, specification.testFraction) = (0.1, 0.1)
        corpus = try Corpus(specification)
        tokenizer = try Tokenizer.train(onTexts: sampleText(30_000), vocabularySize: 300)
        data = EncodedCorpora(scratch.path)
    }

    private func subset(_ tokens: Int, seed: UInt64 = 1) throws -> Corpus {
        try data.subset(of: corpus, .tokens(tokens, tokenizer), seed: seed)
    }

    @Test(
        "subsets of one seed lie within each other, and are as large as asked, by less than a document"
    )
    func nested() throws {
        let whole = try corpus.texts()
        var inner: Set<String> = []
        for size in [1, 1000, 5000, 20_000] {
            let part = try subset(size)
            let texts = try part.texts()
            #expect(inner.isSubset(of: texts))
            inner = Set(texts)
            // They keep their order.
            let positions = texts.compactMap { whole.firstIndex(of: $0) }
            #expect(positions == positions.sorted())
            let count = try data.tokenCounts(part, tokenizer)[.train] ?? 0
            let longest = texts.map { tokenizer.encode(Array($0.utf8)).count + 1 }.max() ?? 0
            #expect(count >= size && count < size + longest)
            #expect(try part.texts(.valid) == corpus.texts(.valid))
            #expect(try part.summary()[.test] == corpus.summary()[.test])
        }
        #expect(try subset(5000).digest() == subset(5000).digest())
        #expect(try subset(5000, seed: 2).digest() != subset(5000).digest())
    }

    @Test("all tokens are the whole corpus, and more are an error that says how many there are")
    func ends() throws {
        let all = try data.tokenCounts(corpus, tokenizer)[.train] ?? 0
        #expect(try subset(all).digest() == corpus.digest())
        let error = message { _ = try subset(all + 1) }
        #expect(error.contains("at most \(all)"), "\(error)")
        #expect(try data.subset(of: corpus, .fraction(1), seed: 1).digest() == corpus.digest())
        #expect(try data.subset(of: corpus, .fraction(1e-9), seed: 1).texts().count == 1)
        #expect(try data.subset(of: corpus, .documents(5), seed: 1).texts().count == 5)
        let few = message { _ = try data.subset(of: corpus, .documents(1 << 40), seed: 1) }
        #expect(few.contains("documents of the train split"), "\(few)")
    }

    @Test("token counts are those of encoding each document, with its end")
    func counts() throws {
        let counts = try data.tokenCounts(corpus, tokenizer)
        for split in Split.allCases {
            let expected = try corpus.texts(split).reduce(0) {
                $0 + tokenizer.encode(Array($1.utf8)).count + 1
            }
            #expect(counts[split] == expected)
        }
    }

    @Test(
        "ids of token files stay in corpora made of them, and only with the tokenizer that made them"
    )
    func tokenFiles() throws {
        let path = scratch.path + "/ids.bin"
        try data.tokens(corpus, .train, tokenizer).write(path, format: .nanogpt)
        var specification = CorpusSpecification(name: "ids", files: [path])
        (specification.validFraction, specification.testFraction) = (0, 0)
        let ids = try Corpus(specification, tokens: tokenizer)
        let text = try scratch.corpus(scratch.lines("t.jsonl", ["one", "two"]))
        let both = try Corpus(name: "both", corpora: [text, ids])
        let direct = try data.tokens(corpus, .train, tokenizer)
        let joined = try data.tokens(both, .train, tokenizer)
        let before = try data.tokens(text, .train, tokenizer).count
        #expect(try joined.ids(before..<joined.count) == direct.ids(0..<direct.count))
        let some = try ids.filtered { $0.number <= 3 }
        #expect(try data.tokens(some, .train, tokenizer).documents == 3)
    }
}
