import Foundation
import Runtime
import TestSupport
import Testing

@Suite("Rules of tokenizers", .serialized) struct TokenizerRulesTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    @Test(
        "a tokenizer is trained with every preset, and comes back the same",
        arguments: TokenizerPreset.names)
    func presets(_ name: String) throws {
        let texts = try sampleText(60_000) + [Array("Ab 12345's été 漢字\r\n  x".utf8)]
        let preset = try TokenizerPreset.named(name)
        let tokenizer = try Tokenizer.train(onTexts: texts, vocabularySize: 700, preset: preset)
        let path = scratch.path + "/\(name).json"
        try tokenizer.save(path)
        let loaded = try Tokenizer.load(path)
        #expect(loaded.digest == tokenizer.digest)
        #expect(loaded.extras.digest == tokenizer.extras.digest)
        for text in texts.prefix(20) + texts.suffix(1) {
            #expect(loaded.encode(text) == tokenizer.encode(text))
            if !name.hasPrefix("qwen") {
                #expect(try tokenizer.decode(tokenizer.encode(text)) == text)
            }
        }
        let plain = try Tokenizer.train(onTexts: texts, vocabularySize: 700)
        #expect((plain.digest == tokenizer.digest) == (name == "gpt2"))
        // A digit more is a word more where digits stand alone.
        let digits = ["starcoder", "smollm", "qwen2", "qwen3.5", "tekken"].contains(name)
        if digits { #expect(tokenizer.encode("1234567").count == 7) }
    }

    @Test("the presets' vocabularies and ids are the same for any number of threads")
    func threads() async {
        await #expect(processExitsWith: .success) {
            let texts = [try sampleText(600_000).flatMap { $0 }]
            for name in ["llama3", "deepseek", "smollm"] {
                let preset = try TokenizerPreset.named(name)
                var results: [([[Int32]], Digest)] = []
                for threads in 1...3 {
                    let tokenizer = try onThreads(threads) {
                        try Tokenizer.train(onTexts: texts, vocabularySize: 900, preset: preset)
                    }[0]
                    let encoded = onThreads(threads) { tokenizer.encode(texts: texts) }
                    #expect(encoded[0] == [tokenizer.encode(texts[0])])
                    results.append((encoded[0], tokenizer.digest))
                }
                #expect(results[0] == results[1] && results[0] == results[2])
            }
        }
    }

    private let start =
        #""added_tokens": [{"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "<s>", "special": true}, {"id": 2, "content": "</s>", "special": true}]"#

    /// A tokenizer of characters: `a`, `b`, `▁`, `▁a`, `ab`, and all bytes.
    private func characters(
        _ changes: [(String, String)] = [], bytes: Bool = true
    ) throws -> Tokenizer {
        var tokens = ["<unk>", "<s>", "</s>"]
        if bytes { tokens += (0..<256).map { String(format: "<0x%02X>", $0) } }
        tokens += ["a", "b", "\u{2581}", "\u{2581}a", "ab"]
        let vocabulary = tokens.enumerated().map { "\(JSONValue.quoted($1)): \($0)" }
        var text = """
            {"version": "1.0", \(start),
             "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u{2581}"}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u{2581}"}]},
             "pre_tokenizer": null,
             "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
             "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "\u{2581}"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
             "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": \(bytes), "vocab": {\(vocabulary.joined(separator: ", "))}, "merges": ["\u{2581} a", "a b"]}}
            """
        for (old, new) in changes { text = text.replacingOccurrences(of: old, with: new) }
        return try Tokenizer.load(try scratch.write("characters.json", text))
    }

    @Test("characters merge, and fall back to bytes or to the unknown token")
    func sentencePiece() throws {
        let tokenizer = try characters()
        #expect(tokenizer.endOfText == 2)
        #expect(tokenizer.encode("ab a") == [262, 260, 262])
        #expect(tokenizer.encode("é") == [261, 3 + 0xc3, 3 + 0xa9])
        for text in ["ab a", " x", "é\n漢 b", ""] {
            #expect(try tokenizer.text(tokenizer.encode(text)) == text)
        }
        #expect(try tokenizer.decode(tokenizer.encode([0x61, 0xff])) == [0x61, 0xff])
        #expect(tokenizer.byteCount(262) == 2 && tokenizer.byteCount(3) == 1)
        let unknown = try characters(bytes: false)
        #expect(unknown.encode("axxb") == [6, 0, 4])
        #expect(
            try characters([("\"fuse_unk\": true", "\"fuse_unk\": false")], bytes: false).encode(
                "axxb") == [6, 0, 0, 4])
        #expect(
            message {
                _ = try characters(
                    [("\"unk_token\": \"<unk>\"", "\"unk_token\": null")], bytes: false)
            }
            .contains("model.unk_token: expected a token"))
    }

    @Test("the post-processor is applied where it is asked for, to texts or to documents")
    func specialTokens() throws {
        let tokenizer = try characters()
        #expect(try tokenizer.withSpecialTokens(tokenizer.encode("a")) == [1, 262])
        let path = scratch.path + "/characters.json"
        let opened = try Tokenizer.load(path, addsSpecialTokens: true)
        #expect(opened.opening == [1] && opened.digest != tokenizer.digest)
        #expect(opened.notices.count == tokenizer.notices.count - 1)
        let texts = [Array("a".utf8), Array("b".utf8)]
        #expect(opened.encode(texts: texts, continuing: { $0 == 1 }) == [[1, 262], [260]])
        try opened.save(scratch.path + "/kept.json", withCompanions: true)
        #expect(try Tokenizer.load(scratch.path + "/kept.json").digest == opened.digest)
        try opened.save(scratch.path + "/plain.json")
        #expect(try Tokenizer.load(scratch.path + "/plain.json").digest == tokenizer.digest)
        let plain = try Tokenizer.train(onTexts: sampleText(20_000), vocabularySize: 300)
        try plain.save(scratch.path + "/none.json")
        #expect(
            message { _ = try Tokenizer.load(scratch.path + "/none.json", addsSpecialTokens: true) }
                .contains("expected one that puts special tokens before a text"))
    }

    @Test("the token that ends documents is chosen by name, and ids may have gaps")
    func endsAndGaps() throws {
        _ = try characters()
        let path = scratch.path + "/characters.json"
        #expect(try Tokenizer.load(path, endOfText: "<s>").endOfText == 1)
        #expect(
            message { _ = try Tokenizer.load(path, endOfText: "<x>") }
                .contains(
                    "expected the token \"<x>\", which was named to end documents, found <unk>, <s>, </s>"
                ))
        let other = try FileReader.text(path).replacingOccurrences(of: "</s>", with: "</t>")
        #expect(
            message { _ = try Tokenizer.load(try scratch.write("o.json", other)) }.contains(
                "end_of_text"))
        let gaps = try characters([("\"ab\": 263", "\"ab\": 300")])
        #expect(gaps.vocabularySize == 301 && gaps.encode("bab") == [261, 260, 300])
        #expect(try gaps.decode([264, 260]) == Array("b".utf8) && gaps.byteCount(264) == 0)
        try gaps.save(scratch.path + "/gaps.json")
        #expect(try Tokenizer.load(scratch.path + "/gaps.json").digest == gaps.digest)
    }

    /// Byte strings in the order of their ranks: bytes, then what the merges of a tokenizer make.
    private func strings(_ tokenizer: Tokenizer) -> [[UInt8]] {
        Array(tokenizer.tokens.dropFirst())
    }

    @Test("files of tiktoken give the ids of their merges")
    func tiktoken() throws {
        let preset = try TokenizerPreset.named("gpt4")
        let trained = try Tokenizer.train(
            onTexts: sampleText(60_000), vocabularySize: 800, preset: preset)
        let lines = strings(trained).enumerated().map {
            "\(Data($1).base64EncodedString()) \($0)\n"
        }
        let path = try scratch.write("small.tiktoken", lines.joined())
        let tokenizer = try Tokenizer.load(path, endOfText: "<|end|>", preset: "gpt4")
        #expect(tokenizer.vocabularySize == 800 && tokenizer.endOfText == 799)
        for text in try sampleText(20_000, seed: 2) {
            #expect(tokenizer.encode(text) == trained.encode(text).map { $0 - 1 })
        }
        try tokenizer.save(scratch.path + "/t.json")
        #expect(try Tokenizer.load(scratch.path + "/t.json").digest == tokenizer.digest)
        #expect(message { _ = try Tokenizer.load(path) }.contains("expected the preset"))
        #expect(message { _ = try Tokenizer.load(path, preset: "gpt4") }.contains("end_of_text"))
        #expect(
            message { _ = try Tokenizer.load(path, endOfText: "x", preset: "gpt5") }.contains(
                "one of gpt2"))
        let bad = try scratch.write("bad.tiktoken", lines.prefix(3).joined() + "a b c\n")
        #expect(
            message { _ = try Tokenizer.load(bad, endOfText: "x", preset: "gpt4") }.contains(
                "line 4: expected bytes"))
    }

    @Test("tekken.json gives the ids of its merges, behind the special tokens")
    func tekken() throws {
        let preset = try TokenizerPreset.named("tekken")
        let trained = try Tokenizer.train(
            onTexts: sampleText(60_000), vocabularySize: 800, preset: preset)
        let entries = strings(trained).enumerated().map {
            "{\"rank\": \($0), \"token_bytes\": \"\(Data($1).base64EncodedString())\", \"token_str\": null}"
        }
        let pattern = JSONValue.quoted(KnownPattern.source("tekken"))
        let text = """
            {"config": {"pattern": \(pattern), "num_vocab_tokens": 5000, "default_vocab_size": 809, "default_num_special_tokens": 10, "version": "v3"},
             "vocab": [\(entries.joined(separator: ",\n"))]}
            """
        let tokenizer = try Tokenizer.load(try scratch.write("tekken.json", text))
        #expect(tokenizer.vocabularySize == 809 && tokenizer.endOfText == 2)
        for text in try sampleText(20_000, seed: 2) {
            #expect(tokenizer.encode(text) == trained.encode(text).map { $0 + 9 })
        }
        #expect(tokenizer.encode(Array("<s>a".utf8), special: .parsed).first == 1)
        let bad = text.replacingOccurrences(of: "\"rank\": 3,", with: "\"rank\": -3,")
        #expect(
            message { _ = try Tokenizer.load(try scratch.write("bad.json", bad)) }.contains(
                "vocab, entry 4"))
    }

    @Test("what is not supported is refused by the name and value of its field")
    func refusals() throws {
        for (old, new, expected) in [
            (
                "\"pre_tokenizer\": null",
                #""pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a)\\1"}, "behavior": "Isolated"}"#,
                #"pre_tokenizer.pattern.Regex "(a)\\1": \1 at character 5"#
            ),
            (
                "\"pre_tokenizer\": null",
                #""pre_tokenizer": {"type": "Split", "pattern": {"String": "a"}, "behavior": "Joined"}"#,
                "behavior: expected Isolated"
            ),
            (
                "\"pre_tokenizer\": null",
                #""pre_tokenizer": {"type": "Metaspace", "replacement": "ab"}"#,
                "replacement: expected one character"
            ),
            (
                "\"pre_tokenizer\": null",
                #""pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "ByteLevel"}]}"#,
                "ByteLevel once"
            ),
            (
                "\"unk_token\": \"<unk>\"", "\"unk_token\": \"<no>\"",
                "model.unk_token: \"<no>\" is not in the vocabulary"
            ),
            (
                "{\"type\": \"Prepend\", \"prepend\": \"\u{2581}\"}", "{\"type\": \"Precompiled\"}",
                "normalizer, entry 1: expected null, NFC"
            ),
        ] {
            let error = message { _ = try characters([(old, new)]) }
            #expect(error.contains(expected), "\(expected): \(error)")
        }
    }
}
