import RuntimeData
import RuntimeSupport

/// Features of a text as 64-bit keys: ids of tokens, and hashes of sequences of words and characters.
///
/// Two of a million different sequences share a hash with a probability of about 3 · 10⁻⁸.
package enum Ngrams {
    /// Appends a key for each run of `length` Unicode scalars of valid UTF-8, white space and case as they stand.
    package static func characters(_ text: [UInt8], length: Int, into keys: inout [UInt64]) {
        var starts: [Int] = []
        starts.reserveCapacity(text.count + 1)
        for (index, byte) in text.enumerated() where byte & 0xc0 != 0x80 { starts.append(index) }
        starts.append(text.count)
        guard starts.count > length else { return }
        text.withUnsafeBytes { bytes in
            for first in 0..<(starts.count - length) {
                keys.append(
                    WordCache.hash(
                        UnsafeRawBufferPointer(
                            rebasing: bytes[starts[first]..<starts[first + length]])))
            }
        }
    }

    /// Appends a key for each run of `length` words: the pieces of GPT-2's pattern without the space before them, white
    /// space itself left out, ASCII letters in lower case.
    package static func words(_ text: [UInt8], length: Int, into keys: inout [UInt64]) {
        let lower = text.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        var words: [UInt64] = []
        lower.withUnsafeBytes { bytes in
            WordPattern.forEachWord(bytes) { start, end in
                let first = bytes[start] == 0x20 ? start + 1 : start
                let word = UnsafeRawBufferPointer(rebasing: bytes[first..<end])
                guard word.contains(where: { !isSpace($0) }) else { return }
                words.append(WordCache.hash(word))
            }
        }
        guard words.count >= length else { return }
        for first in 0...(words.count - length) {
            var key = words[first]
            for next in words[first + 1..<first + length] {
                key = RandomStream.mix(key &* 0x9e37_79b9_7f4a_7c15 ^ next)
            }
            keys.append(key)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0d).contains(byte)
    }
}

/// The different keys of one document in ascending order, with how often each occurs.
package struct KeyCounts {
    package private(set) var keys: [UInt64] = []
    package private(set) var counts: [Int32] = []

    /// Counts keys in any order.
    package init(_ unsorted: [UInt64]) {
        for key in unsorted.sorted() {
            if keys.last == key {
                counts[counts.count - 1] += 1
            } else {
                keys.append(key)
                counts.append(1)
            }
        }
    }
}
