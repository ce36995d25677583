import Foundation
import Runtime
import TestSupport
import Testing

@Suite("Real corpora") struct SharedCorpusTests {
    @Test(
        "text, code and an instruction set come through reading, tokens, windows and finetuning",
        .enabled(if: Shared.folder != nil, "it needs ../shared"))
    func path() throws {
        let shared = try #require(Shared.folder)
        let scratch = try Scratch()
        func corpus(_ name: String) throws -> Corpus {
            var specification = CorpusSpecification(
                name: name, files: ["\(shared)/corpora/\(name).train.jsonl.gz"])
            specification.validFiles = ["\(shared)/corpora/\(name).valid.jsonl.gz"]
            if name.hasPrefix("code_sft") {
                specification.fields = .prompted(
                    prompt: try Template("{instruction}\n{input}\n"),
                    response: Template(field: "output"))
            }
            return try Corpus(specification)
        }
        let text = try corpus("c4")
        let tasks = try corpus("code_sft_docstring")
        let tokenizer = try Tokenizer.train(
            on: [text, tasks], vocabularySize: 2048, maximumBytes: 3_000_000)
        let store = try TokenStore.open(
            corpus: text, split: .train, tokenizer: tokenizer, folder: scratch.path)
        // Every document comes back from its ids.
        var index = 0
        try text.forEachDocument(.train) { document in
            let range = try store.document(index).tokens.dropLast()
            let bytes = try tokenizer.decode(try store.ids(range))
            if bytes != document.text { Issue.record("\(document.location) differs") }
            index += 1
        }
        #expect(index == store.documents)
        let set = try FinetuneSet(corpus: tasks, split: .valid, tokenizer: tokenizer, context: 256)
        #expect(set.examples.count + set.dropped == 200)
        #expect(set.countedTokens > 1000)
    }
}
