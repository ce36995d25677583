import Foundation
import Runtime
import TestSupport
import Testing

@Suite("Added tokens and other parts of a tokenizer.json") struct AddedTokenTests {
    private let scratch: Scratch
    private let good: String

    init() throws {
        scratch = try Scratch()
        let tokenizer = try Tokenizer.train(onTexts: sampleText(30_000), vocabularySize: 300)
        try tokenizer.save(scratch.path + "/good.json")
        good = try FileReader.text(scratch.path + "/good.json")
    }

    /// A tokenizer with entries behind end-of-text, whose ids begin with 300, and other changes.
    private func load(_ entries: [String], _ changes: [(String, String)] = []) throws -> Tokenizer {
        var text = good.replacing(
            "\"special\": true}\n",
            with: "\"special\": true}\(entries.map { ", " + $0 }.joined())\n")
        for (old, new) in changes { text = text.replacing(old, with: new) }
        return try Tokenizer.load(try scratch.write("changed.json", text))
    }

    private static func entry(_ id: Int, _ content: String, _ flags: [String: Bool] = [:]) -> String
    {
        let all = [
            "single_word": false, "lstrip": false, "rstrip": false, "normalized": true,
            "special": false,
        ].merging(flags) { $1 }
        return "{\"id\": \(id), \"content\": \(JSONValue.quoted(content)), "
            + all.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
    }

    @Test("tokens of raw text go before those of normalised text, and both are normalised or not")
    func passes() throws {
        let nfc = [("\"normalizer\": null", "\"normalizer\": {\"type\": \"NFC\"}")]
        let both = try load([
            Self.entry(300, "abcd"), Self.entry(301, "cde", ["normalized": false]),
        ])
        #expect(both.encode("xabcde").contains(301) && !both.encode("xabcde").contains(300))
        let composed = try load([Self.entry(300, "cafe\u{301}")], nfc)
        #expect(composed.encode("caf\u{e9}") == [300] && composed.encode("cafe\u{301}") == [300])
        let raw = try load([Self.entry(300, "cafe\u{301}", ["normalized": false])], nfc)
        #expect(raw.encode("cafe\u{301}") == [300] && !raw.encode("caf\u{e9}").contains(300))
        try raw.save(scratch.path + "/saved.json")
        let again = try Tokenizer.load(scratch.path + "/saved.json")
        #expect(again.digest == raw.digest && again.addedTokens == raw.addedTokens)
        // Bytes that are not UTF-8 do not keep what stands beside them from being normalised.
        #expect(
            composed.encode([0xff] + Array("e\u{301}".utf8))
                == composed.encode([0xff]) + composed.encode("\u{e9}"))
    }

    @Test("white space beside a token, and words that hold one")
    func flags() throws {
        let tokenizer = try load([
            Self.entry(300, "LL", ["lstrip": true]), Self.entry(301, "RR", ["rstrip": true]),
            Self.entry(302, "WW", ["single_word": true]), Self.entry(303, "LLRR"),
        ])
        #expect(tokenizer.encode("\u{3000} \nLL") == [300])
        #expect(tokenizer.encode("RR \tLL") == [301, 300] && tokenizer.encode("LLRR") == [303])
        #expect(tokenizer.encode("WW-WW")[0] == 302 && tokenizer.encode("WW-WW").last == 302)
        for text in ["xWW", "WW1", "_WW", "WW\u{301}", "éWW"] {
            #expect(!tokenizer.encode(text).contains(302), "\(text)")
        }
    }

    @Test("special tokens are plain text unless they are asked for, everywhere or in places")
    func special() throws {
        let tokenizer = try load([
            Self.entry(300, "<|im|>", ["special": true, "normalized": false]),
            Self.entry(301, "im"),
        ])
        let text = Array("<|im|>a<|im|>".utf8)
        #expect(tokenizer.encode(text, special: .parsed) == [300] + tokenizer.encode("a") + [300])
        // The tokens within the text of a special token are plain text too: the library searches in two passes.
        #expect(tokenizer.encode(text).filter { $0 == 301 }.count == 2)
        #expect(
            tokenizer.encode(text, special: .parsedWithin([0..<6]))
                == [300] + tokenizer.encode("a<|im|>"))
        #expect(tokenizer.encode(text, special: .parsedWithin([1..<13])).last == 300)
        #expect(tokenizer.encode(text, special: .parsedWithin([])) == tokenizer.encode(text))
    }

    @Test("a token that is also made by merges keeps its bytes, is found as text, and is saved")
    func merged() throws {
        let plain = try load([])
        let id = try #require((257..<300).first { plain.tokens[$0].first == 0x20 })
        let content = ByteAlphabet.text(plain.tokens[id])
        let tokenizer = try load([Self.entry(id, content)])
        #expect(tokenizer.tokens == plain.tokens)
        #expect(tokenizer.encode(content) == [Int32(id)])
        try tokenizer.save(scratch.path + "/saved.json")
        #expect(try Tokenizer.load(scratch.path + "/saved.json").digest == tokenizer.digest)
    }

    @Test(
        "an entry that the library would read otherwise is refused by name",
        arguments: [
            ([entry(301, "QQ")], "entry 2 (\"QQ\"): id 301; expected 300, the next free id"),
            ([entry(300, "!")], "entry 2 (\"!\"): id 300; expected 1, its id in the vocabulary"),
            ([entry(300, "QQ"), entry(301, "QQ")], "entry 3 (\"QQ\"): it stands also in entry 2"),
            ([entry(-1, "Q")], "expected an id in 0 ..< 16777216"),
            ([entry(9_223_372_036_854_775_807, "Q")], "expected an id in 0 ..< 16777216"),
            ([#"{"id": 1e308, "content": "Q"}"#], "expected an id in 0 ..< 16777216"),
            ([#"{"id": 300.5, "content": "Q"}"#], "expected an id in 0 ..< 16777216"),
            ([#"{"id": 300, "content": 5}"#], "entry 2: expected \"content\", the token's text"),
            (
                [#"{"id": 300, "content": "QQ", "lstrip": 1}"#],
                "lstrip: expected true or false, found 1"
            ), (["7"], "entry 2: expected \"content\""),
        ] as [([String], String)])
    func refused(_ entries: [String], _ expected: String) throws {
        let error = message { _ = try load(entries) }
        #expect(error.contains(expected) && error.contains("changed.json"), "\(error)")
    }

    @Test("tokens that Unicode calls equivalent are different tokens")
    func equivalent() throws {
        let tokenizer = try load([Self.entry(300, "e\u{301}")])
        #expect(tokenizer.encode("e\u{301}") == [300])
        #expect(tokenizer.encode("\u{e9}") == (try load([])).encode("\u{e9}"))
        #expect(tokenizer.id(of: "e\u{301}") == 300 && tokenizer.id(of: "\u{e9}") != 300)
    }

    @Test("tokens that normalising makes equal are refused, and an empty one is left out")
    func equal() throws {
        let nfc = [("\"normalizer\": null", "\"normalizer\": {\"type\": \"NFC\"}")]
        let two = [Self.entry(300, "\u{1e0b}\u{323}"), Self.entry(301, "\u{1e0d}\u{307}")]
        #expect(message { _ = try load(two, nfc) }.contains("300 and 301 are the same text"))
        #expect(try load(two).encode("\u{1e0d}\u{307}") == [301])
        #expect(try load([Self.entry(300, "")]).vocabularySize == 300)
    }

    @Test(
        "other forms of tokenizers are refused by their names",
        arguments: [
            ("tokenizer.model", "\n\u{e}\n\u{5}<unk>\u{15}\u{0}\u{0}", "a SentencePiece model"),
            ("vocab.txt", "[PAD]\n[UNK]\nthe\n", "a vocab.txt of a WordPiece model"),
            ("merges.txt", "#version: 0.2\na b\n", "a merges.txt"),
            ("c.json", #"{"tokenizer_class": "X"}"#, "a tokenizer_config.json"),
            ("m.json", #"{"model_type": "gpt_neox"}"#, "the config.json of a model"),
        ])
    func formats(_ name: String, _ text: String, _ expected: String) throws {
        let path = try scratch.write(name, text)
        let error = message { _ = try Tokenizer.load(path) }
        #expect(
            error.hasPrefix(path) && error.contains(expected)
                && error.contains("expected a tokenizer.json of a BPE model"), "\(error)"
        )
    }

    @Test(
        "other models, normalizers and pre-tokenizers are refused by their names",
        arguments: [
            ("\"type\": \"BPE\"", "\"type\": \"Unigram\"", "found \"Unigram\" (of SentencePiece)"),
            ("\"type\": \"BPE\"", "\"type\": \"WordPiece\"", "found \"WordPiece\""),
            (
                "\"fuse_unk\": false", "\"byte_fallback\": 1",
                "model.byte_fallback: expected true or false, found 1"
            ),
            (
                "\"normalizer\": null",
                #""normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "StripAccents"}]}"#,
                "normalizer, entry 2: expected null, NFC, NFD, NFKC, NFKD, Lowercase, Strip, Prepend, Replace or a Sequence of these, found \"StripAccents\""
            ),
            (
                "\"pre_tokenizer\": {\"type\": \"ByteLevel\"",
                #""pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "UnicodeScripts"}, {"type": "ByteLevel"}]"#,
                "pre_tokenizer, entry 1: expected ByteLevel, Split,"
            ),
        ])
    func parts(_ old: String, _ new: String, _ expected: String) throws {
        let error = message { _ = try load([], [(old, new)]) }
        #expect(error.contains(expected) && error.contains("changed.json"), "\(error)")
    }

    @Test("what does not decide the ids is written back, and said to be unused")
    func extras() throws {
        let processor =
            #"{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], "special_tokens": {}}"#
        let line = try #require(
            good.split(separator: "\n").first { $0.contains("\"post_processor\"") })
        let tokenizer = try load(
            [],
            [
                (String(line), "  \"post_processor\": \(processor),"),
                ("\"truncation\": null", "\"truncation\": {\"max_length\": 5}"),
            ])
        #expect(tokenizer.notices.count == 2, "\(tokenizer.notices)")
        #expect(tokenizer.notices[0].contains("TemplateProcessing would add <|endoftext|>"))
        try tokenizer.save(scratch.path + "/saved.json")
        let saved = try FileReader.text(scratch.path + "/saved.json")
        #expect(saved.contains(processor) && saved.contains("\"truncation\": {\"max_length\": 5}"))
        #expect(try load([]).notices.isEmpty)
    }

    @Test("long text is encoded in time that grows with it, and can be interrupted")
    func long() throws {
        let tokenizer = try load(
            [], [("\"normalizer\": null", "\"normalizer\": {\"type\": \"NFC\"}")])
        let marks = Array(String(repeating: "\u{301}\u{316}", count: 400_000).utf8)
        // Insertion, which takes the square of the length, would not end within the tests' patience.
        #expect(tokenizer.encode(marks).count >= 400_000)
        let polls = Polls()
        let error = message {
            _ = try marks.withUnsafeBytes { try tokenizer.encode($0) { polls.next(after: 3) } }
        }
        #expect(error.hasPrefix("interrupted"), "\(error)")
    }
}
