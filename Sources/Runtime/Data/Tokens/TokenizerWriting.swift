import Foundation
import RuntimeSupport

extension Tokenizer {
    /// Writes the tokenizer in the form of Hugging Face `tokenizer.json`, with what was read beside the ids.
    ///
    /// - Throws: `FileError`.
    public func save(_ path: String) throws { try save(path, withCompanions: false) }

    /// Writes the tokenizer, for a store with the files that were read beside it.
    package func save(_ path: String, withCompanions: Bool) throws {
        func part(_ key: String) -> String { extras.text(key, prefixesSpace: prefixesSpace) }
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
                    "unk_token": null,
                    "continuing_subword_prefix": null,
                    "end_of_word_suffix": null,
                    "fuse_unk": false,
                    "vocab": {

                """)
            let texts = vocabularyTexts
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
                try writer.write(
                    "      \(JSONValue.quoted(parts.joined(separator: " ")))\(end)\n")
            }
            let companions = withCompanions ? extras.member.map { ",\n  \($0)" } : nil
            try writer.write("    ]\n  }\(companions ?? "")\n}\n")
        }
    }

    private var normalizerText: String {
        let parts = normalForms.map { "{\"type\": \"\($0.rawValue)\"}" }
        switch parts.count {
        case 0: return "null"
        case 1: return parts[0]
        default:
            return "{\"type\": \"Sequence\", \"normalizers\": [\(parts.joined(separator: ", "))]}"
        }
    }

    /// What the vocabulary of the file says of each id; `nil` for added tokens that stand only in their own list.
    private var vocabularyTexts: [String?] {
        var texts: [String?] = tokens.map { ByteAlphabet.text($0) }
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
