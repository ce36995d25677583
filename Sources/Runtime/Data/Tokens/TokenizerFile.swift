import Foundation
import RuntimeSupport

extension Tokenizer {
    /// Loads a byte-level BPE tokenizer from a Hugging Face `tokenizer.json`.
    ///
    /// Added tokens are found as the tokenizers library finds them; what does not decide the ids (post-processor, decoder,
    /// truncation, padding) is kept and written back. The end-of-text token is the special added token `<|endoftext|>`, or the only special token there is.
    ///
    /// - Throws: `FileError` if it is unreadable; `TextError` with line and column if it is not JSON; `TokenizerError`
    ///   naming the file, the part, the value and what was expected.
    public static func load(_ path: String) throws -> Tokenizer { try load(path, model: nil) }

    /// Loads the `tokenizer.json` of a model, with what stands beside it in the model's folder.
    package static func load(_ path: String, model folder: String?) throws -> Tokenizer {
        let bytes = try FileReader.bytes(path, limit: TokenizerFile.longest)
        try TokenizerFormats.refuse(bytes, path)
        let root = try JSONValue.read(bytes, file: path)
        return try TokenizerFile(path: path, root: root, model: folder).tokenizer()
    }
}

/// Reads the parts of a `tokenizer.json` and checks them.
package struct TokenizerFile {
    /// Longer files are not read; those of the largest vocabularies have some 30 MB.
    package static let longest = 1 << 27

    package let path: String
    package let root: JSONValue
    /// The folder of the model that it belongs to, if it does.
    package var model: String?

    package init(path: String, root: JSONValue, model: String? = nil) {
        self.path = path
        self.root = root
        self.model = model
    }

    package func error(_ reason: String) -> TokenizerError { TokenizerError(path, reason) }

    package func tokenizer() throws -> Tokenizer {
        guard !isVocabulary else {
            throw error(
                "it is a vocab.json, tokens and ids alone: expected its merges.txt with it, as `merges`"
            )
        }
        try TokenizerFormats.refuse(root, path)
        let forms = try root["normalizer"].map { try normalForms($0, "normalizer") } ?? []
        let prefixesSpace = try readPreTokenizer()
        guard let model = root["model"] else { throw error("expected a \"model\"") }
        try check(model)
        let vocabulary = try readVocabulary(model)
        let added = try AddedTokenEntries(file: self, vocabulary: vocabulary).tokens()
        let tokens = try tokens(vocabulary, added)
        let merges = try readMerges(model, vocabulary)
        let special = added.filter(\.special)
        guard
            let end = special.first(where: { $0.content == Tokenizer.endOfTextMark })
                ?? (special.count == 1 ? special.first : nil)
        else {
            throw error(
                "added_tokens: expected the special token \(Tokenizer.endOfTextMark) to end documents, "
                    + "found \(special.isEmpty ? "no special token" : special.map(\.content).joined(separator: ", "))"
            )
        }
        var extras = TokenizerExtras(root, prefixesSpace: prefixesSpace)
        if let folder = self.model { try extras.readCompanions(folder) }
        return try Tokenizer(
            tokens: tokens, merges: merges, addedTokens: added, endOfText: end.id,
            normalForms: forms, prefixesSpace: prefixesSpace, extras: extras,
            place: path)
    }

    private func check(_ model: JSONValue) throws {
        for key in ["continuing_subword_prefix", "end_of_word_suffix", "dropout"] {
            guard let value = model[key], value.string != "" else { continue }
            if key == "dropout", value.number == 0 { continue }
            throw error("model.\(key): expected null, found \(value.words)")
        }
        for (key, why) in [
            ("ignore_merges", ""), ("byte_fallback", " (SentencePiece's byte tokens are not read)"),
        ] where model[key]?.boolean == true {
            throw error("model.\(key): expected false, found true\(why)")
        }
    }

    /// Whether it is GPT-2's other form of a tokenizer.
    private var isVocabulary: Bool {
        guard case .object(let members) = root, !members.isEmpty else { return false }
        return members.allSatisfy { if case .number = $0.value { true } else { false } }
    }

    /// The normal forms of a normalizer or a sequence of some.
    private func normalForms(_ value: JSONValue, _ place: String) throws -> [NormalForm] {
        let kind = value["type"]?.string ?? "?"
        if let form = NormalForm(rawValue: kind) { return [form] }
        let parts = value["normalizers"]?.array
        guard kind == "Sequence", let parts else {
            throw error(
                "\(place): expected null, NFC, NFD, NFKC, NFKD or a Sequence of these, found \"\(kind)\""
            )
        }
        return try parts.enumerated().flatMap {
            try normalForms($1, "\(place), entry \($0 + 1)")
        }
    }

    /// Whether it puts a space before a text.
    private func readPreTokenizer() throws -> Bool {
        let pre = root["pre_tokenizer"]
        let kind = pre?["type"]?.string ?? "none"
        guard kind == "ByteLevel" else {
            let parts = (pre?["pretokenizers"]?.array ?? []).map { $0["type"]?.string ?? "?" }
            throw error(
                "pre_tokenizer: expected \"ByteLevel\", found \"\(kind)\""
                    + (parts.isEmpty ? "" : " of \(parts.joined(separator: ", "))"))
        }
        guard pre?["use_regex"]?.boolean != false else {
            throw error("pre_tokenizer.use_regex: expected true (the GPT-2 pattern), found false")
        }
        guard let flag = pre?["add_prefix_space"] else { return false }
        guard let prefixes = flag.boolean else {
            throw error(
                "pre_tokenizer.add_prefix_space: expected true or false, found \(flag.words)")
        }
        return prefixes
    }

    func checkedId(_ value: JSONValue?, _ place: String) throws -> Int {
        guard let id = value?.integer, (0..<1 << 24).contains(id) else {
            throw error("\(place): expected an id in 0 ..< 16777216")
        }
        return id
    }

    /// The id of every token that merges can name, by its bytes in UTF-8: strings that Unicode calls equivalent are
    /// different tokens.
    private func readVocabulary(_ model: JSONValue) throws -> [[UInt8]: Int32] {
        guard case .object(let members)? = model["vocab"] else {
            throw error("expected an object \"model.vocab\"")
        }
        var ids: [[UInt8]: Int32] = [:]
        for (text, value) in members {
            let place = "model.vocab, token \(JSONValue.quoted(text))"
            let id = Int32(try checkedId(value, place))
            guard ids.updateValue(id, forKey: Array(text.utf8)) == nil else {
                throw error("\(place) appears twice")
            }
        }
        return ids
    }

    /// The bytes of every id.
    private func tokens(
        _ vocabulary: [[UInt8]: Int32], _ added: [Tokenizer.AddedToken]
    ) throws -> [[UInt8]] {
        let size = vocabulary.count + added.count { !$0.inVocabulary }
        var tokens = [[UInt8]?](repeating: nil, count: size)
        let addedIds = Set(added.map(\.id))
        for (key, id) in vocabulary.sorted(by: {
            ($0.value, $0.key.count) < ($1.value, $1.key.count)
        }) {
            let text = String(decoding: key, as: UTF8.self)
            let place = "model.vocab, token \(JSONValue.quoted(text))"
            guard id < size else {
                throw error("\(place): id \(id) is outside of 0 ..< \(size), the number of tokens")
            }
            guard tokens[Int(id)] == nil else {
                throw error("\(place): id \(id) has another token")
            }
            let bytes = ByteAlphabet.bytes(text)
            guard let bytes = bytes ?? (addedIds.contains(id) ? Array(text.utf8) : nil),
                !bytes.isEmpty
            else { throw error("\(place): expected characters of the byte alphabet of GPT-2") }
            tokens[Int(id)] = bytes
        }
        for token in added where !token.inVocabulary {
            // Such an id is the next that is free, so that nothing else has it unless the vocabulary has gaps.
            guard tokens.indices.contains(Int(token.id)), tokens[Int(token.id)] == nil else {
                throw error(
                    "added_tokens: id \(token.id) of \(JSONValue.quoted(token.content)): expected every id "
                        + "in 0 ..< \(size) once")
            }
            tokens[Int(token.id)] = Array(token.content.utf8)
        }
        let whole = tokens.compactMap { $0 }
        if whole.count < tokens.count, let missing = tokens.firstIndex(where: { $0 == nil }) {
            throw error("no token has id \(missing); expected every id in 0 ..< \(tokens.count)")
        }
        return whole
    }

    private func readMerges(
        _ model: JSONValue, _ ids: [[UInt8]: Int32]
    ) throws -> [(left: Int32, right: Int32, result: Int32)] {
        guard let list = model["merges"]?.array else {
            throw error("expected an array \"model.merges\"")
        }
        // A token can be used only after something makes it: this also rules out cycles.
        var made = Set(ids.filter { $0.key.count { $0 & 0xc0 != 0x80 } == 1 }.values)
        return try list.enumerated().map { index, value in
            let place = "model.merges, entry \(index + 1)"
            let parts =
                value.string.map {
                    $0.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
                }
                ?? (value.array ?? []).compactMap(\.string)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw error("\(place): expected two tokens separated by one space")
            }
            let known = try parts.map { part in
                guard let id = ids[Array(part.utf8)] else {
                    throw error("\(place): \(JSONValue.quoted(part)) is not in the vocabulary")
                }
                guard made.contains(id) else {
                    throw error(
                        "\(place): no earlier merge makes \(JSONValue.quoted(part)); "
                            + "merges must stand in the order in which they build on each other")
                }
                return id
            }
            guard let result = ids[Array((parts[0] + parts[1]).utf8)] else {
                throw error(
                    "\(place): its result \(JSONValue.quoted(parts[0] + parts[1])) is not in the vocabulary"
                )
            }
            made.insert(result)
            return (known[0], known[1], result)
        }
    }
}
