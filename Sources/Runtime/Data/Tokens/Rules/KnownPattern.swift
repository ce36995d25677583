/// A pattern of published tokenizers that is matched by hand: of the family that GPT-4's encoder began.
///
/// All are of one build; these are the parts in which they differ. Tests compare each with `RegularExpression` running the
/// pattern.
package struct KnownPattern: Sendable {
    /// Whether words begin with capitals and go on in small letters, so that `aB` is two.
    let splitsCase: Bool
    /// Whether endings such as `'s` are looked for: words of their own, or with `splitsCase` parts of the word before.
    let hasEndings: Bool
    /// Whether marks count as letters.
    let marksAreLetters: Bool
    /// How many digits a word has at most.
    let digits: Int
    /// Whether a slash may stand among the line ends behind signs.
    let takesSlash: Bool

    /// The patterns by their names in the presets of training.
    package static let sources: [(name: String, source: String)] = [
        ("gpt2", WordPattern.source),
        (
            "gpt4",
            #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        ),
        (
            "qwen2",
            #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        ),
        (
            "qwen3.5",
            #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        ),
        (
            "o200k",
            #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        ),
        (
            "tekken",
            #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        ),
        (
            "deepseek",
            ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##
        ),
    ]

    /// The source of a pattern by its name.
    package static func source(_ name: String) -> String {
        sources.first { $0.name == name }?.source ?? WordPattern.source
    }

    /// Patterns whose words never cross the beginning of a space behind visible ASCII.
    static let allowCuts = Set(
        sources.map(\.source) + [
            #"\p{N}{1,3}"#, #"\p{N}"#, "[一-龥぀-ゟ゠-ヿ]+", "[0-9]", "[0-9][0-9][0-9]",
        ])

    private static let byHand: [String: KnownPattern] = {
        func pattern(
            case splitsCase: Bool = false, endings: Bool = true, marks: Bool = false,
            digits: Int = 1, slash: Bool = false
        ) -> KnownPattern {
            KnownPattern(
                splitsCase: splitsCase, hasEndings: endings, marksAreLetters: marks, digits: digits,
                takesSlash: slash)
        }
        return [
            source("gpt4"): pattern(digits: 3),
            source("qwen2"): pattern(),
            source("qwen3.5"): pattern(marks: true),
            source("o200k"): pattern(case: true, digits: 3, slash: true),
            source("tekken"): pattern(case: true, endings: false, slash: true),
        ]
    }()

    private init(
        splitsCase: Bool, hasEndings: Bool, marksAreLetters: Bool, digits: Int, takesSlash: Bool
    ) {
        self.splitsCase = splitsCase
        self.hasEndings = hasEndings
        self.marksAreLetters = marksAreLetters
        self.digits = digits
        self.takesSlash = takesSlash
    }

    /// The pattern of this source; `nil` if it is not one that is matched by hand.
    package init?(source: String) {
        guard let known = Self.byHand[source] else { return nil }
        self = known
    }

    /// That of a pre-tokenizer that has nothing but this pattern and bytes.
    init?(_ steps: [PreTokenizer]) {
        guard steps.count == 2, case .split(.expression(let expression), .isolated, _) = steps[0],
            case .bytes(false, false) = steps[1], let known = expression.known
        else { return nil }
        self = known
    }

    /// Calls `body` with the range of each word of `text`, in order; the ranges cover it.
    @inline(__always)
    package func forEachWord(
        _ text: UnsafeRawBufferPointer, _ body: (Int, Int) throws -> Void
    ) rethrows {
        try CharacterKind.ascii.withUnsafeBufferPointer { ascii in
            guard let ascii = ascii.baseAddress else { return }
            let scanner = WordScanner(self, text, ascii)
            var start = 0
            while start < text.count {
                let end = scanner.end(from: start)
                try body(start, end)
                start = end
            }
        }
    }
}

/// What the patterns ask of a character.
enum CharacterKind: UInt8 {
    case other, capital, small, letter, mark, number, space, line

    /// The kind of every character of Unicode 16, never freed.
    nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 0x110001)
        table.initialize(repeating: CharacterKind.other.rawValue, count: 0x110001)
        let sets: [(CharacterKind, [String])] = [
            (.capital, ["lu", "lt"]), (.small, ["ll"]), (.letter, ["lm", "lo"]), (.mark, ["m"]),
            (.number, ["n"]), (.space, ["space"]),
        ]
        for (kind, names) in sets {
            for set in names.compactMap(UnicodeProperties.named) {
                for value in UInt32(0)..<0x110000 where set.contains(value) {
                    table[Int(value)] = kind.rawValue
                }
            }
        }
        table[0x0a] = CharacterKind.line.rawValue
        table[0x0d] = CharacterKind.line.rawValue
        return UnsafePointer(table)
    }()

    /// The same for single bytes, with 255 for those of longer characters.
    static let ascii: [UInt8] = (0..<256).map { $0 < 0x80 ? table[$0] : 255 }
}

/// Finds the ends of words in one text.
struct WordScanner {
    private let pattern: KnownPattern
    private let text: UnsafeRawBufferPointer
    private let ascii: UnsafePointer<UInt8>
    private let letters: UInt16
    private let signs: UInt16

    private static func mask(_ kinds: CharacterKind...) -> UInt16 {
        kinds.reduce(0) { $0 | 1 << UInt16($1.rawValue) }
    }

    private static let capitals = mask(.capital, .letter, .mark)
    private static let smalls = mask(.small, .letter, .mark)
    private static let both = mask(.letter, .mark)
    private static let spaces = mask(.space, .line)
    private static let lines = mask(.line)
    private static let numbers = mask(.number)
    /// What may not stand before the letters of a word.
    private static let noPrefix = mask(.line, .capital, .small, .letter, .number)

    init(_ pattern: KnownPattern, _ text: UnsafeRawBufferPointer, _ ascii: UnsafePointer<UInt8>) {
        self.pattern = pattern
        self.text = text
        self.ascii = ascii
        let plain = Self.mask(.capital, .small, .letter)
        letters = pattern.marksAreLetters ? plain | Self.mask(.mark) : plain
        signs = ~(letters | Self.spaces | Self.numbers)
    }

    @inline(__always)
    private func character(_ index: Int) -> (kind: UInt16, length: Int) {
        let kind = ascii[Int(text[index])]
        return kind < 128 ? (1 << UInt16(kind), 1) : wide(index)
    }

    @inline(never)
    private func wide(_ index: Int) -> (kind: UInt16, length: Int) {
        let (value, length) = UTF8Check.character(text, index)
        return (1 << UInt16(CharacterKind.table[Int(value ?? CodePointSet.malformed)]), length)
    }

    /// Where the characters from `start` end that are of some kinds.
    @inline(__always)
    private func run(_ kinds: UInt16, from start: Int) -> Int {
        var index = start
        while index < text.count {
            let (kind, length) = character(index)
            if kind & kinds == 0 { break }
            index += length
        }
        return index
    }

    /// The end of the word that starts at `start`, which must be less than the number of bytes.
    @inline(__always)
    func end(from start: Int) -> Int {
        let byte = text[start]
        if !pattern.splitsCase, pattern.hasEndings, byte == 0x27, let end = ending(start) {
            return end
        }
        let (kind, length) = character(start)
        let behind = start + length
        if pattern.splitsCase {
            let end = cased(start, behind, kind)
            if end > 0 { return end }
        } else {
            if kind & letters != 0 { return run(letters, from: behind) }
            if kind & Self.noPrefix == 0, behind < text.count {
                let next = character(behind)
                if next.kind & letters != 0 { return run(letters, from: behind + next.length) }
            }
        }
        if kind & Self.numbers != 0 { return number(behind) }
        if kind & signs != 0 { return tail(run(signs, from: behind)) }
        if byte == 0x20, behind < text.count {
            let next = character(behind)
            if next.kind & signs != 0 { return tail(run(signs, from: behind + next.length)) }
        }
        return white(start)
    }

    private func number(_ start: Int) -> Int {
        var index = start
        var count = 1
        while count < pattern.digits, index < text.count {
            let (kind, length) = character(index)
            if kind & Self.numbers == 0 { break }
            index += length
            count += 1
        }
        return index
    }

    /// Line ends behind signs.
    @inline(__always)
    private func tail(_ start: Int) -> Int {
        var index = start
        while index < text.count {
            let byte = text[index]
            guard byte == 0x0a || byte == 0x0d || (byte == 0x2f && pattern.takesSlash) else {
                break
            }
            index += 1
        }
        return index
    }

    /// White space: to the last line end, otherwise all of it at the end of the text, otherwise all but the last
    /// character.
    private func white(_ start: Int) -> Int {
        var index = start
        var last = start
        var line = -1
        while index < text.count {
            let (kind, length) = character(index)
            if kind & Self.spaces == 0 { break }
            last = index
            index += length
            if kind & Self.lines != 0 { line = index }
        }
        if line >= 0 { return line }
        return index == text.count || last == start ? index : last
    }

    /// The end of `'s` and the like at `start`, in capitals too.
    private func ending(_ start: Int) -> Int? {
        guard start + 1 < text.count else { return nil }
        func letter(_ offset: Int) -> UInt8 {
            start + offset < text.count ? text[start + offset] | 0x20 : 0
        }
        switch letter(1) {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
            return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            return letter(2) == UInt8(ascii: "e") ? start + 3 : nil
        case UInt8(ascii: "l"): return letter(2) == UInt8(ascii: "l") ? start + 3 : nil
        default:
            // The long s differs from s in case alone.
            let isLongS =
                start + 2 < text.count && text[start + 1] == 0xc5 && text[start + 2] == 0xbf
            return isLongS ? start + 3 : nil
        }
    }

    /// The end of a word of capitals, then small letters; -1 if none starts here.
    @inline(__always)
    private func cased(_ start: Int, _ behind: Int, _ kind: UInt16) -> Int {
        // A mark may be the character before the letters, or the first of them.
        let hasPrefix = kind & Self.noPrefix == 0
        let isLetter = kind & (Self.capitals | Self.smalls) != 0
        guard hasPrefix || isLetter else { return -1 }
        if hasPrefix {
            let end = endingInSmalls(behind)
            if end > 0 { return withEnding(end) }
        }
        if isLetter {
            let end = endingInSmalls(start)
            if end > 0 { return withEnding(end) }
        }
        if hasPrefix, behind < text.count {
            let next = character(behind)
            if next.kind & Self.capitals != 0 {
                return withEnding(run(Self.smalls, from: run(Self.capitals, from: behind)))
            }
        }
        if kind & Self.capitals != 0 {
            return withEnding(run(Self.smalls, from: run(Self.capitals, from: start)))
        }
        return -1
    }

    @inline(__always)
    private func withEnding(_ end: Int) -> Int {
        guard pattern.hasEndings, end < text.count, text[end] == 0x27 else { return end }
        return ending(end) ?? end
    }

    /// The end of any capitals and at least one small letter, or -1; letters without case and marks are both.
    @inline(__always)
    private func endingInSmalls(_ start: Int) -> Int {
        var index = start
        var last = -1
        while index < text.count {
            let (kind, length) = character(index)
            if kind & Self.capitals == 0 {
                if kind & Self.smalls != 0 { return run(Self.smalls, from: index + length) }
                break
            }
            index += length
            if kind & Self.both != 0 { last = index }
        }
        return last
    }
}
