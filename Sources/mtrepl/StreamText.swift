/// Bytes that come in pieces, as text: a character that is not whole yet waits for its rest.
struct StreamText {
    private var partial: [UInt8] = []

    /// The text of all characters that are whole with these bytes; what is not UTF-8 becomes U+FFFD.
    mutating func text(_ bytes: UnsafeRawBufferPointer) -> String {
        partial.append(contentsOf: bytes)
        let cut = Self.unfinished(partial)
        let text = String(decoding: partial.dropLast(cut), as: UTF8.self)
        partial = Array(partial.suffix(cut))
        return text
    }

    /// The bytes that never became a character.
    mutating func rest() -> String {
        defer { partial = [] }
        return String(decoding: partial, as: UTF8.self)
    }

    /// How many bytes at the end are the beginning of a character.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for back in 1..<4 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xc0 == 0x80 { continue }
            let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
            return length > back ? back : 0
        }
        return 0
    }
}
