/// A set of characters: a bit for each code point, and one for bytes that are not UTF-8.
package struct CodePointSet: Sendable, Equatable {
    /// What stands for a byte that is not UTF-8: it has no property, and is in every set that excludes some.
    package static let malformed: UInt32 = 0x110000
    /// The number of words of 64 bits.
    package static let wordCount = 0x110000 / 64 + 1

    package private(set) var words: [UInt64]

    /// The empty set.
    package init() { words = [UInt64](repeating: 0, count: Self.wordCount) }

    package init(_ range: ClosedRange<UInt32>) {
        self.init()
        insert(range)
    }

    package init(_ values: some Sequence<UInt32>) {
        self.init()
        for value in values { insert(value) }
    }

    package func contains(_ value: UInt32) -> Bool {
        words[Int(value >> 6)] >> UInt64(value & 63) & 1 != 0
    }

    package mutating func insert(_ value: UInt32) {
        words[Int(value >> 6)] |= 1 << UInt64(value & 63)
    }

    package mutating func insert(_ range: ClosedRange<UInt32>) {
        for value in range { insert(value) }
    }

    package mutating func formUnion(_ other: CodePointSet) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    package mutating func formIntersection(_ other: CodePointSet) {
        for index in words.indices { words[index] &= other.words[index] }
    }

    /// All that is not in the set.
    package var complement: CodePointSet {
        var result = self
        for index in words.indices.dropLast() { result.words[index] = ~words[index] }
        result.words[words.count - 1] = ~words[words.count - 1] & 1
        return result
    }

    /// Whether it holds characters of ASCII alone.
    package var isASCII: Bool { words.dropFirst(2).allSatisfy { $0 == 0 } }

    /// The bytes with which the UTF-8 of its members begins, one flag a byte.
    package var firstBytes: [Bool] {
        var bytes = [Bool](repeating: false, count: 256)
        for value in UInt32(0)..<0x80 where contains(value) { bytes[Int(value)] = true }
        for (index, word) in words.enumerated().dropFirst(2).dropLast() where word != 0 {
            // The 64 code points of a word share the first byte.
            let value = UInt32(index) << 6
            let first: UInt32
            switch value {
            case ..<0x800: first = 0xc0 | value >> 6
            case ..<0x10000: first = 0xe0 | value >> 12
            default: first = 0xf0 | value >> 18
            }
            bytes[Int(first)] = true
        }
        if contains(Self.malformed) {
            for index in 0x80..<0x100 { bytes[index] = true }
        }
        return bytes
    }
}
