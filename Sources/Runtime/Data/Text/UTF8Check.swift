/// Whether bytes are well-formed UTF-8.
package enum UTF8Check {
    /// The offset of the first byte that is not part of a well-formed sequence; `nil` if there is none.
    package static func firstInvalid(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var index = 0
        while index < bytes.count {
            while index + 8 <= bytes.count,
                bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080
                    == 0
            {
                index += 8
            }
            guard index < bytes.count else { return nil }
            let length = sequenceLength(bytes, index)
            guard length > 0 else { return index }
            index += length
        }
        return nil
    }

    /// The length of the well-formed sequence that starts at `index`; 0 if none does.
    @inline(__always)
    static func sequenceLength(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Int {
        let first = bytes[index]
        if first < 0x80 { return 1 }
        let left = bytes.count - index
        func continues(_ offset: Int) -> Bool { bytes[index + offset] & 0xc0 == 0x80 }
        if first < 0xc2 { return 0 }
        if first < 0xe0 { return left > 1 && continues(1) ? 2 : 0 }
        if first < 0xf0 {
            guard left > 2, continues(1), continues(2) else { return 0 }
            let second = bytes[index + 1]
            if first == 0xe0 && second < 0xa0 { return 0 }  // shorter forms exist
            if first == 0xed && second > 0x9f { return 0 }  // surrogates
            return 3
        }
        guard first < 0xf5, left > 3, continues(1), continues(2), continues(3) else { return 0 }
        let second = bytes[index + 1]
        if first == 0xf0 && second < 0x90 { return 0 }
        if first == 0xf4 && second > 0x8f { return 0 }
        return 4
    }

    /// The character at `index` and its bytes; of a byte that is not UTF-8, `nil` and 1.
    @inline(__always)
    static func character(
        _ bytes: UnsafeRawBufferPointer, _ index: Int
    ) -> (value: UInt32?, length: Int) {
        let first = UInt32(bytes[index])
        func tail(_ offset: Int) -> UInt32 { UInt32(bytes[index + offset] & 0x3f) }
        switch sequenceLength(bytes, index) {
        case 1: return (first, 1)
        case 2: return ((first & 0x1f) << 6 | tail(1), 2)
        case 3: return ((first & 0x0f) << 12 | tail(1) << 6 | tail(2), 3)
        case 4: return ((first & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4)
        default: return (nil, 1)
        }
    }
}
