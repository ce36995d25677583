import Foundation

/// Other forms of tokenizers, which are refused by name.
enum TokenizerFormats {
    private static let advice =
        "expected a tokenizer.json of a BPE model, a .tiktoken file, a tekken.json, or vocab.json with merges.txt"
    private static let conversion =
        "; transformers' `AutoTokenizer.from_pretrained(...).save_pretrained(...)` writes a tokenizer.json"

    /// Refuses a file that is not JSON but a known form of tokenizer.
    ///
    /// - Throws: `TokenizerError` naming the format and what is read.
    static func refuse(_ bytes: [UInt8], _ path: String) throws {
        guard let kind = kind(Array(bytes.prefix(4096)), path) else { return }
        throw TokenizerError(path, "it is \(kind); \(advice)\(conversion)")
    }

    private static func kind(_ start: [UInt8], _ path: String) -> String? {
        func holds(_ text: String) -> Bool { start.firstRange(of: Array(text.utf8)) != nil }
        if holds("[UNK]\n") || holds("[PAD]\n") { return "a vocab.txt of a WordPiece model" }
        let first = start.first { $0 > 0x20 }
        guard first != UInt8(ascii: "{"), first != UInt8(ascii: "[") else { return nil }
        if start.starts(with: [0x1f, 0x8b]) || start.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
            return "compressed"
        }
        if start.starts(with: [0x80, 0x02]) || start.starts(with: [0x80, 0x04]) {
            return "a Python pickle"
        }
        // The first piece of a SentencePiece model: a message in field 1 that begins with its text.
        if start.first == 0x0a, start.count > 2, start[2] == 0x0a || holds("<unk>") || holds("<s>")
        {
            return "a SentencePiece model"
        }
        if start.starts(with: Array("#version".utf8)) {
            return "a merges.txt, which goes with a vocab.json as `merges`"
        }
        if path.hasSuffix(".model") { return "a SentencePiece or tiktoken model" }
        return nil
    }

    /// Whether the first line is base64, a space and a number.
    static func isRanks(_ bytes: [UInt8]) -> Bool {
        let line = bytes.prefix(4096).prefix { $0 != 10 }.filter { $0 != 13 }
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return false }
        return Data(base64Encoded: Data(parts[0])) != nil
            && parts[1].allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Refuses JSON that is another form of tokenizer.
    ///
    /// - Throws: `TokenizerError` naming the format and what is read.
    static func refuse(_ root: JSONValue, _ path: String) throws {
        func refuse(_ kind: String, _ rest: String = "") throws -> Never {
            throw TokenizerError(path, "\(kind); \(advice)\(rest)")
        }
        if root["model"] == nil {
            if root["tokenizer_class"] != nil {
                try refuse("it is a tokenizer_config.json, which has no vocabulary")
            }
            if root["model_type"] != nil || root["architectures"] != nil {
                try refuse("it is the config.json of a model")
            }
        }
        guard let model = root["model"] else { return }
        let kind = model["type"]?.string ?? (model["vocab"]?.array == nil ? nil : "Unigram")
        switch kind {
        case nil, "BPE": return
        case "Unigram":
            try refuse("model type: expected \"BPE\", found \"Unigram\" (of SentencePiece)")
        case let kind?: try refuse("model type: expected \"BPE\", found \"\(kind)\"")
        }
    }
}
