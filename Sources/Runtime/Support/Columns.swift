extension StringProtocol {
    /// How many columns of a terminal the text takes: two for wide characters, none for marks that join others, and for
    /// what a terminal would act on those of its visible form.
    public var columns: Int {
        if utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return utf8.count }
        return reduce(0) { $0 + $1.columns }
    }

    /// The text in at most so many columns; what is cut ends in `…`.
    public func cut(toColumns room: Int) -> String {
        guard columns > room else { return String(self) }
        var (text, used) = ("", 1)
        for character in self {
            used += character.columns
            if used > room { break }
            text.append(character)
        }
        return room > 0 ? text + "…" : ""
    }

    /// The text with spaces after it, or before it, so that it takes at least so many columns.
    public func padded(toColumns room: Int, right: Bool = false) -> String {
        let space = String(repeating: " ", count: Swift.max(0, room - columns))
        return right ? space + self : self + space
    }
}

extension Character {
    /// How many columns of a terminal the character takes.
    public var columns: Int {
        if let ascii = asciiValue, ascii >= 0x20, ascii < 0x7f { return 1 }
        let forms = unicodeScalars.reduce(0) { $0 + ($1.visibleForm?.count ?? 0) }
        return forms + unicodeScalars.reduce(0) { Swift.max($0, $1.columns) }
    }
}

extension Unicode.Scalar {
    fileprivate var columns: Int {
        if Self.isWide(value) || properties.isEmojiPresentation { return 2 }
        // What follows a picture and asks for its coloured form makes it wide.
        if value == 0xfe0f { return 2 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: return 1
        }
    }

    /// East Asian wide and full-width characters (Unicode Standard Annex 11, in blocks).
    private static func isWide(_ value: UInt32) -> Bool {
        guard value >= 0x1100 else { return false }
        switch value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0x9fff,
            0xa000...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff01...0xff60, 0xffe0...0xffe6, 0x16fe0...0x18aff, 0x1b000...0x1b2ff,
            0x20000...0x3fffd:
            return true
        default: return false
        }
    }
}
