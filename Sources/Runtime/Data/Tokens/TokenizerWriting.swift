import Foundation
import RuntimeSupport

extension Tokenizer {
    /// Writes the tokenizer in the form of Hugging Face `tokenizer.json`, with what was read beside the ids.
    ///
    /// - Throws: `FileError`.
    public func save(_ path: String) throws { try save(path, withCompanions: false) }

    /// Writes the tokenizer, for a store with the files that were read beside it.
    package func save(_ path: String, withCompanions: Bool) throws {
        func part(_ key: String) -> String { extras.text(key, rules) }
        let texts = vocabularyTexts
        func spelled(_ id: Int32) -> String { JSONValue.quoted(texts[Int(id)] ?? "") }
        // Tokens with spaces cannot be told apart in one text.
        let inPairs = texts.contains { $0?.contains(" ") ?? false }
        try AtomicFile.write(path) { writer in
            try writer.write(
                """
                {
                  "version": "1.0",
                  "truncation": \(part("truncation")),
                  "padding": \(part("padding")),
                  "added_tokens": [

                """)
            for (index, token) in addedTokens.enumerated() {
                let end = index + 1 < addedTokens.count ? "," : ""
                try writer.write("    \(token.entry)\(end)\n")
            }
            try writer.write(
                """
                  ],
                  "normalizer": \(normalizerText),
                  "pre_tokenizer": \(part("pre_tokenizer")),
                  "post_processor": \(part("post_processor")),
                  "decoder": \(part("decoder")),
                  "model": {
                    "type": "BPE",
                    "dropout": null,
                    "unk_token": \(rules.characters?.unknown.map { spelled($0) } ?? "null"),
                    "continuing_subword_prefix": null,
                    "end_of_word_suffix": null,
                    "fuse_unk": \(rules.characters?.fusesUnknown ?? false),\(flags)
                    "vocab": {

                """)
            let last = texts.lastIndex { $0 != nil }
            for (id, text) in texts.enumerated() {
                guard let text else { continue }
                try writer.write(
                    "      \(JSONValue.quoted(text)): \(id)\(id == last ? "" : ",")\n")
            }
            try writer.write("    },\n    \"merges\": [\n")
            for (index, merge) in merges.enumerated() {
                let end = index + 1 < merges.count ? "," : ""
                let parts = [merge.left, merge.right].map { texts[Int($0)] ?? "" }
                let rule =
                    inPairs
                    ? "[\(parts.map(JSONValue.quoted).joined(separator: ", "))]"
                    : JSONValue.quoted(parts.joined(separator: " "))
                try writer.write("      \(rule)\(end)\n")
            }
            var companions = withCompanions ? extras.member.map { ",\n  \($0)" } : nil
            if withCompanions, !opening.isEmpty {
                companions = (companions ?? "") + ",\n  \"\(TokenizerFile.opensKey)\": true"
            }
            try writer.write("    ]\n  }\(companions ?? "")\n}\n")
        }
    }

    /// The members of the model that most have not.
    private var flags: String {
        var flags: [String] = []
        if rules.characters?.bytes != nil { flags.append("\"byte_fallback\": true,") }
        if rules.ignoresMerges { flags.append("\"ignore_merges\": true,") }
        return flags.map { "\n    \($0)" }.joined()
    }

    private var normalizerText: String {
        let parts = rules.normalizers.map(\.json.text)
        switch parts.count {
        case 0: return "null"
        case 1: return parts[0]
        default:
            return "{\"type\": \"Sequence\", \"normalizers\": [\(parts.joined(separator: ", "))]}"
        }
    }

    /// What the vocabulary of the file says of each id; `nil` for added tokens that stand only in their own list.
    private var vocabularyTexts: [String?] {
        var texts: [String?] =
            rules.characters?.spellings ?? tokens.map { $0.isEmpty ? nil : ByteAlphabet.text($0) }
        texts += Array(repeating: nil, count: tokens.count - texts.count)
        for token in addedTokens {
            texts[Int(token.id)] = token.inVocabulary ? token.content : nil
        }
        return texts
    }
}

extension Tokenizer.AddedToken {
    /// Its entry in the list of added tokens.
    fileprivate var entry: String {
        let flags = [
            ("single_word", singleWord), ("lstrip", leftStrip), ("rstrip", rightStrip),
            ("normalized", normalized), ("special", special),
        ]
        return "{\"id\": \(id), \"content\": \(JSONValue.quoted(content)), "
            + flags.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }
}
