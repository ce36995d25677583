import RuntimeSupport

/// A step that cuts a text into words, as a pre-tokenizer of the tokenizers library does it.
package enum PreTokenizer: Sendable {
    /// What becomes of matches.
    package enum Behavior: String, Sendable {
        case isolated = "Isolated"
        case removed = "Removed"
        case contiguous = "Contiguous"
        case mergedWithPrevious = "MergedWithPrevious"
        case mergedWithNext = "MergedWithNext"
    }

    /// Where Metaspace puts its character before a text that does not begin with it.
    package enum Scheme: String, Sendable { case always, first, never }

    case split(TextPattern, Behavior, invert: Bool)
    case digits(individual: Bool)
    case punctuation(Behavior)
    /// `\w+|[^\w\s]+`; white space goes.
    case whitespace
    case whitespaceSplit
    /// At a character, which goes.
    case delimiter(UnicodeScalar)
    /// Bytes become characters of `ByteAlphabet`; before that a space is put before each piece that begins with none
    /// (`prefix`), and it is cut by GPT-2's pattern (`words`).
    case bytes(prefix: Bool, words: Bool)
    /// Spaces become another character, at which the text is cut (`split`).
    case metaspace([UInt8], Scheme, split: Bool)

    /// Whether a text that is cut before a space behind visible ASCII comes out as its two parts do.
    var allowsCuts: Bool {
        switch self {
        case .digits, .bytes, .whitespace, .whitespaceSplit: true
        case .punctuation(let behavior): behavior == .isolated || behavior == .contiguous
        case .split(.expression(let expression), .isolated, _):
            KnownPattern.allowCuts.contains(expression.pattern)
        case .split, .delimiter, .metaspace: false
        }
    }

    /// As a `tokenizer.json` has it.
    package var json: JSONValue {
        func object(_ type: String, _ members: (String, JSONValue)...) -> JSONValue {
            .object([("type", .string(type))] + members)
        }
        switch self {
        case .split(let pattern, let behavior, let invert):
            return object(
                "Split", ("pattern", pattern.json), ("behavior", .string(behavior.rawValue)),
                ("invert", .boolean(invert)))
        case .digits(let individual):
            return object("Digits", ("individual_digits", .boolean(individual)))
        case .punctuation(let behavior):
            return object("Punctuation", ("behavior", .string(behavior.rawValue)))
        case .whitespace: return object("Whitespace")
        case .whitespaceSplit: return object("WhitespaceSplit")
        case .delimiter(let scalar):
            return object("CharDelimiterSplit", ("delimiter", .string(String(scalar))))
        case .bytes(let prefix, let words):
            return object(
                "ByteLevel", ("add_prefix_space", .boolean(prefix)),
                ("trim_offsets", .boolean(true)), ("use_regex", .boolean(words)))
        case .metaspace(let replacement, let scheme, let split):
            return object(
                "Metaspace", ("replacement", .string(String(decoding: replacement, as: UTF8.self))),
                ("prepend_scheme", .string(scheme.rawValue)), ("split", .boolean(split)))
        }
    }
}
