import Foundation
import Runtime
import Testing

@Suite("Forms of text") struct TextFormTests {
    private let scratch: Scratch
    private let mark: [UInt8] = [0xef, 0xbb, 0xbf]

    init() throws { scratch = try Scratch() }

    /// The documents of a file, or why it is refused.
    private func read(
        _ name: String, _ bytes: [UInt8], _ change: (inout CorpusSpecification) -> Void = { _ in }
    ) throws -> String {
        let file = try scratch.write(name, bytes: bytes)
        do { return try scratch.corpus(file, change: change).texts().joined(separator: "|") } catch
        {
            return "\(error)"
        }
    }

    private func read(_ name: String, _ text: String) throws -> String {
        try read(name, Array(text.utf8))
    }

    private func records(_ texts: String..., end: String) -> String {
        texts.map { "{\"text\": \"\($0)\"}\(end)" }.joined()
    }

    @Test("every line end", arguments: ["\n", "\r\n", "\r"])
    func lineEnds(end: String) throws {
        #expect(try read("a.jsonl", records("x\u{2028}y", "z", end: end)) == "x\u{2028}y|z")
        #expect(try read("b.jsonl", records("x", end: end) + end + records("z", end: "")) == "x|z")
        #expect(
            try read("c.csv", "a,text\(end)1,x\(end)\(end)2,\"y\(end)z\"\(end)3,last")
                == "x|y\(end)z|last")
        #expect(try read("d.tsv", "text\(end)x\(end)y\(end)") == "x|y")
        #expect(try read("e.txt", "x\(end)y\(end)") == "x\(end)y\(end)")
        #expect(
            try read("f.json", "[\(records("x", end: ","))\(end)\(records("y", end: end))]")
                == "x|y")
    }

    @Test("line ends are found however the input is cut")
    func pieces() throws {
        let text = "one\r\rtwo\r\nthree\n\nfour\r"
        for step in [1, 2, 3, 1000] {
            var reader = LineReader(FormatTests.Slow(text, step), file: "x", limit: 1000)
            var lines: [String] = []
            while let line = try reader.next() {
                lines.append(String(decoding: line, as: UTF8.self))
            }
            #expect(lines == ["one", "", "two", "three", "", "four"], "\(step)")
            #expect(reader.line == 6)
        }
    }

    @Test("byte order marks, also of files that were joined")
    func marks() throws {
        let line = Array(records("x", end: "\n").utf8)
        let joined = mark + line + mark + line
        let rows = mark + Array("text\n\"x,y\"\n".utf8) + mark + Array("\"z\"\n".utf8)
        #expect(try read("a.jsonl", joined) == "x|x")
        #expect(try read("b.json", joined) == "x|x")
        #expect(try read("c.csv", rows) == "x,y|z")
        #expect(try read("d.txt", mark + [0x61, 0x0a] + mark + [0x62]) == "a\nb")
        let members = Packed.gzip(mark + line) + Packed.gzip(mark + line)
        #expect(try read("e.jsonl.gz", members) == "x|x")
        let frames = Packed.zstandard(mark + line) + Packed.zstandard(mark + line)
        #expect(try read("f.jsonl.zst", frames) == "x|x")
        // Within a line it is a character.
        #expect(try read("g.txt", [0x61] + mark + [0x62]) == "a\u{feff}b")
    }

    @Test("other encodings are refused by name, or by the place that is not UTF-8")
    func encodings() throws {
        let text = "{\"text\": \"Gr\u{fc}\u{df}e\"}\n{\"text\": \"x\"}\n"
        for (encoding, name, marked) in [
            (String.Encoding.utf16LittleEndian, "UTF-16LE", [0xff, 0xfe] as [UInt8]),
            (.utf16BigEndian, "UTF-16BE", [0xfe, 0xff]),
            (.utf32LittleEndian, "UTF-32LE", [0xff, 0xfe, 0, 0]),
            (.utf32BigEndian, "UTF-32BE", [0, 0, 0xfe, 0xff]),
        ] {
            let bytes = Array(try #require(text.data(using: encoding)))
            for ending in ["jsonl", "json", "csv", "tsv", "txt", "txt.gz"] {
                for whole in [bytes, marked + bytes] {
                    let packed = ending.hasSuffix("gz") ? Packed.gzip(whole) : whole
                    let error = try read("a.\(ending)", packed)
                    #expect(error.contains("it is text in \(name)"), "\(ending) \(error)")
                }
            }
        }
        let latin = Array("text\nabc\nGr".utf8) + [0xfc, 0xdf] + Array("e\n".utf8)
        #expect(
            try read("l.csv", latin).contains("l.csv:3: column 1: byte 3 of the value is not UTF-8")
        )
        #expect(try read("l.txt", latin).contains("l.txt:3: byte 12 of the text is not UTF-8"))
        let header = Array("text,na".utf8) + [0xef] + Array("ve\nx,y\n".utf8)
        #expect(try read("h.csv", header).contains("h.csv:1: column 2"))
        #expect(try read("n.txt", "ab\nc\0d").contains("n.txt:2: byte 5 of the text is NUL"))
        #expect(try read("n.csv", "text\na\0b\n").contains("n.csv:2: column 1: byte 2"))
        #expect(try read("n.jsonl", "{\"text\": \"a\0b\"}").contains("control character"))
    }

    @Test("quotes in tab-separated values surround or are text, and lose no row")
    func quotes() throws {
        let open = "text\tn\n\"a\t1\nb\t2\n\"c\t3\n"
        #expect(
            try read("a.tsv", open).contains("a.tsv:2: column 1: the value begins with a quote"))
        #expect(try read("a.tsv", open).contains("quotes = false"))
        #expect(try read("b.tsv", Array(open.utf8)) { $0.quotes = false } == "\"a|b|\"c")
        #expect(try read("c.tsv", "text\n\"a\"\nb\n") == "a|b")
        #expect(
            try read("d.tsv", "text\n\"a\" b\n").contains("after the closing quote; quotes = false")
        )
        let across = Array("text\tn\n\"a\tb\nc\"\t1\n".utf8)
        #expect(try read("e.tsv", across) { $0.quotes = true } == "a\tb\nc")
        #expect(try read("f.csv", Array("text\n\"a\"\n".utf8)) { $0.quotes = false } == "\"a\"")
        #expect(try read("g.csv", "text\n\"\"\n\"x\"") == "x")
    }

    @Test("what follows packed data")
    func packed() throws {
        let line = Array(records("x", end: "\n").utf8)
        let member = Packed.gzip(line)
        let zeros = [UInt8](repeating: 0, count: 200_000)
        #expect(try read("a.jsonl.gz", member + zeros) == "x")
        #expect(try read("b.jsonl.gz", member + [0, 0] + member + zeros) == "x|x")
        #expect(try read("c.jsonl.gz", member + [0, 0, 7]).contains("is not gzip data"))
        #expect(try read("d.jsonl.gz", member + line).contains("is not gzip data"))
        #expect(try read("e.jsonl.gz", member + [0x1f]).contains("truncated"))
        #expect(try read("f.jsonl.gz", []).contains("truncated"))
        #expect(try read("g.jsonl.gz", zeros).contains("not gzip data"))
        let frame = Packed.zstandard(line)
        let skipped: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]
        #expect(try read("h.jsonl.zst", skipped + frame + skipped + frame) == "x|x")
        #expect(try read("i.jsonl.zst", frame + [0, 0, 0, 0]).contains("not valid zstd data"))
        #expect(try read("j.jsonl.zst", []).contains("truncated"))
        // A frame header that asks for a window of 2 GiB.
        let wide: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0, 0]
        #expect(try read("k.jsonl.zst", wide).contains("window above 128 MiB"))
    }

    @Test("content that its name does not say is refused by what it is")
    func content() throws {
        let line = Array(records("x", end: "\n").utf8)
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n"
        let page = "\n<!DOCTYPE html><html><body>404</body></html>"
        for ending in ["jsonl", "json", "csv", "tsv", "txt"] {
            #expect(try read("a." + ending, Packed.gzip(line)).contains("compressed with gzip"))
            #expect(
                try read("a." + ending, Packed.zstandard(line)).contains("compressed with zstd"))
            #expect(try read("a." + ending, pointer).contains("git lfs pull"))
            #expect(
                try read("a.\(ending).gz", Packed.gzip(Array(pointer.utf8))).contains(
                    "git lfs pull"))
            #expect(try read("a.\(ending).gz", pointer).contains("git lfs pull"))
            #expect(try read("a.\(ending).gz", page).contains("it is an HTML page"))
            #expect(try read("a." + ending, "PAR1....").contains("a Parquet file"))
            #expect(try read("a.\(ending).gz", line).contains("not gzip data"))
            #expect(try read("a.\(ending).zst", Packed.gzip(line)).contains("it is gzip data"))
            let error = try read("a." + ending, page)
            #expect(ending == "txt" ? error == page : error.contains("an HTML page"))
        }
        var notices: [String] = []
        _ = try scratch.corpus(scratch.path + "/a.txt").summary(progress: { progress in
            if let notice = progress.notice { notices.append(notice) }
        })
        #expect(notices.count == 1 && notices[0].contains("is an HTML page"))
        #expect(
            try read("b.jsonl", "[\(records("x", end: ""))]").contains("name that ends in .json"))
        #expect(
            try read("b.jsonl", Array("[\n{},\n{}]".utf8)) { $0.badLines = .skip }.contains(
                "JSON array"))
        #expect(try read("c.json", records("x", "y", end: "\n")) == "x|y")
    }

    @Test("a record may be as long as the limit says, and not a byte longer")
    func limit() throws {
        let limit = 400_000
        for (ending, head, tail) in [
            ("jsonl", "{\"text\": \"", "\"}"), ("json", "{\"text\": \"", "\"}"), ("csv", "", ""),
        ] {
            for excess in [0, 1] {
                let count = limit - head.utf8.count - tail.utf8.count + excess
                let record = head + String(repeating: "x", count: count) + tail
                let text = (ending == "csv" ? "text\n" : "") + record + "\n"
                let result = try read("a." + ending, Array(text.utf8)) {
                    $0.maximumDocumentBytes = limit
                }
                #expect(
                    excess == 0
                        ? result.utf8.count == count
                        : result.contains("longer than \(limit) bytes"),
                    "\(ending)")
            }
        }
        let twice = try read(
            "t.jsonl", Array(records(String(repeating: "x", count: 300_000), end: "").utf8)
        ) {
            $0.maximumDocumentBytes = limit
            $0.fields = .text((try? Template("{text}{text}")) ?? Template(field: "x"))
        }
        #expect(twice.contains("t.jsonl:1: the document is longer than"))
    }

    @Test("null and missing fields are errors, or no text where that is asked for")
    func missing() throws {
        let records = "{\"a\": \"1\", \"b\": null}\n{\"a\": \"2\"}\n{\"a\": \"3\", \"b\": \"x\"}\n"
        func read(_ template: String, empty: Bool) throws -> String {
            try self.read("m.jsonl", Array(records.utf8)) {
                $0.fields = .text((try? Template(template)) ?? Template(field: "x"))
                $0.allowsMissing = empty
            }
        }
        #expect(try read("{a}{b}", empty: false).contains("missing = \"empty\""))
        #expect(try read("{a}{b}", empty: true) == "1|2|3x")
        #expect(
            try read("{a}{b.c}", empty: true).contains("none of its records has a field \"b.c\"")
                == false)
        #expect(try read("{a}{bb}", empty: true).contains("none of its records has a field \"bb\""))
    }
}
