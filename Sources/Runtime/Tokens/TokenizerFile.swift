import Foundation

extension Tokenizer {
    /// Loads a byte-level BPE tokenizer from a Hugging Face `tokenizer.json`.
    ///
    /// The end-of-text token is the special added token `<|endoftext|>`, or the only special token there is.
    ///
    /// - Throws: `FileError` if it is unreadable; `TextError` with line and column if it is not JSON; `TokenizerError`
    ///   naming the file, the part, the value and what was expected.
    public static func load(_ path: String) throws -> Tokenizer {
        try OtherTokenizerFile.check(path)
        let root = try JSONValue.read(path, limit: TokenizerFile.longest)
        return try TokenizerFile(path: path, root: root).tokenizer()
    }

    /// Loads GPT-2's form of a tokenizer: `vocab.json`, an object from tokens to ids, and `merges.txt`, a merge a line
    /// after an optional line `#version: …`.
    ///
    /// Tokens and merges are checked as those of a `tokenizer.json`. The end of a text is the token `<|endoftext|>` of
    /// the vocabulary, which is never recognised in a text.
    ///
    /// - Throws: as `load(_:)`.
    public static func load(vocabulary path: String, merges: String) throws -> Tokenizer {
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
        guard let end = vocabulary[endOfTextMark] else {
            throw TokenizerError(path, "expected the token \(endOfTextMark) to end documents")
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
                        ("id", end), ("content", .string(endOfTextMark)),
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
        return try TokenizerFile(path: "\(path) with \(merges)", root: root).tokenizer()
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

    /// Writes the tokenizer in the form of Hugging Face `tokenizer.json`.
    public func save(_ path: String) throws {
        try AtomicFile.write(path) { writer in
            try writer.write(
                """
                {
                  "version": "1.0",
                  "truncation": null,
                  "padding": null,
                  "added_tokens": [

                """)
            for (index, token) in addedTokens.enumerated() {
                let end = index + 1 < addedTokens.count ? "," : ""
                try writer.write(
                    "    {\"id\": \(token.id), \"content\": \(JSONValue.quoted(token.content)), "
                        + "\"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
                        + "\"normalized\": \(!token.special), \"special\": \(token.special)}\(end)\n"
                )
            }
            let byteLevel =
                "{\"type\": \"ByteLevel\", \"add_prefix_space\": \(prefixesSpace), "
                + "\"trim_offsets\": true, \"use_regex\": true}"
            try writer.write(
                """
                  ],
                  "normalizer": \(normalizes ? "{\"type\": \"NFC\"}" : "null"),
                  "pre_tokenizer": \(byteLevel),
                  "post_processor": \(byteLevel),
                  "decoder": \(byteLevel),
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
            let ids = texts.indices.filter { texts[$0] != nil }
            for id in ids {
                let end = id == ids.last ? "" : ","
                try writer.write("      \(JSONValue.quoted(texts[id] ?? "")): \(id)\(end)\n")
            }
            try writer.write("    },\n    \"merges\": [\n")
            for (index, merge) in merges.enumerated() {
                let end = index + 1 < merges.count ? "," : ""
                let pair =
                    ByteAlphabet.text(tokens[Int(merge.left)]) + " "
                    + ByteAlphabet.text(tokens[Int(merge.right)])
                try writer.write("      \(JSONValue.quoted(pair))\(end)\n")
            }
            try writer.write("    ]\n  }\n}\n")
        }
    }

    /// What the vocabulary of the file says of each id; `nil` for added tokens that stand only in their own list.
    private var vocabularyTexts: [String?] {
        var texts: [String?] = tokens.map { ByteAlphabet.text($0) }
        for token in addedTokens { texts[Int(token.id)] = token.special ? token.content : nil }
        return texts
    }
}

/// Reads the parts of a `tokenizer.json` and checks them.
struct TokenizerFile {
    /// Longer files are not read; those of the largest vocabularies have some 30 MB.
    static let longest = 1 << 27

    let path: String
    let root: JSONValue

    func error(_ reason: String) -> TokenizerError { TokenizerError(path, reason) }

    func tokenizer() throws -> Tokenizer {
        guard !isVocabulary else {
            throw error(
                "it is a vocab.json, tokens and ids alone: expected its merges.txt with it, as `merges`"
            )
        }
        let normalizes = try readNormalizer()
        let prefixesSpace = try readPreTokenizer()
        guard let model = root["model"] else { throw error("expected a \"model\"") }
        let kind = model["type"]?.string
        guard kind == nil || kind == "BPE" else {
            throw error("model type: expected \"BPE\", found \"\(kind ?? "")\"")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix", "dropout"] {
            if let value = model[key], value.string != "" {
                throw error("model.\(key): expected null, found \(value.words)")
            }
        }
        if model["ignore_merges"]?.boolean == true {
            throw error("model.ignore_merges: expected false, found true")
        }
        let added = try readAdded()
        let vocabulary = try readVocabulary(model, added)
        let merges = try readMerges(model, vocabulary.ids)
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
        return try Tokenizer(
            tokens: vocabulary.tokens, merges: merges, addedTokens: added, endOfText: end.id,
            normalizes: normalizes, prefixesSpace: prefixesSpace, place: path)
    }

    /// Whether it is GPT-2's other form of a tokenizer.
    private var isVocabulary: Bool {
        guard case .object(let members) = root, !members.isEmpty else { return false }
        return members.allSatisfy { if case .number = $0.value { true } else { false } }
    }

    private func readNormalizer() throws -> Bool {
        guard let normalizer = root["normalizer"] else { return false }
        let kind = normalizer["type"]?.string ?? "?"
        guard kind == "NFC" else {
            throw error("normalizer: expected null or NFC, found \"\(kind)\"")
        }
        return true
    }

    /// Whether it puts a space before a text.
    private func readPreTokenizer() throws -> Bool {
        let pre = root["pre_tokenizer"]
        let kind = pre?["type"]?.string ?? "none"
        guard kind == "ByteLevel" else {
            throw error("pre_tokenizer: expected \"ByteLevel\", found \"\(kind)\"")
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

    private func readAdded() throws -> [Tokenizer.AddedToken] {
        var seen: Set<Int> = []
        return try (root["added_tokens"]?.array ?? []).enumerated().map { index, value in
            let place = "added_tokens, entry \(index + 1)"
            guard let content = value["content"]?.string, !content.isEmpty else {
                throw error("\(place): expected \"content\" with some text")
            }
            let id = try checkedId(value["id"], "\(place) (\(JSONValue.quoted(content)))")
            guard seen.insert(id).inserted else { throw error("\(place): id \(id) stands twice") }
            for key in ["single_word", "lstrip", "rstrip"] where value[key]?.boolean == true {
                throw error("\(place): \(key) is true; expected false")
            }
            let special = value["special"]?.boolean ?? false
            return Tokenizer.AddedToken(id: Int32(id), content: content, special: special)
        }
    }

    private func checkedId(_ value: JSONValue?, _ place: String) throws -> Int {
        guard let id = value?.integer, (0..<1 << 24).contains(id) else {
            throw error("\(place): expected an id in 0 ..< 16777216")
        }
        return id
    }

    /// The bytes of every id, and the id of every token that merges can name.
    private func readVocabulary(
        _ model: JSONValue, _ added: [Tokenizer.AddedToken]
    ) throws -> (tokens: [[UInt8]], ids: [String: Int32]) {
        guard case .object(let members)? = model["vocab"] else {
            throw error("expected an object \"model.vocab\"")
        }
        let addedById = Dictionary(uniqueKeysWithValues: added.map { (Int($0.id), $0.content) })
        let size = members.count + added.count
        var tokens = [[UInt8]?](repeating: nil, count: size)
        var ids: [String: Int32] = [:]
        for (text, value) in members {
            let place = "model.vocab, token \(JSONValue.quoted(text))"
            let id = try checkedId(value, place)
            guard id < size else {
                throw error("\(place): id \(id) is outside of 0 ..< \(size), the number of tokens")
            }
            guard tokens[id] == nil else { throw error("\(place): id \(id) has another token") }
            guard ids.updateValue(Int32(id), forKey: text) == nil else {
                throw error("\(place) stands twice")
            }
            if let content = addedById[id] {
                guard content == text else {
                    throw error(
                        "\(place): id \(id) is the added token \(JSONValue.quoted(content))")
                }
                tokens[id] = Array(content.utf8)
            } else {
                guard let bytes = ByteAlphabet.bytes(text), !bytes.isEmpty else {
                    throw error("\(place): expected characters of the byte alphabet of GPT-2")
                }
                tokens[id] = bytes
            }
        }
        for token in added where Int(token.id) < size && tokens[Int(token.id)] == nil {
            tokens[Int(token.id)] = Array(token.content.utf8)
        }
        if let far = added.first(where: { Int($0.id) >= size }) {
            throw error(
                "added_tokens: id \(far.id) of \(JSONValue.quoted(far.content)) is outside of 0 ..< \(size)"
            )
        }
        while tokens.last == .some(nil) { tokens.removeLast() }
        let whole = tokens.compactMap { $0 }
        if whole.count < tokens.count, let missing = tokens.firstIndex(where: { $0 == nil }) {
            throw error("no token has id \(missing); expected every id in 0 ..< \(tokens.count)")
        }
        return (whole, ids)
    }

    private func readMerges(
        _ model: JSONValue, _ ids: [String: Int32]
    ) throws -> [(left: Int32, right: Int32, result: Int32)] {
        guard let list = model["merges"]?.array else {
            throw error("expected an array \"model.merges\"")
        }
        // A token can be used only after something makes it: this also rules out cycles.
        var made = Set(ids.filter { $0.key.unicodeScalars.count == 1 }.values)
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
                guard let id = ids[part] else {
                    throw error("\(place): \(JSONValue.quoted(part)) is not in the vocabulary")
                }
                guard made.contains(id) else {
                    throw error(
                        "\(place): no earlier merge makes \(JSONValue.quoted(part)); "
                            + "merges must stand in the order in which they build on each other")
                }
                return id
            }
            guard let result = ids[parts[0] + parts[1]] else {
                throw error(
                    "\(place): its result \(JSONValue.quoted(parts[0] + parts[1])) is not in the vocabulary"
                )
            }
            made.insert(result)
            return (known[0], known[1], result)
        }
    }
}
