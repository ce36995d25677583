/// Sentences written as rules: `{rule}` is one of a rule's alternatives, or a variable of the scribe of that name.
///
/// `{^rule}` begins with a capital letter; `{a:rule}` is preceded by "a" or "an".
struct Grammar: Sendable {
    private enum Part: Sendable {
        case literal(String)
        case reference(name: String, rule: Int?, capital: Bool, article: Bool)
    }

    private let alternatives: [[[Part]]]
    private let numbers: [String: Int]

    init(_ rules: [String: [String]]) {
        let names = rules.keys.sorted()
        let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        self.numbers = numbers
        alternatives = names.map { name in
            (rules[name] ?? []).map { Self.parse($0, numbers) }
        }
    }

    private static func parse(_ text: String, _ numbers: [String: Int]) -> [Part] {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            if open > rest.startIndex { parts.append(.literal(String(rest[..<open]))) }
            var name = rest[rest.index(after: open)..<close]
            let capital = name.hasPrefix("^")
            if capital { name = name.dropFirst() }
            let article = name.hasPrefix("a:")
            if article { name = name.dropFirst(2) }
            parts.append(
                .reference(
                    name: String(name), rule: numbers[String(name)], capital: capital,
                    article: article))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.literal(String(rest))) }
        return parts
    }

    /// Names used in alternatives that are not rules: the variables a scribe must have.
    var variables: Set<String> {
        var names: Set<String> = []
        for parts in alternatives.joined() {
            for case .reference(let name, nil, _, _) in parts { names.insert(name) }
        }
        return names
    }

    /// The text of a rule.
    func expand(_ rule: String, _ scribe: inout Scribe) -> String {
        guard let number = numbers[rule] else { return scribe.variables[rule] ?? "" }
        return expand(number, &scribe)
    }

    private func expand(_ rule: Int, _ scribe: inout Scribe) -> String {
        var result = ""
        for part in scribe.pick(alternatives[rule]) {
            switch part {
            case .literal(let text): result += text
            case .reference(let name, let rule, let capital, let article):
                var word: String
                if let variable = scribe.variables[name] {
                    word = variable
                } else if let rule {
                    word = expand(rule, &scribe)
                } else {
                    word = ""
                }
                if article { word = Self.article(word) + " " + word }
                if capital { word = word.prefix(1).uppercased() + word.dropFirst() }
                result += word
            }
        }
        return result
    }

    /// "a" or "an", by the first letter.
    static func article(_ word: String) -> String {
        guard let first = word.utf8.first else { return "a" }
        return "aeiouAEIOU".utf8.contains(first) ? "an" : "a"
    }
}
