import RuntimeSupport

/// The words of texts and runs of them, as 64-bit hashes.
///
/// A word is a run of letters and digits, the case of A–Z aside; what is not ASCII counts as letters, except for
/// punctuation and spaces of Unicode (U+00A0–U+00BF, U+2000–U+206F, U+3000–U+303F), and characters of Chinese and
/// Japanese (from U+3040) are words of their own. Two runs of words are equal if their hashes are, but for one pair in 2⁶⁴.
package enum WordShingles {
    private static let base: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// The hashes of the words of a text that is valid UTF-8.
    package static func words(_ text: [UInt8]) -> [UInt64] {
        var words: [UInt64] = []
        words.reserveCapacity(text.count / 5)
        let start: UInt64 = 0xcbf2_9ce4_8422_2325
        var hash = start
        var isOpen = false
        func close() {
            guard isOpen else { return }
            words.append(RandomStream.mix(hash))
            hash = start
            isOpen = false
        }
        func add(_ byte: UInt8) {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
            isOpen = true
        }
        text.withUnsafeBufferPointer { text in
            var index = 0
            while index < text.count {
                let byte = text[index]
                switch byte {
                case 0x61...0x7a, 0x30...0x39: add(byte)
                case 0x41...0x5a: add(byte | 0x20)
                case 0..<0x80: close()
                default:
                    let length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
                    let end = min(index + length, text.count)
                    let kind = kind(text, index, end)
                    if kind != .letter { close() }
                    if kind != .separator { for place in index..<end { add(text[place]) } }
                    if kind == .word { close() }
                    index = end
                    continue
                }
                index += 1
            }
            close()
        }
        return words
    }

    private enum Character {
        case letter, separator, word
    }

    private static func kind(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int
    ) -> Character {
        var scalar =
            UInt32(text[start]) & (end - start == 2 ? 0x1f : end - start == 3 ? 0x0f : 0x07)
        for place in start + 1..<end { scalar = scalar << 6 | UInt32(text[place] & 0x3f) }
        switch scalar {
        case 0xa0...0xbf, 0x2000...0x206f, 0x3000...0x303f: return .separator
        case 0x3040...0x9fff, 0xf900...0xfaff, 0x20000...0x3ffff: return .word
        default: return .letter
        }
    }

    /// The hashes of all runs of `count` words, in order; of fewer words none.
    package static func runs(_ words: [UInt64], of count: Int) -> [UInt64] {
        guard words.count >= count, count > 0 else { return [] }
        var runs: [UInt64] = []
        runs.reserveCapacity(words.count - count + 1)
        // What the word that leaves was multiplied by.
        var power: UInt64 = 1
        for _ in 1..<count { power = power &* base }
        var rolling: UInt64 = 0
        for (index, word) in words.enumerated() {
            if index >= count { rolling = rolling &- words[index - count] &* power }
            rolling = rolling &* base &+ word
            if index >= count - 1 { runs.append(RandomStream.mix(rolling)) }
        }
        return runs
    }

    /// The hashes of all runs of `count` words; of a text that is shorter the one run of all its words.
    package static func shingles(_ words: [UInt64], of count: Int) -> [UInt64] {
        words.count >= count ? runs(words, of: count) : runs(words, of: words.count)
    }

    /// The different ones of some hashes, in ascending order.
    package static func distinct(_ hashes: [UInt64]) -> [UInt64] {
        var distinct: [UInt64] = []
        distinct.reserveCapacity(hashes.count)
        for hash in hashes.sorted() where distinct.last != hash { distinct.append(hash) }
        return distinct
    }

    /// |A ∩ B| / |A ∪ B| of two lists of different hashes in ascending order; 0 if both are empty.
    package static func jaccard(
        _ first: some RandomAccessCollection<UInt64>, _ second: some RandomAccessCollection<UInt64>
    ) -> Double {
        var (left, right) = (first.startIndex, second.startIndex)
        var shared = 0
        while left != first.endIndex, right != second.endIndex {
            let (a, b) = (first[left], second[right])
            if a == b { shared += 1 }
            if a <= b { first.formIndex(after: &left) }
            if b <= a { second.formIndex(after: &right) }
        }
        let union = first.count + second.count - shared
        return union == 0 ? 0 : Double(shared) / Double(union)
    }
}
