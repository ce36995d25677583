import Foundation
import Runtime
import Testing

@Suite("Token stores") struct TokenStoreTests {
    /// A corpus, a tokenizer for it, and the folder of its store.
    private func setUp(_ vocabularySize: Int = 500) throws -> (Scratch, Corpus, Tokenizer) {
        let scratch = try Scratch()
        let texts = try sampleText(60_000).map { String(decoding: $0, as: UTF8.self) }
        let corpus = try scratch.corpus(try scratch.lines("a.jsonl", texts))
        return (scratch, corpus, try Tokenizer.train(on: [corpus], vocabularySize: vocabularySize))
    }

    private func open(_ scratch: Scratch, _ corpus: Corpus, _ tokenizer: Tokenizer) throws
        -> TokenStore
    {
        try TokenStore.open(
            corpus: corpus, split: .train, tokenizer: tokenizer, folder: scratch.path + "/store")
    }

    @Test("a store holds each document's ids, ended by end-of-text, and where they are")
    func contents() throws {
        let (scratch, corpus, tokenizer) = try setUp()
        let store = try open(scratch, corpus, tokenizer)
        let texts = try corpus.texts().map { Array($0.utf8) }
        #expect(store.documents == texts.count)
        #expect(store.textBytes == texts.reduce(0) { $0 + $1.count })
        var expected: [Int32] = []
        for (index, text) in texts.enumerated() {
            let start = expected.count
            expected += tokenizer.encode(text) + [tokenizer.endOfText]
            let document = try store.document(index)
            #expect(document.tokens == start..<expected.count)
            #expect(document.textBytes == text.count)
        }
        #expect(try store.ids(0..<store.count) == expected)
        var copied = [Int32](repeating: -1, count: 10)
        try store.copy(5..<15, into: &copied)
        #expect(copied == Array(expected[5..<15]))
    }

    @Test("a store is built once, found again after files move, and not shared by other content")
    func reopening() throws {
        let (scratch, corpus, tokenizer) = try setUp()
        let first = try open(scratch, corpus, tokenizer)
        let written = try FileStamp(first.path)
        try FileManager.default.moveItem(
            atPath: scratch.path + "/a.jsonl", toPath: scratch.path + "/b.jsonl")
        let moved = try scratch.corpus(scratch.path + "/b.jsonl")
        let second = try open(scratch, moved, tokenizer)
        #expect(second.path == first.path && second.digest == first.digest)
        #expect(try FileStamp(second.path) == written)
        let other = try Tokenizer.train(on: [moved], vocabularySize: 400)
        #expect(try open(scratch, moved, other).digest != first.digest)
    }

    @Test("a file that is cut short while it is in use is an error, not the end of the process")
    func cut() throws {
        let (scratch, corpus, tokenizer) = try setUp()
        let store = try open(scratch, corpus, tokenizer)
        let source = try Source(store: store, name: "a", context: 64, seed: 1)
        let batches = try EvaluationBatches(store: store, context: 64, rows: 2)
        #expect(truncate(store.path, 100) == 0)
        var (inputs, targets) = ([Int32](repeating: 0, count: 64), [Int32](repeating: 0, count: 64))
        for error in [
            message { try source.sample(source.windows, inputs: &inputs, targets: &targets) },
            message { _ = try batches.batch(batches.count - 1) },
            message { _ = try store.document(0) },
        ] {
            #expect(error.contains(store.path) && error.contains("it ends before byte"), "\(error)")
        }
    }

    @Test("a damaged store is noticed and built again", arguments: [0, 1000, -1, -10, -300])
    func damage(place: Int) throws {
        let (scratch, corpus, tokenizer) = try setUp()
        let path = try open(scratch, corpus, tokenizer).path
        let good = try FileReader.bytes(path)
        var bad = good
        bad[place < 0 ? bad.count + place : place] ^= 0x40
        if place == -10 { bad.removeLast(10) }
        try scratch.write("store/tokens/" + (path as NSString).lastPathComponent, bytes: bad)
        #expect(message { _ = try TokenStore(path, repair: nil) }.contains("damaged"))
        let repaired = try open(scratch, corpus, tokenizer)
        #expect(repaired.repair?.contains("built again") == true)
        #expect(try FileReader.bytes(path) == good)
    }

    @Test("an interrupted build leaves nothing behind and can be done again")
    func interrupted() throws {
        let (scratch, corpus, tokenizer) = try setUp()
        let polls = Polls()
        #expect(throws: Interrupted.self) {
            try TokenStore.open(
                corpus: corpus, split: .train, tokenizer: tokenizer,
                folder: scratch.path + "/store",
                stop: { polls.next(after: 300) })
        }
        let left = try? FileManager.default.contentsOfDirectory(
            atPath: scratch.path + "/store/tokens")
        #expect((left ?? []).allSatisfy { $0.hasSuffix(".lock") })
        #expect(try open(scratch, corpus, tokenizer).documents > 0)
    }

    @Test("an empty split is an error that says so")
    func emptySplit() throws {
        let (scratch, corpus, tokenizer) = try setUp()
        let error = message {
            _ = try TokenStore.open(
                corpus: corpus, split: .test, tokenizer: tokenizer, folder: scratch.path)
        }
        #expect(error.contains("its test split holds no document"))
    }

    @Test("evaluation counts every token once", arguments: [(7, 3), (64, 4), (100_000, 2)])
    func evaluation(context: Int, rows: Int) throws {
        let (scratch, corpus, tokenizer) = try setUp()
        let store = try open(scratch, corpus, tokenizer)
        for limit in [nil, 1, context, 1000] {
            let batches = try EvaluationBatches(
                store: store, context: context, rows: rows, limit: limit)
            var targets: [Int32] = []
            var inputs: [Int32] = []
            for index in 0..<batches.count {
                let batch = try batches.batch(index)
                #expect(
                    batch.inputs.count == batch.rows * batch.columns && batch.columns == context)
                for place in batch.targets.indices where batch.targets[place] >= 0 {
                    targets.append(batch.targets[place])
                    inputs.append(batch.inputs[place])
                }
            }
            let expected = try store.ids(0..<min(store.count, limit ?? store.count))
            #expect(targets == expected)
            #expect(inputs == [store.endOfText] + expected.dropLast())
        }
    }
}
