/// What the GPT-2 pattern asks of a character: letter `\p{L}`, number `\p{N}`, white space `\s`, or neither.
enum CharacterClass: UInt8 {
    case other = 0
    case letter = 1
    case number = 2
    case space = 3
}

/// The class of every character by Unicode 16, which the tokenizers library follows here.
///
/// It is taken from Swift's standard library; characters that came later than Unicode 16 count as `other`.
package enum CharacterClasses {
    private static let version = 16

    /// One byte for each of the 0x110000 code points; made on first use in some tens of milliseconds, never freed.
    package nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 0x110000)
        table.initialize(repeating: CharacterClass.other.rawValue, count: 0x110000)
        for value in UInt32(0)..<0x110000 {
            // Private characters, the largest part, are no letters.
            guard value < 0xf0000, let scalar = UnicodeScalar(value) else { continue }
            let kind = kind(scalar)
            if kind != .other, isKnown(scalar) { table[Int(value)] = kind.rawValue }
        }
        return UnsafePointer(table)
    }()

    static func isKnown(_ scalar: UnicodeScalar) -> Bool {
        scalar.properties.age.map { $0.major <= version } ?? false
    }

    private static func kind(_ scalar: UnicodeScalar) -> CharacterClass {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            .letter
        case .decimalNumber, .letterNumber, .otherNumber: .number
        default: scalar.properties.isWhitespace ? .space : .other
        }
    }

    /// Whether a character is `\w` of a regular expression with Unicode (UTS #18, annex C).
    package static func isWord(_ scalar: UnicodeScalar) -> Bool {
        let properties = scalar.properties
        guard isKnown(scalar) else { return false }
        if properties.isAlphabetic || properties.isJoinControl { return true }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .spacingMark, .decimalNumber, .connectorPunctuation:
            return true
        default: return false
        }
    }

    /// The same for single bytes, with 4 for those that begin or continue a longer character.
    package static let ascii: [UInt8] = (0..<256).map { value in
        switch value {
        case 0x41...0x5a, 0x61...0x7a: CharacterClass.letter.rawValue
        case 0x30...0x39: CharacterClass.number.rawValue
        case 0x09...0x0d, 0x20: CharacterClass.space.rawValue
        case 0x80...: 4
        default: CharacterClass.other.rawValue
        }
    }
}
