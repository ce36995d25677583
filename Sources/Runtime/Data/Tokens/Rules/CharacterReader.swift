import RuntimeSupport

/// Reads what makes symbols of characters, of a `tokenizer.json` without ByteLevel.
struct CharacterReader {
    let file: TokenizerFile
    let model: JSONValue
    let rules: TokenizerRules

    func symbols(
        _ vocabulary: [[UInt8]: Int32], _ added: [Tokenizer.AddedToken],
        _ merges: [(left: Int32, right: Int32, result: Int32)]
    ) throws -> CharacterSymbols {
        var spellings = [String?](repeating: nil, count: Int(vocabulary.values.max() ?? -1) + 1)
        for (text, id) in vocabulary { spellings[Int(id)] = String(decoding: text, as: UTF8.self) }
        var unknown: Int32?
        if let text = model["unk_token"]?.string {
            unknown = vocabulary[Array(text.utf8)]
            guard unknown != nil else {
                throw file.error(
                    "model.unk_token: \(JSONValue.quoted(text)) is not in the vocabulary")
            }
        }
        let fallsBack = model["byte_fallback"]?.boolean ?? false
        let symbols = CharacterSymbols(
            spellings: spellings, unknown: unknown,
            fusesUnknown: model["fuse_unk"]?.boolean ?? false, fallsBack: fallsBack,
            merges: merges, mark: mark, start: start)
        guard unknown != nil || symbols.hasAllBytes else {
            throw file.error(
                "model.unk_token: expected a token for characters that the vocabulary lacks, or all of <0x00> to "
                    + "<0xFF> with byte_fallback (without ByteLevel in the pre_tokenizer), found null"
            )
        }
        return symbols
    }

    /// The character that stands for a space.
    private var mark: UnicodeScalar? {
        for step in rules.normalizers {
            guard case .replace(.literal([0x20]), let content) = step else { continue }
            let scalars = String(decoding: content, as: UTF8.self).unicodeScalars
            if scalars.count == 1 { return scalars.first }
        }
        for step in rules.splitter.steps {
            guard case .metaspace(let mark, _, _) = step else { continue }
            return String(decoding: mark, as: UTF8.self).unicodeScalars.first
        }
        return nil
    }

    /// What the decoder takes away where a text begins.
    private var start: CharacterSymbols.Start {
        let decoder = file.root["decoder"]
        let parts = decoder?["decoders"]?.array ?? [decoder].compactMap { $0 }
        for part in parts {
            switch part["type"]?.string {
            case "Strip" where part["content"]?.string == " ":
                if part["start"]?.integer == 1 { return .oneSpace }
            case "Metaspace":
                let scheme = part["prepend_scheme"]?.string
                let isNever = scheme == "never" || part["add_prefix_space"]?.boolean == false
                return isNever ? .nothing : .spacesOfFirstToken
            default: break
            }
        }
        return .nothing
    }
}
