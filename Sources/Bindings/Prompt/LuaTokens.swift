/// The tokens of a piece of Lua, finished or not: what completion and the prompt need to know of it.
package struct LuaTokens {
    package enum Kind { case name, keyword, number, string, symbol, openString, openComment }

    package struct Token {
        package let kind: Kind
        /// A name, keyword or symbol as written; the bytes between the quotes of a string.
        package let text: String
        package let start: Int
        package let end: Int
    }

    package private(set) var tokens: [Token] = []
    private let bytes: [UInt8]
    private var place = 0

    package static let keywords: Set<String> = [
        "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if",
        "in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
    ]

    package init(_ text: String) {
        bytes = Array(text.utf8)
        while place < bytes.count { next() }
    }

    private func at(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

    private func text(_ start: Int, _ end: Int) -> String {
        String(decoding: bytes[start..<max(start, end)], as: UTF8.self)
    }

    private mutating func add(_ kind: Kind, _ text: String, _ start: Int) {
        tokens.append(Token(kind: kind, text: text, start: start, end: place))
    }

    private static func isName(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || isDigit(byte) || (byte | 32 >= 97 && byte | 32 <= 122)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

    private mutating func next() {
        let start = place
        let byte = bytes[place]
        if byte <= 32 {
            place += 1
        } else if byte == UInt8(ascii: "-"), at(place + 1) == byte {
            comment(start)
        } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
            quoted(byte)
        } else if byte == UInt8(ascii: "["), let level = longBracket(place) {
            long(level, start, .string, .openString)
        } else if Self.isDigit(byte) || (byte == UInt8(ascii: ".") && Self.isDigit(at(place + 1))) {
            number(start)
        } else if Self.isName(byte) {
            while place < bytes.count, Self.isName(bytes[place]) { place += 1 }
            let word = text(start, place)
            add(Self.keywords.contains(word) ? .keyword : .name, word, start)
        } else {
            symbol(start)
        }
    }

    private mutating func symbol(_ start: Int) {
        for symbol in ["...", "..", "::", "==", "~=", "<=", ">=", "//", "<<", ">>"]
        where bytes[place...].starts(with: symbol.utf8) {
            place += symbol.utf8.count
            return add(.symbol, symbol, start)
        }
        place += 1
        while at(place) & 0xc0 == 0x80 { place += 1 }
        add(.symbol, text(start, place), start)
    }

    private mutating func number(_ start: Int) {
        while place < bytes.count {
            let sign = bytes[place] == UInt8(ascii: "+") || bytes[place] == UInt8(ascii: "-")
            let exponent =
                place > start
                && [UInt8(ascii: "e"), UInt8(ascii: "p")].contains(bytes[place - 1] | 32)
            guard
                Self.isName(bytes[place]) || bytes[place] == UInt8(ascii: ".")
                    || (sign && exponent)
            else { break }
            place += 1
            if place < bytes.count, bytes[place] == UInt8(ascii: "."),
                at(place + 1) == UInt8(ascii: ".")
            {
                break
            }
        }
        add(.number, text(start, place), start)
    }

    private mutating func quoted(_ quote: UInt8) {
        let start = place
        place += 1
        while place < bytes.count, bytes[place] != quote, bytes[place] != 10 {
            place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        place = min(place, bytes.count)
        let content = text(start + 1, place)
        guard at(place) == quote, place < bytes.count else {
            return add(.openString, content, start)
        }
        place += 1
        add(.string, content, start)
    }

    private mutating func comment(_ start: Int) {
        if let level = longBracket(place + 2) {
            place += 2
            let count = tokens.count
            long(level, start, .string, .openComment)
            if tokens[count].kind == .string { tokens.removeLast() }
            return
        }
        while place < bytes.count, bytes[place] != 10 { place += 1 }
        if place == bytes.count { add(.openComment, "", start) }
    }

    /// The number of `=` in a long bracket that begins here.
    private func longBracket(_ index: Int) -> Int? {
        guard at(index) == UInt8(ascii: "[") else { return nil }
        var level = 0
        while at(index + 1 + level) == UInt8(ascii: "=") { level += 1 }
        return at(index + 1 + level) == UInt8(ascii: "[") ? level : nil
    }

    private mutating func long(_ level: Int, _ start: Int, _ closed: Kind, _ open: Kind) {
        place += level + 2
        let content = place
        let end = Array(("]" + String(repeating: "=", count: level) + "]").utf8)
        while place < bytes.count, !bytes[place...].starts(with: end) { place += 1 }
        let text = text(content, place)
        guard place < bytes.count else { return add(open, text, start) }
        place += end.count
        add(closed, text, start)
    }
}
