/// What transformers refuses in the files beside a tokenizer: an export would keep it and could not be loaded.
extension TokenizerExtras {
    private static let tokens = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    /// Checks the members of a file by what its name says.
    ///
    /// - Throws: `TokenizerError` with the path, the member, what was found and what was expected.
    package static func check(
        _ members: [(key: String, value: JSONValue)], of name: String, _ path: String
    )
        throws
    {
        for (key, value) in members {
            if case .null = value { continue }
            guard let expected = expectation(key, value, of: name) else { continue }
            throw TokenizerError(path, "\(key) is \(value.words): expected \(expected)")
        }
    }

    /// What was expected of a member that is something else; `nil` for one that is right or not known.
    private static func expectation(_ key: String, _ value: JSONValue, of name: String) -> String? {
        switch (name, key) {
        case ("config.json", "bos_token_id"), ("config.json", "eos_token_id"),
            ("config.json", "pad_token_id"):
            let ids = value.array ?? [value]
            return ids.allSatisfy { $0.integer != nil } ? nil : "a whole number, or a list of them"
        case ("tokenizer_config.json", "model_max_length"):
            if case .number = value { return nil }
            return "a number"
        case ("tokenizer_config.json", "padding_side"),
            ("tokenizer_config.json", "truncation_side"):
            return ["left", "right"].contains(value.string) ? nil : "\"left\" or \"right\""
        case ("tokenizer_config.json", "chat_template"):
            let isTemplate =
                value.string != nil
                || value.array?.allSatisfy {
                    $0["name"]?.string != nil && $0["template"]?.string != nil
                } ?? false
            return isTemplate ? nil : "a text, or a list of objects with a name and a template"
        case ("tokenizer_config.json", _) where tokens.contains(key),
            ("special_tokens_map.json", _) where tokens.contains(key):
            return value.string != nil || value["content"]?.string != nil
                ? nil : "a text, or an object whose content is one"
        default: return nil
        }
    }
}
