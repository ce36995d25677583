import RuntimeSupport

/// The rules of a published tokenizer by which a new one is trained on other text.
public struct TokenizerPreset: Sendable {
    /// Its name in Lua.
    public let name: String
    package let rules: TokenizerRules

    private init(_ name: String, _ steps: [PreTokenizer], _ normalizers: [Normalizer] = []) {
        self.name = name
        var rules = TokenizerRules()
        rules.splitter = TextSplitter(steps)
        rules.normalizers = normalizers
        self.rules = rules
    }

    /// The names of all, of which GPT-2's is the default.
    public static let names = [
        "gpt2", "gpt4", "llama3", "olmo2", "qwen2", "qwen3.5", "o200k", "tekken", "deepseek",
        "starcoder",
        "smollm",
    ]

    /// GPT-2's.
    public static let gpt2 = TokenizerPreset("gpt2", [.bytes(prefix: false, words: true)])

    /// The preset of a name.
    ///
    /// - Throws: `InvalidValue` for a name that is not one of `names`.
    public static func named(_ name: String) throws -> TokenizerPreset {
        func pattern(_ known: String) throws -> PreTokenizer {
            try expression(KnownPattern.source(known))
        }
        let bytes = PreTokenizer.bytes(prefix: false, words: false)
        switch name {
        case "gpt2": return gpt2
        // The three have one pattern.
        case "gpt4", "llama3", "olmo2": return TokenizerPreset(name, [try pattern("gpt4"), bytes])
        case "qwen2", "qwen3.5":
            return TokenizerPreset(name, [try pattern(name), bytes], [.form(.c)])
        case "o200k", "tekken": return TokenizerPreset(name, [try pattern(name), bytes])
        case "deepseek":
            let numbers = try expression(#"\p{N}{1,3}"#)
            let ideographs = try expression("[一-龥぀-ゟ゠-ヿ]+")
            return TokenizerPreset(name, [numbers, ideographs, try pattern(name), bytes])
        // GPT-2's words, and every digit by itself.
        case "starcoder", "smollm":
            return TokenizerPreset(
                name, [.digits(individual: true), .bytes(prefix: false, words: true)])
        default:
            throw InvalidValue(
                "preset", expected: "one of \(names.joined(separator: ", "))", found: "\"\(name)\"")
        }
    }

    private static func expression(_ source: String) throws -> PreTokenizer {
        do {
            return .split(.expression(try RegularExpression(source)), .isolated, invert: false)
        } catch let error as ExpressionError {
            throw InvalidValue("pattern", expected: "a regular expression", found: error.reason)
        }
    }
}
