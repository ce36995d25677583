/// The list `added_tokens` of a `tokenizer.json`.
struct AddedTokenEntries {
    let file: TokenizerFile
    /// The ids of the tokens that merges can name, by their bytes in UTF-8.
    let vocabulary: [[UInt8]: Int32]

    /// The tokens, in the order of the list.
    ///
    /// The tokenizers library does not read their ids: a token of the vocabulary keeps its id, any other gets the next
    /// that is free. A file that says another id would be encoded to other ids there, so it is refused.
    func tokens() throws -> [Tokenizer.AddedToken] {
        var seen: [[UInt8]: Int] = [:]
        var tokens: [Tokenizer.AddedToken] = []
        guard let list = file.root["added_tokens"] else { return [] }
        guard let entries = list.array else {
            throw file.error("added_tokens: expected a list, found \(list.words)")
        }
        var highest = -1
        for (index, entry) in entries.enumerated() {
            let place = "added_tokens, entry \(index + 1)"
            guard let content = entry["content"]?.string else {
                throw file.error("\(place): expected \"content\", the token's text")
            }
            // The library leaves these out.
            if content.isEmpty { continue }
            let named = "\(place) (\(JSONValue.quoted(content)))"
            let id = try file.checkedId(entry["id"], named)
            if let other = seen.updateValue(index + 1, forKey: Array(content.utf8)) {
                throw file.error("\(named): it stands also in entry \(other)")
            }
            let known = vocabulary[Array(content.utf8)].map(Int.init)
            let expected = known ?? max(highest + 1, vocabulary.count)
            guard id == expected else {
                throw file.error(
                    "\(named): id \(id); expected \(expected), "
                        + (known != nil
                            ? "its id in the vocabulary"
                            : "the next free id, which the tokenizers library gives it"))
            }
            highest = max(highest, id)
            tokens.append(
                try token(entry, Int32(id), content, inVocabulary: known != nil, named))
        }
        return tokens
    }

    private func token(
        _ entry: JSONValue, _ id: Int32, _ content: String, inVocabulary: Bool, _ place: String
    ) throws -> Tokenizer.AddedToken {
        func flag(_ key: String) throws -> Bool? {
            guard let value = entry[key] else { return nil }
            guard let flag = value.boolean else {
                throw file.error("\(place): \(key): expected true or false, found \(value.words)")
            }
            return flag
        }
        var token = Tokenizer.AddedToken(
            id: id, content: content, special: try flag("special") ?? false,
            normalized: try flag("normalized"))
        token.leftStrip = try flag("lstrip") ?? false
        token.rightStrip = try flag("rstrip") ?? false
        token.singleWord = try flag("single_word") ?? false
        token.inVocabulary = inVocabulary
        return token
    }
}
