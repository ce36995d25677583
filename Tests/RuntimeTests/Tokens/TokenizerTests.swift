import Foundation
import Runtime
import TestSupport
import Testing

/// Text with enough variety for small vocabularies.
func sampleText(_ bytes: Int, seed: UInt64 = 1, name: String = "prose") throws -> [[UInt8]] {
    var texts: [[UInt8]] = []
    let corpus = try EmbeddedCorpus.named(name)
    var done = 0
    while done < bytes {
        let text = corpus.document(texts.count, seed: seed).text
        done += text.count
        texts.append(text)
    }
    return texts
}

@Suite("Tokenizer", .serialized) struct TokenizerTests {
    @Test("any bytes come back as they were")
    func roundTrip() throws {
        let tokenizer = try Tokenizer.train(onTexts: sampleText(50_000), vocabularySize: 600)
        var generator = Draws(seed: 1)
        for round in 0..<400 {
            let count = Int.random(in: 0...200, using: &generator)
            let text: [UInt8] = (0..<count).map { _ in
                round % 2 == 0
                    ? UInt8.random(in: 0...255, using: &generator)
                    : Array("the ottr \n".utf8)[Int.random(in: 0..<10, using: &generator)]
            }
            #expect(try tokenizer.decode(tokenizer.encode(text)) == text)
        }
        let mark = Array("a <|endoftext|> b".utf8)
        let ids = tokenizer.encode(mark)
        #expect(!ids.contains(tokenizer.endOfText))
        #expect(try tokenizer.decode(ids) == mark)
        #expect(try tokenizer.decode([tokenizer.endOfText]) == Array("<|endoftext|>".utf8))
    }

    @Test("merges are the most frequent pairs, the lower ids of equals")
    func merges() throws {
        let tokenizer = try Tokenizer.train(
            onTexts: [Array("abab abab cd cd xyz".utf8)], vocabularySize: 261)
        // ab 4 times; then cd, " c" and (ab, ab) twice each: the id of c is lower than that of the space and of ab.
        let spelled = tokenizer.tokens[257...].map { String(decoding: $0, as: UTF8.self) }
        #expect(spelled == ["ab", "cd", " cd", "abab"])
        let plain = Tokenizer.reference(Array("abab abab cd cd xyz".utf8), vocabularySize: 261)
        #expect(spelled == plain)
    }

    @Test("training agrees with counting everything anew for each merge", arguments: [1, 2, 3])
    func reference(seed: UInt64) throws {
        let text = try sampleText(6000, seed: seed).flatMap { $0 }
        let tokenizer = try Tokenizer.train(onTexts: [text], vocabularySize: 400)
        let spelled = tokenizer.tokens[257...].map { String(decoding: $0, as: UTF8.self) }
        #expect(spelled == Tokenizer.reference(text, vocabularySize: 400))
    }

    @Test("words merge the same with the list and with the heap")
    func heap() throws {
        let texts = try sampleText(50_000)
        let tokenizer = try Tokenizer.train(onTexts: texts, vocabularySize: 700)
        var table = MergeTable(count: tokenizer.merges.count)
        for (rank, merge) in tokenizer.merges.enumerated() {
            _ = table.insert(merge.left, merge.right, rank: Int32(rank), result: merge.result)
        }
        var generator = Draws(seed: 1)
        for _ in 0..<500 {
            let count = Int.random(in: 1...60, using: &generator)
            let text = texts[Int.random(in: 0..<texts.count, using: &generator)].filter {
                $0 != 0x20
            }
            let symbols = text.prefix(count).map {
                Int32(ByteAlphabet.order.firstIndex(of: $0) ?? 0) + 1
            }
            var (one, two) = (symbols, symbols)
            var rules: [UInt64] = []
            table.apply(&one, &rules)
            table.applyByHeap(&two)
            #expect(one == two)
        }
    }

    @Test("the ids and the vocabulary are the same for 1, 2 and 3 threads")
    func threads() async {
        await #expect(processExitsWith: .success) {
            let texts = try sampleText(600_000)
            let long = [texts.flatMap { $0 }]
            var results: [([[Int32]], Digest)] = []
            for threads in 1...3 {
                let trained = try onThreads(threads) {
                    try Tokenizer.train(onTexts: texts, vocabularySize: 1000)
                }
                let tokenizer = trained[0]
                #expect(trained.allSatisfy { $0.digest == tokenizer.digest })
                let encoded = onThreads(threads) { tokenizer.encode(texts: texts) }
                #expect(encoded.allSatisfy { $0 == texts.map { tokenizer.encode($0) } })
                let joined = onThreads(threads) { tokenizer.encode(texts: long) }
                #expect(joined.allSatisfy { $0 == [tokenizer.encode(long[0])] })
                results.append((encoded[0], tokenizer.digest))
            }
            #expect(results[0] == results[1] && results[0] == results[2])
        }
    }

    @Test("a text with too few words for the vocabulary says how many are possible")
    func tooSmall() {
        let error = message {
            _ = try Tokenizer.train(onTexts: [Array("ab ab".utf8)], vocabularySize: 300)
        }
        #expect(error.contains("vocabulary of 300") && error.contains("at most 259"))
        #expect(
            message { _ = try Tokenizer.train(onTexts: [], vocabularySize: 256) }.contains(
                "got 256"))
        #expect(throws: TokenizerError.self) {
            try Tokenizer.train(onTexts: [Array("ab ab".utf8)], vocabularySize: 258).decode([999])
        }
    }

    @Test("a saved tokenizer comes back the same")
    func save() throws {
        let scratch = try Scratch()
        let tokenizer = try Tokenizer.train(onTexts: sampleText(30_000), vocabularySize: 500)
        try tokenizer.save(scratch.path + "/t.json")
        let loaded = try Tokenizer.load(scratch.path + "/t.json")
        #expect(loaded.digest == tokenizer.digest)
        #expect(loaded.vocabularySize == 500)
        #expect(loaded.encode("An otter, 12 ünïts") == tokenizer.encode("An otter, 12 ünïts"))
    }

    @Test("a space is put before a text, and behind an added token, where the file asks for it")
    func prefixSpace() throws {
        let scratch = try Scratch()
        let plain = try Tokenizer.train(onTexts: sampleText(30_000), vocabularySize: 500)
        try plain.save(scratch.path + "/plain.json")
        let text = try FileReader.text(scratch.path + "/plain.json")
            .replacingOccurrences(
                of: "\"add_prefix_space\": false", with: "\"add_prefix_space\": true"
            ).replacingOccurrences(
                of: "\"added_tokens\": [",
                with: "\"added_tokens\": [{\"id\": 500, \"content\": \"<x>\"},")
        let tokenizer = try Tokenizer.load(try scratch.write("prefix.json", text))
        #expect(tokenizer.prefixesSpace && !plain.prefixesSpace)
        for text in ["the otter", " the otter", "\nthe", "é", "", "'s"] {
            let spaced = text.isEmpty || text.hasPrefix(" ") ? text : " " + text
            #expect(tokenizer.encode(text) == plain.encode(spaced))
            #expect(
                tokenizer.encode(Array(text.utf8), continuing: true) == plain.encode(text))
        }
        #expect(try tokenizer.text(tokenizer.encode("the")) == " the")
        #expect(
            tokenizer.encode("a<x>b<x> c<x>")
                == plain.encode(" a") + [500] + plain.encode(" b") + [500] + plain.encode(" c")
                + [500])
        try tokenizer.save(scratch.path + "/again.json")
        #expect(try Tokenizer.load(scratch.path + "/again.json").digest == tokenizer.digest)
        // Only the first part of an example begins a text; a long text is encoded in pieces.
        let parts = [Array("a long".utf8), Array("answer".utf8)]
        #expect(
            tokenizer.encode(texts: parts, continuing: { $0 == 1 })
                == [plain.encode(" a long"), plain.encode("answer")])
        let long = Array(String(repeating: "one otter, two otters; ", count: 20_000).utf8)
        #expect(tokenizer.encode(texts: [long]) == [plain.encode([0x20] + long)])
    }

    @Test("malformed files are named with the part and what was expected")
    func malformed() throws {
        let scratch = try Scratch()
        let tokenizer = try Tokenizer.train(onTexts: sampleText(30_000), vocabularySize: 260)
        try tokenizer.save(scratch.path + "/good.json")
        let good = try FileReader.text(scratch.path + "/good.json")
        let merge = good.split(separator: "\n").suffix(6)
        let last =
            merge.first { $0.hasPrefix("      \"") }.map {
                $0.hasSuffix(",") ? String($0.dropLast()) : String($0)
            } ?? ""
        let cases: [(String, String, String)] = [
            ("\"type\": \"BPE\"", "\"type\": \"Unigram\"", "found \"Unigram\""),
            ("\"NFC\"", "\"NFC\"", "no error"),
            ("\"normalizer\": null", "\"normalizer\": {\"type\": \"Nmt\"}", "found \"Nmt\""),
            ("\"!\": 1,", "\"!\": 2,", "id 2 has another token"),
            ("\"!\": 1,", "", "no token for byte 33"),
            ("\"special\": true", "\"special\": false", "found no special token"),
            (last, last + ",\n" + last, "appears twice"),
            (last, "\"! !\"", "its result \"!!\" is not in the vocabulary"),
            (last, "\"!\"", "two tokens separated by one space"), ("{", "", "column"),
            (
                "\"use_regex\": true", "\"use_regex\": 1",
                "pre_tokenizer.use_regex: expected true or false, found 1"
            ),
            (
                "\"add_prefix_space\": false", "\"add_prefix_space\": \"no\"",
                "pre_tokenizer.add_prefix_space: expected true or false, found \"no\""
            ),
            ("\"!\": 1,", "\"!\": 1, \"!\": 1,", "the key \"!\" appears twice"),
            ("\"dropout\": null", "\"dropout\": 0.1", "model.dropout: expected null, found 0.1"),
            (
                "\"fuse_unk\": false", "\"ignore_merges\": 1",
                "model.ignore_merges: expected true or false, found 1"
            ),
        ]
        for (old, new, expected) in cases {
            guard let range = good.range(of: old) ?? good.range(of: "{") else { continue }
            let text = old == "\"NFC\"" ? good : good.replacingCharacters(in: range, with: new)
            let path = try scratch.write("bad.json", text)
            let error = message { _ = try Tokenizer.load(path) }
            #expect(error.contains(expected), "\(old) -> \(new): \(error)")
            if expected != "no error" { #expect(error.contains(path)) }
        }
        let bytes = try scratch.write("b.json", bytes: Array(good.utf8.prefix(30)) + [0xff])
        #expect(message { _ = try Tokenizer.load(bytes) }.contains("not UTF-8"))
        #expect(
            message { _ = try Tokenizer.load(scratch.path + "/none.json") }.contains("none.json"))
    }

    @Test("normal form C composes Hangul in its ranges only, beside text of other scripts")
    func normalForm() throws {
        for (text, expected) in [
            ("\u{1112}\u{1161}\u{11ab}", "\u{d55c}"),
            ("\u{bd80}\u{11b5}\u{11da}", "\u{bd8e}\u{11da}"),
            ("\u{1108}\u{1176}", "\u{1108}\u{1176}"), ("\u{1113}\u{1161}", "\u{1113}\u{1161}"),
            ("\u{ac00}\u{11a7}", "\u{ac00}\u{11a7}"), ("\u{ac01}\u{11a8}", "\u{ac01}\u{11a8}"),
            ("e\u{301}\u{1100}\u{1175}o\u{302}", "\u{e9}\u{ae30}\u{f4}"),
            ("\u{1100}\u{301}\u{1161}", "\u{1100}\u{301}\u{1161}"),
            ("q\u{307}\u{323}", "q\u{323}\u{307}"), ("\u{1100}\u{2126}", "\u{1100}\u{3a9}"),
        ] {
            let bytes = Array(text.utf8)
            let found = try bytes.withUnsafeBytes { try NormalForm.c.apply($0) { false } }
            #expect((found ?? bytes) == Array(expected.utf8), "\(text.unicodeScalars)")
        }
    }

    @Test("vocab.json and merges.txt give the same tokenizer, and mistakes in them are named")
    func vocabularyAndMerges() throws {
        let scratch = try Scratch()
        let tokenizer = try Tokenizer.train(onTexts: sampleText(30_000), vocabularySize: 500)
        let vocabulary = tokenizer.tokens.enumerated().map { id, bytes in
            let text =
                Int32(id) == tokenizer.endOfText
                ? Tokenizer.endOfTextMark : ByteAlphabet.text(bytes)
            return "\(JSONValue.quoted(text)): \(id)"
        }
        let rules = tokenizer.merges.map { merge in
            [merge.left, merge.right].map { ByteAlphabet.text(tokenizer.tokens[Int($0)]) }
                .joined(separator: " ")
        }
        func load(_ vocabulary: [String], _ rules: [String], end: String = "\n") throws -> Tokenizer
        {
            try Tokenizer.load(
                vocabulary: try scratch.write(
                    "vocab.json", "{\(vocabulary.joined(separator: ", "))}"),
                merges: try scratch.write(
                    "merges.txt", rules.map { $0 + end }.joined()))
        }
        let version = ["#version: 0.2"]
        for rules in [rules, version + rules] {
            for end in ["\n", "\r\n"] {
                #expect(try load(vocabulary, rules, end: end).digest == tokenizer.digest)
            }
        }
        for (vocabulary, rules, expected) in [
            (vocabulary, rules + [rules[3]], "appears twice"),
            (vocabulary, rules + ["a"], "two tokens separated by one space"),
            (
                vocabulary.filter { !$0.hasPrefix("\"<|end") }, rules,
                "expected the token <|endoftext|>"
            ),
            (vocabulary + ["\"zzzzz\": 7"], rules, "id 7 has another token"),
            (vocabulary + ["\"zzzzz\": 70000000"], rules, "expected an id in"),
        ] {
            let error = message { _ = try load(vocabulary, rules) }
            #expect(error.contains(expected), "\(expected): \(error)")
            #expect(error.contains("vocab.json"))
        }
        #expect(
            message { _ = try load(vocabulary, version) }.contains(
                "merges.txt: expected a merge a line, found none"))
        #expect(
            message { _ = try Tokenizer.load(scratch.path + "/vocab.json") }.contains(
                "expected its merges.txt with it, as `merges`"))
        let whole = scratch.path + "/whole.json"
        try tokenizer.save(whole)
        #expect(
            message {
                _ = try Tokenizer.load(vocabulary: whole, merges: scratch.path + "/merges.txt")
            }.contains("it is a tokenizer.json, which has its merges within"))
    }

    @Test(
        "the tokenizer of GPT-2 loads from its vocabulary and merges",
        .enabled(if: Shared.folder != nil, "it needs ../shared"))
    func gpt2() throws {
        let shared = try #require(Shared.folder)
        let tokenizer = try Tokenizer.load(
            vocabulary: shared + "/tokenizers/gpt2-encoder.json",
            merges: shared + "/tokenizers/gpt2-vocab.bpe")
        #expect(tokenizer.vocabularySize == 50257)
        #expect(tokenizer.endOfText == 50256)
        #expect(tokenizer.encode("Hello world") == [15496, 995])
        let bytes = (0...255).map { UInt8($0) }
        #expect(try tokenizer.decode(tokenizer.encode(bytes)) == bytes)
        let scratch = try Scratch()
        try tokenizer.save(scratch.path + "/t.json")
        #expect(try Tokenizer.load(scratch.path + "/t.json").digest == tokenizer.digest)
    }

    @Test(
        "the tokenizer of GPT-NeoX loads, with its added runs of spaces",
        .enabled(if: Shared.folder != nil, "it needs ../shared"))
    func neox() throws {
        let shared = try #require(Shared.folder)
        let tokenizer = try Tokenizer.load(shared + "/tokenizers/gpt-neox-20b-tokenizer.json")
        #expect(tokenizer.vocabularySize == 50277)
        #expect(tokenizer.endOfText == 0)
        // "Hello world" and runs of 4 and 2 spaces, from the file's own vocabulary.
        #expect(tokenizer.encode("Hello world") == [12092, 1533])
        #expect(tokenizer.id(of: "    ") == 50274)
        #expect(tokenizer.encode("x    y").contains(50274))
        #expect(tokenizer.encode("e\u{301}") == tokenizer.encode("\u{e9}"))
        for text in ["été 漢字\n\n  ok", "def f(x):\n    return x", "\u{1F600}"] {
            #expect(try tokenizer.text(tokenizer.encode(text)) == text)
        }
        #expect(try tokenizer.text(tokenizer.encode([0x61, 0xff])) == "a\u{fffd}")
    }
}

extension Tokenizer {
    /// The merged tokens by the definition alone: count all pairs, merge the best, begin again.
    static func reference(_ text: [UInt8], vocabularySize: Int) -> [String] {
        var words: [[[UInt8]]] = []
        text.withUnsafeBytes { bytes in
            WordPattern.forEachWord(bytes) { words.append(bytes[$0..<$1].map { [$0] }) }
        }
        var ids = Dictionary(
            uniqueKeysWithValues: ByteAlphabet.order.enumerated().map { ([$1], $0 + 1) })
        var result: [String] = []
        while result.count < vocabularySize - 257 {
            var counts: [[Int]: Int] = [:]
            for word in words where word.count > 1 {
                for index in 1..<word.count {
                    counts[[ids[word[index - 1]] ?? 0, ids[word[index]] ?? 0], default: 0] += 1
                }
            }
            let best = counts.min { a, b in
                a.value != b.value ? a.value > b.value : a.key.lexicographicallyPrecedes(b.key)
            }
            guard let pair = best?.key else { break }
            var merged: [UInt8] = []
            words = words.map { word in
                var out: [[UInt8]] = []
                var index = 0
                while index < word.count {
                    if index + 1 < word.count, ids[word[index]] == pair[0],
                        ids[word[index + 1]] == pair[1]
                    {
                        merged = word[index] + word[index + 1]
                        out.append(merged)
                        index += 2
                    } else {
                        out.append(word[index])
                        index += 1
                    }
                }
                return out
            }
            if ids[merged] == nil {
                ids[merged] = 257 + result.count
                result.append(String(decoding: merged, as: UTF8.self))
            }
        }
        return result
    }
}
