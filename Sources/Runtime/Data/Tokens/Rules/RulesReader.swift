import RuntimeSupport

/// Reads the normalizer, the pre-tokenizer and the post-processor of a `tokenizer.json`.
///
/// What is not supported is refused by the name and value of its field.
struct RulesReader {
    let file: TokenizerFile

    // MARK: - Normalizer

    private static let normalizers =
        "null, NFC, NFD, NFKC, NFKD, Lowercase, Strip, Prepend, Replace or a Sequence of these"

    func normalizers(_ value: JSONValue?, _ place: String = "normalizer") throws -> [Normalizer] {
        guard let value = present(value) else { return [] }
        let kind = value["type"]?.string ?? "?"
        if let form = NormalForm(rawValue: kind) { return [.form(form)] }
        switch kind {
        case "Sequence":
            guard let parts = value["normalizers"]?.array else { break }
            return try parts.enumerated().flatMap {
                try normalizers($1, "\(place), entry \($0 + 1)")
            }
        case "Lowercase": return [.lowercase]
        case "Strip":
            return [
                .strip(
                    left: try flag(value, "strip_left", place) ?? true,
                    right: try flag(value, "strip_right", place) ?? true)
            ]
        case "Prepend": return [.prepend(try text(value, "prepend", place))]
        case "Replace":
            return [.replace(try pattern(value, place), with: try text(value, "content", place))]
        default: break
        }
        throw file.error("\(place): expected \(Self.normalizers), found \"\(kind)\"")
    }

    private func present(_ value: JSONValue?) -> JSONValue? {
        if case .null? = value { nil } else { value }
    }

    private func flag(_ value: JSONValue, _ key: String, _ place: String) throws -> Bool? {
        guard let member = present(value[key]) else { return nil }
        guard let flag = member.boolean else {
            throw file.error("\(place).\(key): expected true or false, found \(member.words)")
        }
        return flag
    }

    private func text(_ value: JSONValue, _ key: String, _ place: String) throws -> [UInt8] {
        guard let text = value[key]?.string else {
            throw file.error(
                "\(place).\(key): expected a text, found \(value[key]?.words ?? "nothing")")
        }
        return Array(text.utf8)
    }

    private func pattern(_ value: JSONValue, _ place: String) throws -> TextPattern {
        let place = "\(place).pattern"
        if let text = value["pattern"]?["String"]?.string {
            guard !text.isEmpty else {
                throw file.error("\(place).String: expected a text, found none")
            }
            return .literal(Array(text.utf8))
        }
        guard let source = value["pattern"]?["Regex"]?.string else {
            throw file.error(
                "\(place): expected an object with \"String\" or \"Regex\", found "
                    + (value["pattern"]?.words ?? "nothing"))
        }
        do {
            return .expression(try RegularExpression(source))
        } catch let error as ExpressionError {
            throw file.error("\(place).Regex \(JSONValue.quoted(source)): \(error.reason)")
        }
    }

    // MARK: - Pre-tokenizer

    private static let steps =
        "ByteLevel, Split, Digits, Punctuation, Metaspace, Whitespace, WhitespaceSplit, "
        + "CharDelimiterSplit, BertPreTokenizer or a Sequence of these"

    /// The pre-tokenizer of a file with these normalizers.
    func splitter(_ normalizers: [Normalizer]) throws -> TextSplitter {
        let steps = try steps(file.root["pre_tokenizer"], "pre_tokenizer")
        let asksForFirst = steps.contains {
            if case .metaspace(_, .first, _) = $0 { true } else { false }
        }
        if asksForFirst, normalizers.contains(where: \.removesStart) {
            throw file.error(
                "pre_tokenizer.prepend_scheme: expected always or never with a normalizer that takes text away, "
                    + "found \"first\"")
        }
        let levels = steps.count { if case .bytes = $0 { true } else { false } }
        guard levels <= 1 else {
            throw file.error("pre_tokenizer: expected ByteLevel once, found it \(levels) times")
        }
        return TextSplitter(steps)
    }

    private func steps(_ value: JSONValue?, _ place: String) throws -> [PreTokenizer] {
        guard let value = present(value) else { return [] }
        let kind = value["type"]?.string ?? "?"
        switch kind {
        case "Sequence":
            guard let parts = value["pretokenizers"]?.array else { break }
            return try parts.enumerated().flatMap { try steps($1, "\(place), entry \($0 + 1)") }
        case "ByteLevel":
            return [
                .bytes(
                    prefix: try flag(value, "add_prefix_space", place) ?? false,
                    words: try flag(value, "use_regex", place) ?? true)
            ]
        case "Split":
            return [
                .split(
                    try pattern(value, place), try behavior(value, place, "a behavior"),
                    invert: try flag(value, "invert", place) ?? false)
            ]
        case "Digits":
            return [.digits(individual: try flag(value, "individual_digits", place) ?? false)]
        case "Punctuation":
            return [.punctuation(try behavior(value, place, nil))]
        case "Whitespace": return [.whitespace]
        case "WhitespaceSplit": return [.whitespaceSplit]
        case "BertPreTokenizer": return [.whitespaceSplit, .punctuation(.isolated)]
        case "CharDelimiterSplit": return [.delimiter(try character(value, "delimiter", place))]
        case "Metaspace": return [try metaspace(value, place)]
        default: break
        }
        throw file.error("\(place): expected \(Self.steps), found \"\(kind)\"")
    }

    private func behavior(
        _ value: JSONValue, _ place: String, _ required: String?
    ) throws -> PreTokenizer.Behavior {
        if required == nil, present(value["behavior"]) == nil { return .isolated }
        guard let text = value["behavior"]?.string,
            let behavior = PreTokenizer.Behavior(rawValue: text)
        else {
            throw file.error(
                "\(place).behavior: expected Isolated, Removed, Contiguous, MergedWithPrevious or "
                    + "MergedWithNext, found \(value["behavior"]?.words ?? "nothing")")
        }
        return behavior
    }

    private func character(
        _ value: JSONValue, _ key: String, _ place: String
    ) throws -> UnicodeScalar {
        guard let text = value[key]?.string, text.unicodeScalars.count == 1,
            let scalar = text.unicodeScalars.first
        else {
            throw file.error(
                "\(place).\(key): expected one character, found \(value[key]?.words ?? "nothing")")
        }
        return scalar
    }

    private func metaspace(_ value: JSONValue, _ place: String) throws -> PreTokenizer {
        let mark = Array(String(try character(value, "replacement", place)).utf8)
        var scheme = PreTokenizer.Scheme.always
        if let text = present(value["prepend_scheme"]) {
            guard let known = text.string.flatMap(PreTokenizer.Scheme.init) else {
                throw file.error(
                    "\(place).prepend_scheme: expected always, first or never, found \(text.words)")
            }
            scheme = known
        } else if try flag(value, "add_prefix_space", place) == false {
            scheme = .never
        }
        return .metaspace(mark, scheme, split: try flag(value, "split", place) ?? true)
    }

    // MARK: - Post-processor

    /// What a post-processor puts around a text; `nil` if it is of a kind that is not known here.
    static func template(_ value: JSONValue?) -> TokenTemplate? {
        guard let value else { return TokenTemplate() }
        switch value["type"]?.string {
        case nil, "ByteLevel": return TokenTemplate()
        case "Sequence":
            var whole = TokenTemplate()
            for part in value["processors"]?.array ?? [] {
                guard let inner = template(part) else { return nil }
                whole.before = inner.before + whole.before
                whole.behind += inner.behind
            }
            return whole
        case "TemplateProcessing": return single(value)
        case "RobertaProcessing", "BertProcessing":
            func id(_ key: String) -> Int32? {
                value[key]?.array?.last?.integer.flatMap(Int32.init(exactly:))
            }
            guard let first = id("cls"), let last = id("sep") else { return nil }
            return TokenTemplate(before: [first], behind: [last])
        default: return nil
        }
    }

    private static func single(_ value: JSONValue) -> TokenTemplate? {
        var template = TokenTemplate()
        var texts = 0
        for piece in value["single"]?.array ?? [] {
            if piece["Sequence"] != nil {
                texts += 1
                continue
            }
            guard let name = piece["SpecialToken"]?["id"]?.string,
                let list = value["special_tokens"]?[name]?["ids"]?.array
            else { return nil }
            let ids = list.compactMap { $0.integer.flatMap(Int32.init(exactly:)) }
            guard ids.count == list.count else { return nil }
            if texts == 0 { template.before += ids } else { template.behind += ids }
        }
        return texts == 1 ? template : nil
    }
}
