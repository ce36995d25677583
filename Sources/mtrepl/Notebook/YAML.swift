/// The part of YAML that headers of notebooks are written in: nested mappings and lists, plain and quoted scalars, and JSON.
struct YAML {
    private struct Line {
        let number: Int
        let indent: Int
        var text: String
    }

    private var lines: ArraySlice<Line>
    private let file: String
    private var depth = 0

    /// Takes the lines of a file from one on.
    init(_ lines: [String], file: String, number: Int) {
        self.file = file
        self.lines =
            lines.enumerated().map { index, text in
                let indent = text.utf8.prefix { $0 == 0x20 }.count
                return Line(
                    number: number + index, indent: indent,
                    text: String(decoding: text.utf8.dropFirst(indent), as: UTF8.self))
            }[...]
    }

    private func error(_ line: Line, _ reason: String) -> NotebookError {
        NotebookError("\(file):\(line.number)", "the header: \(reason)")
    }

    // MARK: - Reading

    /// Reads all of it.
    ///
    /// - Throws: `NotebookError` naming file and line.
    mutating func value() throws -> JSON {
        skipEmpty()
        guard let first = lines.first else { return [:] }
        let value = try block(first.indent)
        skipEmpty()
        if let line = lines.first { throw error(line, "its indentation does not fit") }
        return value
    }

    private mutating func skipEmpty() {
        while let line = lines.first, line.text.isEmpty || line.text.utf8.first == 0x23 {
            lines.removeFirst()
        }
    }

    private static func isItem(_ text: String) -> Bool { text == "-" || text.hasPrefix("- ") }

    private mutating func block(_ indent: Int) throws -> JSON {
        guard let first = lines.first else { return .null }
        depth += 1
        defer { depth -= 1 }
        guard depth < 100 else { throw error(first, "it is nested deeper than 100 levels") }
        return Self.isItem(first.text) ? try list(indent) : try mapping(indent)
    }

    private mutating func list(_ indent: Int) throws -> JSON {
        var items: [JSON] = []
        while true {
            skipEmpty()
            guard let line = lines.first, line.indent == indent, Self.isItem(line.text) else {
                return .array(items)
            }
            let rest = String(line.text.dropFirst(2))
            let spaces = rest.utf8.prefix { $0 == 0x20 }.count
            let text = String(rest.dropFirst(spaces))
            if Self.split(text) != nil || Self.isItem(text) {
                // A block that begins behind the dash.
                let inner = indent + 2 + spaces
                lines[lines.startIndex] = Line(number: line.number, indent: inner, text: text)
                items.append(try block(inner))
            } else {
                lines.removeFirst()
                items.append(try scalar(text, line, indent))
            }
        }
    }

    private mutating func mapping(_ indent: Int) throws -> JSON {
        var fields: JSON = [:]
        while true {
            skipEmpty()
            guard let line = lines.first, line.indent == indent, !Self.isItem(line.text) else {
                return fields
            }
            guard let (name, rest) = Self.split(line.text) else {
                throw error(line, "'key: value' expected, got '\(line.text)'")
            }
            guard fields[name] == nil else { throw error(line, "the key '\(name)' appears twice") }
            lines.removeFirst()
            fields[name] = try scalar(rest, line, indent)
        }
    }

    /// The key of a line and what follows it; `nil` if the line is not one of a mapping.
    private static func split(_ text: String) -> (key: String, rest: String)? {
        if let quote = text.first, quote == "\"" || quote == "'" {
            guard let (key, rest) = quoted(text), rest.hasPrefix(":") else { return nil }
            return (key, String(rest.dropFirst()).trimmed)
        }
        guard let match = text.firstMatch(of: /:( |$)/), text.first != "{", text.first != "["
        else { return nil }
        return (
            String(text[..<match.range.lowerBound]).trimmed,
            String(text[match.range.upperBound...]).trimmed
        )
    }

    /// A value behind a key or a dash: what stands there and in deeper lines.
    private mutating func scalar(_ text: String, _ line: Line, _ indent: Int) throws -> JSON {
        if text.isEmpty || text.first == "#" {
            skipEmpty()
            guard let next = lines.first,
                next.indent > indent || (next.indent == indent && Self.isItem(next.text))
            else { return .null }
            // A list may stand as far to the left as its key, but not as another list's dash.
            if next.indent == indent, Self.isItem(line.text) { return .null }
            return try block(next.indent)
        }
        if ["|", ">", "&", "*", "!", "%", "@", "`"].contains(text.first) {
            throw error(line, "'\(text)': only plain and quoted values and JSON are read")
        }
        let isQuoted = text.first == "\"" || text.first == "'"
        var text = text
        while true {
            if isQuoted, let (value, rest) = Self.quoted(text) {
                guard rest.trimmed.isEmpty || rest.hasPrefix(" #") else {
                    throw error(line, "nothing more expected behind \(text)")
                }
                return .string(value)
            }
            guard let next = lines.first, next.text.isEmpty || next.indent > indent else { break }
            lines.removeFirst()
            // A line end is a space, an empty line a line end; a backslash in quotes joins.
            if text.hasSuffix("\\"), text.first == "\"" {
                text = String(text.dropLast()) + next.text
            } else if next.text.isEmpty {
                text += "\n"
            } else {
                text += (text.hasSuffix("\n") ? "" : " ") + next.text
            }
        }
        if isQuoted { throw error(line, "the quoted text does not end") }
        if text.first == "{" || text.first == "[" {
            var rest = text[...]
            guard let value = Self.flow(&rest), rest.trimmed.isEmpty || rest.hasPrefix(" #") else {
                throw error(line, "'\(text)': a list or an object in brackets expected")
            }
            return value
        }
        let end = text.firstRange(of: " #")?.lowerBound ?? text.endIndex
        return Self.plain(String(text[..<end]))
    }

    /// A value at the beginning of a list or an object in brackets, or such a list or object; texts may be without quotes.
    private static func flow(_ rest: inout Substring, depth: Int = 0) -> JSON? {
        rest = rest.drop { $0.isWhitespace }
        switch rest.first {
        case "[", "{":
            guard depth < 64 else { return nil }
            let (isList, end): (Bool, Character) = rest.first == "[" ? (true, "]") : (false, "}")
            rest.removeFirst()
            var (items, fields): ([JSON], [(String, JSON)]) = ([], [])
            while true {
                rest = rest.drop { $0.isWhitespace }
                if rest.first == end { break }
                guard let value = flow(&rest, depth: depth + 1) else { return nil }
                rest = rest.drop { $0.isWhitespace }
                if isList {
                    items.append(value)
                } else {
                    guard rest.popFirst() == ":", let field = flow(&rest, depth: depth + 1) else {
                        return nil
                    }
                    var key = value.text
                    if case .string(let text) = value { key = text }
                    fields.append((key, field))
                    rest = rest.drop { $0.isWhitespace }
                }
                if rest.first == "," { rest.removeFirst() } else if rest.first != end { return nil }
            }
            rest.removeFirst()
            return isList ? .array(items) : .object(fields)
        case "\"", "'":
            guard let (value, after) = quoted(String(rest)) else { return nil }
            rest = after[...]
            return .string(value)
        default:
            let text = rest.prefix { !",:[]{}".contains($0) }
            guard !text.trimmed.isEmpty else { return nil }
            rest = rest.dropFirst(text.count)
            return plain(String(text))
        }
    }

    private static func plain(_ text: String) -> JSON {
        let text = text.trimmed
        switch text {
        case "null", "Null", "NULL", "~": return .null
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return true
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": return false
        default: break
        }
        if let number = try? JSON(reading: Array(text.utf8)) {
            switch number {
            case .integer, .number: return number
            default: break
            }
        }
        return .string(text)
    }

    /// The text in quotes at the beginning and what follows it; `nil` if it does not end.
    private static func quoted(_ text: String) -> (String, String)? {
        let bytes = Array(text.utf8)
        let quote = bytes[0]
        var result: [UInt8] = []
        var place = 1
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            if byte == quote {
                if quote == UInt8(ascii: "'"), place < bytes.count, bytes[place] == quote {
                    result.append(quote)
                    place += 1
                    continue
                }
                return (
                    String(decoding: result, as: UTF8.self),
                    String(decoding: bytes[place...], as: UTF8.self)
                )
            }
            guard quote == UInt8(ascii: "\""), byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard place < bytes.count else { return nil }
            let letter = bytes[place]
            place += 1
            let short: [UInt8: UInt8] = [
                UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13,
                UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "0"): 0,
                UInt8(ascii: "a"): 7, UInt8(ascii: "v"): 11, UInt8(ascii: "e"): 27,
            ]
            let digits = [
                UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8,
            ][letter]
            if let digits {
                let code = String(decoding: bytes[place...].prefix(digits), as: UTF8.self)
                guard code.utf8.count == digits, let value = UInt32(code, radix: 16),
                    let scalar = UnicodeScalar(value)
                else { return nil }
                result += String(scalar).utf8
                place += digits
            } else {
                result.append(short[letter] ?? letter)
            }
        }
        return nil
    }

    // MARK: - Writing

    /// A mapping as lines.
    static func lines(_ value: JSON) -> [String] {
        (value.fields ?? []).flatMap { name, value -> [String] in
            let key = word(name)
            guard let fields = value.fields, !fields.isEmpty else {
                return ["\(key): \(inline(value))"]
            }
            return ["\(key):"] + lines(value).map { "  " + $0 }
        }
    }

    private static func inline(_ value: JSON) -> String {
        if case .string(let text) = value { return word(text) }
        return escaped(value.text)
    }

    /// A text as it is where it cannot be anything else, in quotes elsewhere.
    private static func word(_ text: String) -> String {
        let isPlain =
            text.wholeMatch(
                of: /[A-Za-z_.][A-Za-z0-9_.\/+-]*( [A-Za-z0-9_.(][A-Za-z0-9_.()\/+-]*)*/)
            != nil
        if isPlain, plain(text) == .string(text) { return text }
        return escaped(JSON.string(text).text)
    }

    /// JSON without the characters that YAML does not take as they are.
    private static func escaped(_ json: String) -> String {
        var result = ""
        for scalar in json.unicodeScalars {
            switch scalar.value {
            case 0x7f...0x9f, 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
