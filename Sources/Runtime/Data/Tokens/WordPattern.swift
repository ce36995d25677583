/// Cuts text into the words that byte-level BPE works on, by the pattern of GPT-2.
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// A hand-written matcher; tests compare it with PCRE2 running the pattern. A byte that is not part of well-formed
/// UTF-8 counts as a character that is neither letter, number nor space, so that any bytes can be cut and put together.
package struct WordPattern {
    /// The pattern, as written in GPT-2's encoder.
    package static let source =
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    private let text: UnsafeRawBufferPointer
    private let ascii: UnsafePointer<UInt8>

    /// `ascii` is the address of `CharacterClasses.ascii`.
    package init(_ text: UnsafeRawBufferPointer, ascii: UnsafePointer<UInt8>) {
        self.text = text
        self.ascii = ascii
    }

    /// The end of the word that starts at `start`, which must be less than the number of bytes.
    @inline(__always)
    package func end(from start: Int) -> Int {
        let byte = text[start]
        if byte == 0x20 {
            guard start + 1 < text.count else { return start + 1 }
            let (kind, length) = character(at: start + 1)
            guard kind != CharacterClass.space.rawValue else { return spaces(from: start) }
            return run(kind, from: start + 1 + length)
        }
        if byte == 0x27, let end = contraction(from: start) { return end }
        let (kind, length) = character(at: start)
        if kind == CharacterClass.space.rawValue { return spaces(from: start) }
        return run(kind, from: start + length)
    }

    @inline(__always)
    private func character(at index: Int) -> (kind: UInt8, length: Int) {
        let kind = ascii[Int(text[index])]
        return kind < 4 ? (kind, 1) : wide(at: index)
    }

    /// Class and length of a character of several bytes, or of one malformed byte.
    @inline(never)
    private func wide(at index: Int) -> (kind: UInt8, length: Int) {
        let (value, length) = UTF8Check.character(text, index)
        guard let value else { return (CharacterClass.other.rawValue, 1) }
        return (CharacterClasses.table[Int(value)], length)
    }

    /// The end of the run of characters of one class.
    @inline(__always)
    private func run(_ kind: UInt8, from start: Int) -> Int {
        var index = start
        while index < text.count {
            let next = ascii[Int(text[index])]
            if next == kind {
                index += 1
            } else if next == 4 {
                let (wideKind, length) = wide(at: index)
                guard wideKind == kind else { return index }
                index += length
            } else {
                return index
            }
        }
        return index
    }

    /// White space: all of it at the end of the text, else all but the last character, which goes with the next word
    /// or stands alone.
    private func spaces(from start: Int) -> Int {
        var index = start
        var last = start
        while index < text.count {
            let (kind, length) = character(at: index)
            guard kind == CharacterClass.space.rawValue else { return last > start ? last : index }
            last = index
            index += length
        }
        return index
    }

    @inline(__always)
    private func contraction(from start: Int) -> Int? {
        guard start + 1 < text.count else { return nil }
        switch text[start + 1] {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
            return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            return start + 2 < text.count && text[start + 2] == UInt8(ascii: "e") ? start + 3 : nil
        case UInt8(ascii: "l"):
            return start + 2 < text.count && text[start + 2] == UInt8(ascii: "l") ? start + 3 : nil
        default: return nil
        }
    }
}

extension WordPattern {
    /// Calls `body` with the range of each word of `text`, in order; the ranges cover it.
    @inline(__always)
    package static func forEachWord(
        _ text: UnsafeRawBufferPointer, _ body: (Int, Int) throws -> Void
    ) rethrows {
        try CharacterClasses.ascii.withUnsafeBufferPointer { classes in
            guard let ascii = classes.baseAddress else { return }
            let pattern = WordPattern(text, ascii: ascii)
            var start = 0
            while start < text.count {
                let end = pattern.end(from: start)
                try body(start, end)
                start = end
            }
        }
    }

    /// Cuts `text` into pieces of about `size` bytes whose words are the words of the whole.
    ///
    /// A cut is made only where an ASCII space follows an ASCII character that is not white space: no word crosses it.
    package static func pieces(_ text: UnsafeRawBufferPointer, size: Int) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = 0
        while text.count - start > size {
            var cut = start + size
            while cut < text.count,
                text[cut] != 0x20 || text[cut - 1] <= 0x20 || text[cut - 1] >= 0x7f
            {
                cut += 1
            }
            pieces.append(start..<cut)
            start = cut
        }
        if start < text.count { pieces.append(start..<text.count) }
        return pieces
    }
}
