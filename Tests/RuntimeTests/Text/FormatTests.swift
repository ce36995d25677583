import Foundation
import Runtime
import Testing

@Suite("Formats of records") struct FormatTests {
    /// Input that comes in pieces of a few bytes.
    final class Slow: ByteInput {
        private var bytes: ArraySlice<UInt8>
        private let step: Int
        var consumed: Int { 0 }
        init(_ text: String, _ step: Int) { (bytes, self.step) = (Array(text.utf8)[...], step) }
        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            let piece = bytes.prefix(min(step, buffer.count))
            buffer.copyBytes(from: piece)
            bytes = bytes.dropFirst(piece.count)
            return piece.count
        }
    }

    private func text(_ field: String) -> (inout CorpusSpecification) -> Void {
        { $0.fields = .text(Template(field: field)) }
    }

    @Test("JSON Lines, a JSON array, CSV and TSV of the same records are the same documents")
    func same() throws {
        let scratch = try Scratch()
        let texts = [
            "plain", "two\nlines, and \"quotes\"", "tab\there", "é\u{1F600}", "{\"a\": [1]}]",
        ]
        let quoted = texts.map(JSONValue.quoted)
        let records = quoted.map { "{\"id\": [1, {}], \"text\": \($0)}" }
        let mark = "\u{FEFF}"
        var files = [
            try scratch.write("a.jsonl", mark + records.joined(separator: "\n") + "\n"),
            try scratch.write("a.json", mark + "[" + records.joined(separator: ",\n  ") + "]\n"),
            try scratch.write("b.json", records.joined(separator: "\n\n")),
            try scratch.write("c.json", "[\n" + records.joined(separator: " ,") + "\n\n]"),
        ]
        for (name, separator, end) in [("a.csv", ",", "\r\n"), ("a.tsv", "\t", "\n")] {
            let rows = texts.map {
                "7\(separator)\"\($0.replacing("\"", with: "\"\""))\"\(separator)"
            }
            files.append(
                try scratch.write(
                    name,
                    mark
                        + (["id,text,rest".replacing(",", with: separator)] + rows)
                        .joined(separator: end) + (name == "a.csv" ? "" : "\n\n")))
        }
        files.append(
            try scratch.write(
                "b.csv.gz",
                bytes: Packed.gzip(Array(FileManager.default.contents(atPath: files[4]) ?? Data())))
        )
        var digests: Set<Digest> = []
        for file in files {
            let corpus = try scratch.corpus(file) {
                $0.quotes = file.hasSuffix(".tsv") ? true : nil
            }
            #expect(try corpus.texts() == texts, "\(file)")
            digests.insert(try corpus.digest())
        }
        #expect(digests.count == 1)
    }

    @Test("however the input is cut, elements and rows are the same")
    func pieces() throws {
        let json = " [ {\"a\": \"x\\\"]}\"}, 12 ,\"s\\\\\",[[], {}] , null\n]\n "
        let csv = "a,b\r\n1,\"x\n\"\"y\"\"\"\r\n\r\n\"\",last"
        for step in [1, 2, 3, 5, 1000] {
            var reader = JSONArrayReader(Slow(json, step), file: "x", limit: 1000)
            var elements: [String] = []
            while let element = try reader.next() {
                elements.append(String(decoding: element, as: UTF8.self))
            }
            #expect(
                elements == ["{\"a\": \"x\\\"]}\"}", "12", "\"s\\\\\"", "[[], {}]", "null"],
                "\(step)")
            var rows = SeparatedReader(
                Slow(csv, step), file: "x", separator: UInt8(ascii: ","), limit: 1000)
            var values: [[String]] = []
            var lines: [Int] = []
            while try rows.next() {
                values.append(
                    (0..<rows.count).map { String(decoding: rows.value($0), as: UTF8.self) })
                lines.append(rows.line)
            }
            #expect(values == [["a", "b"], ["1", "x\n\"y\""], ["", "last"]])
            #expect(lines == [1, 2, 5])
        }
    }

    @Test("fields within objects and lists")
    func nested() throws {
        let scratch = try Scratch()
        let file = try scratch.write(
            "a.jsonl",
            """
            {"meta": {"title": "T", "tags": [1, {"x": 2}]}, "answers": ["no", "yes"], "a.b": "dot",
            """.replacing("\n", with: "")
                + """
                "turns": [{"content": "one"}, {"role": "x", "content": "two"}]}

                """)
        func read(_ template: String) throws -> [String] {
            let template = try Template(template)
            return try scratch.corpus(file) { $0.fields = .text(template) }.texts()
        }
        #expect(
            try read("{meta.title}|{answers[2]}|{turns[].content}|{a.b}|{answers[]}")
                == ["T|yes|one\ntwo|dot|no\nyes"])
        #expect(try read("{turns[2].role}{turns[].content}") == ["xone\ntwo"])
        #expect(
            message { _ = try read("{meta.tags}") }
                == "\(file):1: column 33: field \"meta.tags\": expected a string, a number or a boolean, found an array"
        )
        #expect(message { _ = try read("{meta.titel}") }.contains("has no field \"meta.titel\""))
        #expect(message { _ = try read("{answers[0]}") }.contains("[N] with N from 1"))
        let empty = try scratch.write("e.jsonl", "{\"p\": [], \"d\": [], \"t\": \"x\"}\n")
        func readEmpty(_ text: String) throws -> [String] {
            let template = try Template(text)
            return try scratch.corpus(empty) { $0.fields = .text(template) }.texts()
        }
        #expect(try readEmpty("{t}{p[]}{d[].e}") == ["x"])
        #expect(message { _ = try readEmpty("{t}{p[1]}") }.contains("has no field \"p[1]\""))
    }

    @Test("numbers and truth values stand in templates as they are written")
    func scalars() throws {
        let scratch = try Scratch()
        let file = try scratch.write(
            "a.jsonl",
            "{\"a\": 3.50, \"b\": [1e-2, true], \"c\": {\"d\": false}, \"e\": -0, \"n\": null}\n")
        func read(_ template: String) throws -> [String] {
            let template = try Template(template)
            return try scratch.corpus(file) { $0.fields = .text(template) }.texts()
        }
        #expect(try read("{a}|{b[]}|{c.d}|{e}") == ["3.50|1e-2\ntrue|false|-0"])
        #expect(message { _ = try read("{n}") }.contains("a number or a boolean, found null"))
    }

    // In quadratic time it would take hours.
    @Test(
        "a list of very many elements is read in linear time, and can be interrupted",
        .timeLimit(.minutes(5)))
    func longLists() throws {
        let scratch = try Scratch()
        let count = 400_000
        let text = String(repeating: "\"some words\",", count: count - 1) + "\"some words\""
        let objects = "{\"e\": \"some words\"}"
        let list = String(repeating: objects + ",", count: count - 1) + objects
        let file = try scratch.write("a.jsonl", "{\"p\":[\(text)],\"o\":[\(list)]}\n")
        for fields in [
            Fields.text(try Template("{p[]}")), .text(try Template("{o[].e}")),
            .chat(try Chat(field: "p")),
        ] {
            let corpus = try scratch.corpus(file) { $0.fields = fields }
            var bytes = 0
            try corpus.forEachDocument(.train) { bytes += $0.text.count }
            #expect(bytes >= count * 11 - 1)
            let polls = Polls()
            let error = message {
                try corpus.forEachDocument(.train, stop: { polls.next(after: 2) }) { _ in }
            }
            #expect(error == "interrupted while reading \(file)" && polls.count == 3)
        }
    }

    @Test("errors name the line, also of elements of several lines")
    func errors() throws {
        let scratch = try Scratch()
        func read(_ name: String, _ content: String) throws -> String {
            let file = try scratch.write(name, content)
            return message { _ = try scratch.corpus(file).texts() }
                .replacing(scratch.path + "/", with: "")
        }
        #expect(
            try read("a.json", "[\n{\"text\": \"a\"},\n{\n\"text\":\n {}}]")
                == "a.json:5: column 2: field \"text\": expected a string, a number or a boolean, found an object"
        )
        #expect(
            try read("a.json", "[{\"text\": \"a\"}\n{\"text\": \"b\"}]")
                == "a.json:2: expected \",\" or \"]\" after an element")
        #expect(
            try read("a.json", "[{\"text\": \"a\"},\n]")
                == "a.json:2: expected a JSON value after \",\"")
        #expect(
            try read("a.json", "[{\"text\": \"a\"}] x")
                == "a.json:1: expected the end of the file after \"]\"")
        #expect(
            try read("a.json", "[{\"text\": \"a\"}") == "a.json:1: the file ends within the array")
        #expect(
            try read("a.json", "[\n{\"text\": \"a\"")
                == "a.json:2: the file ends within the element that begins here")
        #expect(
            try read("a.json", "\"text\"")
                == "a.json:1: expected a JSON array of records, or records one after another")
        #expect(
            try read("a.csv", "text,b\n\"x\ny\",1\n1\n")
                == "a.csv:4: the row has 1 values; expected 2, as the first row names")
        #expect(
            try read("a.csv", "text\n\"x\n")
                == "a.csv:2: column 1: the quoted value that begins here does not end")
        #expect(
            try read("a.csv", "text,b\n\"x\" y,1")
                == "a.csv:2: column 1: expected a separator or the end of the line after the closing quote"
        )
        #expect(
            try read("a.csv", "texts,b\nx,1")
                == "a.csv:1: no column is called \"text\"; there are texts, b; did you mean 'texts'?"
        )
        #expect(try read("a.csv", "text,text\nx,1") == "a.csv:1: two columns are called \"text\"")
        let halves = try scratch.write(
            "h.csv", bytes: Array("text,b\nx".utf8) + [0xc3, 0x2c, 0xa9])
        #expect(
            message { _ = try scratch.corpus(halves).texts() }
                == "\(halves):2: column 1: byte 2 of the value is not UTF-8")
        let columns = String(repeating: ",", count: 1 << 16)
        #expect(
            try read("a.csv", "text" + columns + "\n")
                == "a.csv:1: the row has more than 65536 values, the limit for columns")
        let skipping = try scratch.write("s.csv", "text,b\n1\nx,1\n")
        let corpus = try scratch.corpus(skipping) { $0.badLines = .skip }
        #expect(try corpus.texts() == ["x"])
        #expect(try corpus.summary().skippedLines == 1)
    }

    @Test("a pipe is an error, not a wait", .timeLimit(.minutes(1)))
    func pipe() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/p.jsonl"
        #expect(mkfifo(path, 0o600) == 0)
        for pattern in [path, scratch.path, scratch.path + "/*.jsonl"] {
            #expect(
                message { _ = try scratch.corpus(pattern) }
                    == "cannot read \(path): it is not a regular file")
        }
        let folder = try Scratch()
        try folder.write("settings.json", "{}")
        #expect(message { _ = try folder.corpus(folder.path) }.contains("when they are named"))
        try folder.lines("a.jsonl", ["x"])
        #expect(try folder.corpus(folder.path).texts() == ["x"])
    }
}

@Suite("Conversations") struct ChatTests {
    private let messages = """
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"},
        """.replacing("\n", with: "")
            + """
             {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "2+2?"},
            """.replacing("\n", with: "") + """
             {"content": "4", "role": "assistant"}]}

            """

    @Test("turns with roles, ShareGPT's names and plain strings are the same document")
    func forms() throws {
        let scratch = try Scratch()
        let lines = [
            messages,
            messages.replacing("\"messages\"", with: "\"conversations\"")
                .replacing("\"user\"", with: "\"human\"").replacing(
                    "\"assistant\"", with: "\"gpt\""
                )
                .replacing("\"role\"", with: "\"from\"").replacing(
                    "\"content\"", with: "\"value\""),
            "{\"conversations\": [\"Hi\", \"Hello\", \"2+2?\", \"4\"]}\n",
        ]
        let whole =
            "Be brief.\nUser: Hi\nAssistant: Hello\nUser: 2+2?\nAssistant: 4\n"
        for (index, line) in lines.enumerated() {
            let file = try scratch.write("\(index).jsonl", line)
            let corpus = try scratch.corpus(file) {
                $0.fields = .chat(
                    try! Chat(field: index == 0 ? "messages" : "conversations"))
            }
            try corpus.forEachDocument(.train) { document in
                let expected = index == 2 ? String(whole.dropFirst(10)) : whole
                #expect(String(decoding: document.text, as: UTF8.self) == expected)
                let counted = document.parts.filter(\.counts).map {
                    String(decoding: document.text[$0.bytes], as: UTF8.self)
                }
                #expect(counted == ["Hello\n", "4\n"])
            }
        }
    }

    @Test("only the turns that count have targets; a cut keeps what fits")
    func finetuning() throws {
        let scratch = try Scratch()
        let prose = try Corpus(
            {
                var it = CorpusSpecification(name: "prose", embedded: "prose")
                it.bytes = 20_000
                return it
            }())
        let tokenizer = try Tokenizer.train(on: [prose], vocabularySize: 300)
        let file = try scratch.write("a.jsonl", messages)
        let corpus = try scratch.corpus(file) { $0.fields = .chat(try! Chat(field: "messages")) }
        let set = try FinetuneSet(corpus: corpus, split: .train, tokenizer: tokenizer, context: 200)
        let example = try #require(set.examples.first)
        let texts = try example.counted.map {
            String(decoding: try tokenizer.decode(example.tokens[$0]), as: UTF8.self)
        }
        #expect(texts == ["Hello\n", "4\n<|endoftext|>"])
        #expect(example.responseBytes == "Hello\n4\n".utf8.count)
        let batch = try #require(try set.evaluationBatches(batch: 1).first)
        #expect(batch.counted == example.countedTokens)
        for (place, target) in batch.targets.enumerated() {
            let counts = example.counted.contains { $0.contains(place) }
            #expect(target == (counts ? example.tokens[place] : -1))
        }
        #expect(
            try corpus.summary()[.train].promptBytes
                == "Be brief.\nUser: Hi\nAssistant: User: 2+2?\nAssistant: ".utf8.count)
        let short = example.counted[1].lowerBound
        let cut = try FinetuneSet(
            corpus: corpus, split: .train, tokenizer: tokenizer, context: short)
        #expect(cut.truncated == 1 && cut.examples[0].counted == [example.counted[0]])
        #expect(
            message {
                _ = try FinetuneSet(
                    corpus: corpus, split: .train, tokenizer: tokenizer,
                    context: example.promptTokens)
            }.contains("no example with a response"))
        // Where the boundaries lie is part of the content.
        let other = try scratch.corpus(file) {
            $0.fields = .chat(try! Chat(field: "messages", counted: ["user", "assistant"]))
        }
        #expect(try corpus.digest() != other.digest())
    }

    @Test("conversations that cannot be used say why")
    func errors() throws {
        let scratch = try Scratch()
        func read(_ record: String) throws -> String {
            let file = try scratch.write("a.jsonl", record)
            return message {
                _ = try scratch.corpus(file) { $0.fields = .chat(try! Chat(field: "m")) }.texts()
            }
        }
        #expect(try read("{\"m\": [\"only a question\"]}").contains("has no turn of assistant"))
        #expect(
            try read("{\"m\": [{\"role\": \"tool\", \"content\": \"x\"}]}").contains(
                "turn 1 of \"m\": no template for the role \"tool\"; turns has assistant, system, user"
            ))
        #expect(
            try read("{\"m\": [{\"role\": \"user\"}]}").contains("it has no content"))
        #expect(
            try read("{\"m\": [{\"role\": \"user\", \"content\": null}]}").contains(
                "turn 1 of \"m\": expected role and content, or from and value; it has no content"))
        #expect(try read("{\"m\": \"x\"}").contains("expected a list of turns, found a string"))
        #expect(try read("{\"n\": []}").contains("the record has no field \"m\"; it has n"))
        #expect(
            message { _ = try Chat(field: "m", turns: ["user": "{text}"]) }.contains(
                "{content} once"))
        #expect(message { _ = try Chat(field: "m", counted: ["robot"]) }.contains("robot"))
    }
}
