/// What the GPT-2 pattern asks of a character: letter `\p{L}`, number `\p{N}`, white space `\s`, or neither.
enum CharacterClass: UInt8 {
    case other = 0
    case letter = 1
    case number = 2
    case space = 3
}

/// The class of every character, taken once from PCRE2's Unicode tables.
enum CharacterClasses {
    /// One byte for each of the 0x110000 code points; made on first use in some tens of milliseconds, never freed.
    nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 0x110000)
        table.initialize(repeating: CharacterClass.other.rawValue, count: 0x110000)
        var text: [UInt8] = []
        var starts: [Int32] = []
        for value in UInt32(0)..<0x110000 {
            guard let scalar = UnicodeScalar(value) else { continue }
            for byte in UTF8.encode(scalar) ?? .init() {
                text.append(byte)
                starts.append(Int32(value))
            }
        }
        let classes: [(String, CharacterClass)] = [
            (#"\p{L}+"#, .letter), (#"\p{N}+"#, .number), (#"\s+"#, .space),
        ]
        for (pattern, kind) in classes {
            do {
                try PCREPattern(pattern).forEachMatchInAll(text) { range in
                    for index in range { table[Int(starts[index])] = kind.rawValue }
                }
            } catch {
                // The patterns and the text are ours and valid.
                fatalError("PCRE2 refuses \(pattern): \(error)")
            }
        }
        // PCRE2 counts the Mongolian vowel separator as a space; Unicode has not since 6.3, nor do other tokenizers.
        table[0x180e] = CharacterClass.other.rawValue
        return UnsafePointer(table)
    }()

    /// The same for single bytes, with 4 for those that begin or continue a longer character.
    static let ascii: [UInt8] = (0..<256).map { value in
        switch value {
        case 0x41...0x5a, 0x61...0x7a: CharacterClass.letter.rawValue
        case 0x30...0x39: CharacterClass.number.rawValue
        case 0x09...0x0d, 0x20: CharacterClass.space.rawValue
        case 0x80...: 4
        default: CharacterClass.other.rawValue
        }
    }
}

extension PCREPattern {
    fileprivate func forEachMatchInAll(_ text: [UInt8], _ body: (Range<Int>) -> Void) throws {
        try text.withUnsafeBytes { try forEachMatch($0, body) }
    }
}
