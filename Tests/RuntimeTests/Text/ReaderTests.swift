import Foundation
import Runtime
import Testing

/// The message of the error that `body` throws.
func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "no error"
    } catch { return "\(error)" }
}

@Suite("Readers") struct ReaderTests {
    @Test("text, JSON Lines, gzip of several members and zstd of several frames read the same")
    func formats() throws {
        let scratch = try Scratch()
        let long = String(repeating: "long line ", count: 100_000)
        let texts = ["first", "zwei\nlines é \u{1F600}", long, "last"]
        let plain = try scratch.lines("a.jsonl", texts)
        let bytes = try FileReader.bytes(plain)
        let cut = bytes.count / 2
        let halves = [Array(bytes[..<cut]), Array(bytes[cut...])]
        let gzip = try scratch.write("b.jsonl.gz", bytes: halves.flatMap { Packed.gzip($0) })
        let zstd = try scratch.write("c.jsonl.zst", bytes: halves.flatMap { Packed.zstandard($0) })
        var digests: Set<Digest> = []
        for file in [plain, gzip, zstd] {
            let corpus = try scratch.corpus(file)
            #expect(try corpus.texts() == texts)
            digests.insert(try corpus.digest())
        }
        #expect(digests.count == 1)
        let text = try scratch.write("d.txt.gz", bytes: Packed.gzip(Array("whole\nfile\n".utf8)))
        #expect(try scratch.corpus(text).texts() == ["whole\nfile\n"])
    }

    @Test("every way of cutting the input into pieces gives the same lines")
    func pieces() throws {
        final class Slow: ByteInput {
            var bytes: [UInt8]
            let step: Int
            var consumed: Int { 0 }
            init(_ bytes: [UInt8], _ step: Int) { (self.bytes, self.step) = (bytes, step) }
            func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
                let piece = bytes.prefix(min(step, buffer.count))
                buffer.copyBytes(from: piece)
                bytes.removeFirst(piece.count)
                return piece.count
            }
        }
        let text = "one\n\nthree is longer\r\nfour without an end"
        for step in [1, 2, 3, 5, 7, 1000] {
            var reader = LineReader(Slow(Array(text.utf8), step), file: "x", limit: 1000)
            var lines: [String] = []
            while let line = try reader.next() {
                lines.append(String(decoding: line, as: UTF8.self))
            }
            #expect(lines == ["one", "", "three is longer", "four without an end"])
        }
    }

    @Test("globs and folders are sorted; what matches nothing is named")
    func files() throws {
        let scratch = try Scratch()
        for name in ["b", "a", "c"] { try scratch.lines("web/\(name).jsonl", [name]) }
        try scratch.write("web/notes.md", "not text for us")
        #expect(try scratch.corpus(scratch.path + "/web").texts() == ["a", "b", "c"])
        #expect(try scratch.corpus(scratch.path + "/web/*.jsonl").texts() == ["a", "b", "c"])
        let two = try scratch.corpus(scratch.path + "/web/c.jsonl", scratch.path + "/web/a.jsonl")
        #expect(try two.texts() == ["c", "a"])
        #expect(message { _ = try scratch.corpus(scratch.path + "/no*") }.contains("/no*"))
        #expect(
            message { _ = try scratch.corpus("/nowhere.txt") }.contains("/nowhere.txt: No such"))
        #expect(
            message { _ = try scratch.corpus(scratch.path + "/web/notes.md") }.contains(".jsonl"))
        let twice = message {
            _ = try scratch.corpus(scratch.path + "/web", scratch.path + "/web/a.jsonl")
        }
        #expect(twice.contains("named twice"))
    }

    @Test(
        "a bad line is named by file, line and reason",
        arguments: [
            (
                "{\"text\": []}",
                "field \"text\": expected a string, a number or a boolean, found an array"
            ),
            ("{\"text\": null}", "found null"), ("{\"other\": \"x\"}", "has no field \"text\""),
            ("{\"text\": \"a\"", "expected \",\" or \"}\" but the text ends"),
            ("[1]", "expected a JSON object"),
            ("{\"text\": \"a\", \"text\": \"b\"}", "appears twice"),
            ("{\"text\": \"\\ud800\"}", "surrogate"), ("{\"text\": \"\\q\"}", "is not an escape"),
            ("{\"text\": \"a\"} x", "expected the end"),
            ("{\"text\": \"a\tb\"}", "control character"),
            ("{\"a\": 01, \"text\": \"\"}", "expected a number"),
            ("plain", "expected a JSON value"),
        ])
    func badLine(line: String, reason: String) throws {
        let scratch = try Scratch()
        let file = try scratch.write(
            "a.jsonl", "{\"text\": \"good\"}\n\n\(line)\n{\"text\": \"end\"}\n")
        let error = message { _ = try scratch.corpus(file).texts() }
        #expect(error.hasPrefix("\(file):3: "))
        #expect(error.contains(reason))
        let skipping = try scratch.corpus(file) { $0.badLines = .skip }
        #expect(try skipping.texts() == ["good", "end"])
        let summary = try skipping.summary()
        #expect(summary.skippedLines == 1)
        #expect(summary.firstSkipped == error)
    }

    @Test("bytes that are not UTF-8, truncated and damaged files, and empty corpora are errors")
    func damaged() throws {
        let scratch = try Scratch()
        let invalid = try scratch.write(
            "a.jsonl", bytes: Array("{\"text\": \"".utf8) + [0xff, 0x22, 0x7d])
        #expect(message { _ = try scratch.corpus(invalid).texts() }.contains("a.jsonl:1: byte 11"))
        let text = try scratch.write("a.txt", bytes: [0x61, 0x0a, 0xc3, 0x28])
        #expect(message { _ = try scratch.corpus(text).texts() }.contains("a.txt:2: byte 3"))
        let packed = Packed.gzip(
            Array(String(repeating: "{\"text\": \"abc\"}\n", count: 5000).utf8))
        let short = try scratch.write("b.jsonl.gz", bytes: Array(packed.dropLast(20)))
        #expect(message { _ = try scratch.corpus(short).texts() }.contains("truncated"))
        var wrong = packed
        wrong[wrong.count - 6] ^= 1
        let broken = try scratch.write("c.jsonl.gz", bytes: wrong)
        #expect(message { _ = try scratch.corpus(broken).texts() }.contains("not valid gzip"))
        let frame = Packed.zstandard(
            Array(String(repeating: "{\"text\": \"abc\"}\n", count: 5000).utf8))
        let cut = try scratch.write("d.jsonl.zst", bytes: Array(frame.dropLast(3)))
        #expect(message { _ = try scratch.corpus(cut).texts() }.contains("truncated"))
        let empty = try scratch.lines("e.jsonl", ["", ""])
        #expect(
            message { _ = try scratch.corpus(empty).summary() }.contains(
                "train split is empty (2 empty"))
    }

    @Test("a document beyond the limit is an error, and reading stops when asked")
    func limits() throws {
        let scratch = try Scratch()
        let file = try scratch.lines(
            "a.jsonl", ["short", String(repeating: "x", count: 1_000_000)])
        let corpus = try scratch.corpus(file) { $0.maximumDocumentBytes = 300_000 }
        #expect(
            message { _ = try corpus.texts() }.contains(
                "a.jsonl:2: the record is longer than 300000")
        )
        #expect(throws: Interrupted.self) {
            try scratch.corpus(file).forEachDocument(.train, stop: { true }) { _ in }
        }
    }

    @Test("templates fill fields, escape braces, and mark the prompt")
    func templates() throws {
        let scratch = try Scratch()
        let line =
            "{\"output\": \"yes\", \"n\": {\"x\": [1, true, null]}, \"instruction\": \"Is it?\", \"input\": \"é\"}"
        let file = try scratch.write("a.jsonl", line)
        let corpus = try scratch.corpus(file) {
            $0.fields = .prompted(
                prompt: (try? Template("{{{instruction}}}\n{input}\n")) ?? Template(field: "x"),
                response: Template(field: "output"))
        }
        try corpus.forEachDocument(.train) { document in
            #expect(String(decoding: document.text, as: UTF8.self) == "{Is it?}\né\nyes")
            #expect(document.promptBytes == "{Is it?}\né\n".utf8.count)
            #expect(document.location == "\(file):1")
        }
        for bad in ["{a", "a}", "{}", "no field", "{a}}"] {
            #expect(throws: InvalidValue.self) { try Template(bad) }
        }
        #expect(try Template("{a} {b} {a}").fields == ["a", "b"])
    }
}
