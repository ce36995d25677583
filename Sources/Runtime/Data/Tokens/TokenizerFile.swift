import Foundation
import RuntimeSupport

extension Tokenizer {
    /// Loads a BPE tokenizer from a Hugging Face `tokenizer.json`, a `.tiktoken` file or a `tekken.json`.
    ///
    /// Added tokens are found, text is normalised and cut into words as the tokenizers library does it; what does not
    /// decide the ids of a text (post-processor, decoder, truncation, padding) is kept and written back.
    ///
    /// - Parameters:
    ///   - endOfText: The token that ends documents; by default the special token `<|endoftext|>`, the only special
    ///     token there is, or the first of `endMarks` that is one.
    ///   - addsSpecialTokens: Whether documents begin with the special tokens that the post-processor puts before a text.
    ///   - preset: The name of the preset whose words a `.tiktoken` file has, if it is not a published one.
    /// - Throws: `FileError` if it is unreadable; `TextError` with line and column if it is not JSON; `TokenizerError`
    ///   naming the file, the part, the value and what was expected.
    public static func load(
        _ path: String, endOfText: String? = nil, preset: String? = nil,
        addsSpecialTokens: Bool = false
    ) throws -> Tokenizer {
        try load(
            path, model: nil, endOfText: endOfText, preset: preset,
            addsSpecialTokens: addsSpecialTokens)
    }

    /// Loads the `tokenizer.json` of a model, with what stands beside it in the model's folder.
    package static func load(
        _ path: String, model folder: String?, endOfText: String? = nil, preset: String? = nil,
        addsSpecialTokens: Bool = false
    ) throws -> Tokenizer {
        let bytes = try FileReader.bytes(path, limit: TokenizerFile.longest)
        if addsSpecialTokens, TokenizerFormats.isRanks(bytes) {
            throw TokenizerError(path, "add_special_tokens: a .tiktoken file has no post_processor")
        }
        let ranks = RankFile(path: path, endOfText: endOfText)
        if TokenizerFormats.isRanks(bytes) { return try ranks.tiktoken(bytes, preset: preset) }
        if let preset {
            throw TokenizerError(
                path, "preset: expected only with a .tiktoken file, got \(JSONValue.quoted(preset))"
            )
        }
        try TokenizerFormats.refuse(bytes, path)
        let root = try JSONValue.read(bytes, file: path)
        if RankFile.isTekken(root) { return try ranks.tekken(root) }
        return try TokenizerFile(
            path: path, root: root, model: folder, endOfText: endOfText,
            opensDocuments: addsSpecialTokens
        ).tokenizer()
    }

    /// Special tokens that end documents in published tokenizers, in the order in which they are looked for.
    public static let endMarks = [
        endOfTextMark, "<|end_of_text|>", "<｜end▁of▁sentence｜>", "</s>", "<eos>",
    ]
}

/// Reads the parts of a `tokenizer.json` and checks them.
package struct TokenizerFile {
    /// Longer files are not read; those of the largest vocabularies have some 30 MB.
    package static let longest = 1 << 27

    package let path: String
    package let root: JSONValue
    /// The folder of the model that it belongs to, if it does.
    package var model: String?
    /// The token that ends documents, if it was named.
    let endOfText: String?
    /// Whether documents begin with the special tokens of the post-processor.
    let opensDocuments: Bool
    /// The member of a store's tokenizer that says the same.
    static let opensKey = "add_special_tokens"

    package init(
        path: String, root: JSONValue, model: String? = nil, endOfText: String? = nil,
        opensDocuments: Bool = false
    ) {
        self.opensDocuments = opensDocuments
        self.endOfText = endOfText
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
        let reader = RulesReader(file: self)
        var rules = TokenizerRules()
        rules.normalizers = try reader.normalizers(root["normalizer"])
        rules.splitter = try reader.splitter(rules.normalizers)
        rules.template = RulesReader.template(root["post_processor"])
        if opensDocuments || root[Self.opensKey]?.boolean == true {
            rules.opening = try opening(rules)
        }
        guard let model = root["model"] else { throw error("expected a \"model\"") }
        try check(model)
        rules.ignoresMerges = model["ignore_merges"]?.boolean ?? false
        let vocabulary = try readVocabulary(model)
        let added = try AddedTokenEntries(file: self, vocabulary: vocabulary).tokens()
        let merges = try readMerges(model, vocabulary)
        if !rules.splitter.isByteLevel {
            rules.characters = try CharacterReader(file: self, model: model, rules: rules)
                .symbols(vocabulary, added, merges)
        }
        let tokens = try tokens(vocabulary, added, rules)
        let end = try end(added)
        var extras = TokenizerExtras(root, rules)
        if let folder = self.model { try extras.readCompanions(folder) }
        return try Tokenizer(
            tokens: tokens, merges: merges, addedTokens: added, endOfText: end, rules: rules,
            extras: extras, place: path)
    }

    /// The special tokens that documents begin with.
    private func opening(_ rules: TokenizerRules) throws -> [Int32] {
        let kind = root["post_processor"]?["type"]?.string ?? "none"
        guard let template = rules.template, !template.before.isEmpty else {
            throw error(
                "post_processor: expected one that puts special tokens before a text (add_special_tokens), "
                    + "found \(kind)")
        }
        return template.before
    }

    /// The id of the token that ends documents.
    private func end(_ added: [Tokenizer.AddedToken]) throws -> Int32 {
        if let endOfText {
            if let token = added.first(where: { $0.content == endOfText }) { return token.id }
            throw error(
                "added_tokens: expected the token \(JSONValue.quoted(endOfText)), which was named to end "
                    + "documents, found \(names(added))")
        }
        let special = added.filter(\.special)
        if let end = special.first(where: { $0.content == Tokenizer.endOfTextMark }) {
            return end.id
        }
        if special.count == 1 { return special[0].id }
        let marks = [statedEnd].compactMap { $0 } + Tokenizer.endMarks
        for mark in marks {
            if let end = special.first(where: { $0.content == mark }) { return end.id }
        }
        throw error(
            "added_tokens: expected the special token \(Tokenizer.endOfTextMark) to end documents, "
                + "or another by its name (end_of_text), found \(names(special))")
    }

    private func names(_ tokens: [Tokenizer.AddedToken]) -> String {
        guard !tokens.isEmpty else { return "no special token" }
        let names = tokens.prefix(12).map(\.content).joined(separator: ", ")
        return tokens.count > 12 ? "\(names) and \(tokens.count - 12) more" : names
    }

    /// The end of a text that the settings beside the file of a model name.
    private var statedEnd: String? {
        guard let model,
            let settings = try? JSONValue.read("\(model)/tokenizer_config.json", limit: 1 << 24)
        else { return nil }
        let value = settings["eos_token"]
        return value?.string ?? value?["content"]?.string
    }

    private func check(_ model: JSONValue) throws {
        for key in ["continuing_subword_prefix", "end_of_word_suffix", "dropout"] {
            guard let value = model[key], value.string != "" else { continue }
            if case .null = value { continue }
            if key == "dropout", value.number == 0 { continue }
            throw error("model.\(key): expected null, found \(value.words)")
        }
        for key in ["ignore_merges", "byte_fallback", "fuse_unk"] {
            guard let value = model[key], value.boolean == nil else { continue }
            if case .null = value { continue }
            throw error("model.\(key): expected true or false, found \(value.words)")
        }
    }

    /// Whether it is GPT-2's other form of a tokenizer.
    private var isVocabulary: Bool {
        guard case .object(let members) = root, !members.isEmpty else { return false }
        return members.allSatisfy { if case .number = $0.value { true } else { false } }
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

    /// The bytes of every id; none of an id that no token has.
    private func tokens(
        _ vocabulary: [[UInt8]: Int32], _ added: [Tokenizer.AddedToken], _ rules: TokenizerRules
    ) throws -> [[UInt8]] {
        let highest = max(vocabulary.values.max() ?? -1, added.map(\.id).max() ?? -1)
        var tokens = [[UInt8]](repeating: [], count: Int(highest) + 1)
        let addedIds = Set(added.map(\.id))
        for (key, id) in vocabulary.sorted(by: {
            ($0.value, $0.key.count) < ($1.value, $1.key.count)
        }) {
            let text = String(decoding: key, as: UTF8.self)
            let place = "model.vocab, token \(JSONValue.quoted(text))"
            guard tokens[Int(id)].isEmpty else {
                throw error("\(place): id \(id) has another token")
            }
            if let characters = rules.characters {
                tokens[Int(id)] =
                    addedIds.contains(id) ? key : characters.decoded(text)
                continue
            }
            let bytes = ByteAlphabet.bytes(text)
            guard let bytes = bytes ?? (addedIds.contains(id) ? key : nil), !bytes.isEmpty
            else { throw error("\(place): expected characters of the byte alphabet of GPT-2") }
            tokens[Int(id)] = bytes
        }
        for token in added where !token.inVocabulary {
            // Such an id is the next that is free, so that nothing else has it unless the vocabulary has gaps.
            guard tokens[Int(token.id)].isEmpty else {
                throw error(
                    "added_tokens: id \(token.id) of \(JSONValue.quoted(token.content)): another token of the "
                        + "vocabulary has it")
            }
            tokens[Int(token.id)] = Array(token.content.utf8)
        }
        return tokens
    }

    private func readMerges(
        _ model: JSONValue, _ ids: [[UInt8]: Int32]
    ) throws -> [(left: Int32, right: Int32, result: Int32)] {
        guard let list = model["merges"]?.array else {
            throw error("expected an array \"model.merges\"")
        }
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
                return id
            }
            guard let result = ids[Array((parts[0] + parts[1]).utf8)] else {
                throw error(
                    "\(place): its result \(JSONValue.quoted(parts[0] + parts[1])) is not in the vocabulary"
                )
            }
            return (known[0], known[1], result)
        }
    }
}
