import Foundation
import RuntimeSupport

extension Tokenizer {
    /// Loads GPT-2's form of a tokenizer: `vocab.json`, an object from tokens to ids, and `merges.txt`, a merge a line
    /// after an optional line `#version: …`.
    ///
    /// Tokens and merges are checked as those of a `tokenizer.json`. The end of a text is a token of the vocabulary, by
    /// default `<|endoftext|>`, which is never recognised in a text.
    ///
    /// - Throws: as `load(_:)`.
    public static func load(
        vocabulary path: String, merges: String, endOfText: String? = nil
    ) throws -> Tokenizer {
        try load(vocabulary: path, merges: merges, model: nil, endOfText: endOfText)
    }

    /// The same for the files of a model, with what stands beside them in the model's folder.
    package static func load(
        vocabulary path: String, merges: String, model folder: String?, endOfText: String? = nil
    ) throws -> Tokenizer {
        let vocabulary = try JSONValue.read(path, limit: TokenizerFile.longest)
        guard case .object = vocabulary else {
            throw TokenizerError(path, "expected an object from tokens to ids")
        }
        if case .object? = vocabulary["model"] {
            throw TokenizerError(
                path,
                "it is a tokenizer.json, which has its merges within: expected it without \(merges), "
                    + "or a vocab.json")
        }
        let mark = endOfText ?? endOfTextMark
        guard let end = vocabulary[mark] else {
            throw TokenizerError(path, "expected the token \(mark) to end documents")
        }
        let text = try FileReader.bytes(merges, limit: TokenizerFile.longest)
        guard text.withUnsafeBytes({ UTF8Check.firstInvalid($0) }) == nil else {
            throw TokenizerError(merges, "expected UTF-8 text")
        }
        let rules = rules(text)
        guard !rules.isEmpty else {
            throw TokenizerError(merges, "expected a merge a line, found none")
        }
        let root = JSONValue.object([
            ("pre_tokenizer", .object([("type", .string("ByteLevel"))])),
            (
                "added_tokens",
                .array([
                    .object([
                        ("id", end), ("content", .string(mark)),
                        ("special", .boolean(true)),
                    ])
                ])
            ),
            (
                "model",
                .object([
                    ("vocab", vocabulary), ("merges", .array(rules)),
                ])
            ),
        ])
        return try TokenizerFile(path: "\(path) with \(merges)", root: root, model: folder)
            .tokenizer()
    }

    /// The lines of a `merges.txt` but for the version and empty ones.
    private static func rules(_ text: [UInt8]) -> [JSONValue] {
        var rules: [JSONValue] = []
        var rest = text[...]
        while !rest.isEmpty {
            // By bytes, as a carriage return with its line feed is one character.
            let end = rest.firstIndex(of: 10) ?? rest.endIndex
            let line = rest[..<end].last == 13 ? rest[..<end].dropLast() : rest[..<end]
            let isVersion = line.startIndex == 0 && line.starts(with: Array("#version".utf8))
            if !line.isEmpty, !isVersion {
                rules.append(.string(String(decoding: line, as: UTF8.self)))
            }
            rest = rest[end...].dropFirst()
        }
        return rules
    }
}
