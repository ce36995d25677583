import Foundation
import TestSupport
import Testing
@testable import Runtime

@Suite("Bench") struct Bench {
    @Test("bench") func bench() throws {
        guard let shared = Shared.folder else { return }
        func timed<T>(_ what: String, _ bytes: Int, _ body: () throws -> T) rethrows -> T {
            let start = ContinuousClock.now
            let r = try body()
            let t = Double((ContinuousClock.now - start) / .milliseconds(1)) / 1000
            let rss = (try? FileReader.text("/proc/self/status"))?.split(separator: "\n").filter { $0.hasPrefix("VmHWM") || $0.hasPrefix("VmRSS") }.joined(separator: " ") ?? ""
            print(what, t, "s", Double(bytes) / 1e6 / t, "MB/s", rss)
            return r
        }
        let dir = NSTemporaryDirectory() + "bench-store"
        try? FileManager.default.removeItem(atPath: dir)
        for name in ["code_python", "general"] {
            let c = try Corpus(CorpusSpecification(name: name, files: ["\(shared)/corpora/\(name).train.jsonl.gz"]))
            let s = try timed("scan \(name)", 1) { try c.summary(cache: dir) }
            print(s[.train], s[.valid], s[.test])
            let bytes = s[.train].textBytes
            let tok = try timed("train 8k \(name)", bytes) { try Tokenizer.train(on: [c], vocabularySize: 8192) }
            Parallel.threads = 1
            var texts: [[UInt8]] = []
            var n = 0
            try c.forEachDocument(.train) { if n < 20_000_000 { texts.append($0.text); n += $0.text.count } }
            _ = timed("encode 1 thread", n) { tok.encode(texts: texts) }
            _ = timed("encode 1 thread again", n) { tok.encode(texts: texts) }
            _ = timed("words only", n) {
                var words = 0
                for t in texts { t.withUnsafeBytes { WordPattern.forEachWord($0) { _, _ in words += 1 } } }
                print(words)
            }
            Parallel.threads = 2
            texts = []
            let store = try timed("store", bytes) { try TokenStore.open(corpus: c, split: .train, tokenizer: tok, folder: dir) }
            print(store.count, store.documents, Double(store.textBytes) / Double(store.count))
            let c2 = try Corpus(CorpusSpecification(name: name, files: ["\(shared)/corpora/\(name).train.jsonl.gz"]))
            _ = try timed("second opening", bytes) { try TokenStore.open(corpus: c2, split: .train, tokenizer: tok, folder: dir) }
        }
        let neox = try timed("load neox", 1) { try Tokenizer.load("\(shared)/tokenizers/gpt-neox-20b-tokenizer.json") }
        print(neox.vocabularySize, neox.encode("Hello world!   foo bar    baz\n\n  é été <|endoftext|>"))
    }
}
