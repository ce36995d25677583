/// The 256 printable characters that stand for the bytes in files of byte-level tokenizers.
///
/// Bytes that are visible characters of Latin-1 stand for themselves; the others, in order, are the characters from
/// U+0100 on. This is the table of GPT-2's encoder.
package enum ByteAlphabet {
    /// The character of each byte.
    package static let characters: [UnicodeScalar] = {
        var next: UInt32 = 0x100
        return (0..<256).map { (byte: UInt32) in
            let visible =
                (0x21...0x7e).contains(byte) || (0xa1...0xac).contains(byte)
                || (0xae...0xff).contains(byte)
            if !visible { next += 1 }
            return UnicodeScalar(visible ? byte : next - 1) ?? " "
        }
    }()

    private static let bytes: [UnicodeScalar: UInt8] = Dictionary(
        uniqueKeysWithValues: characters.enumerated().map { ($1, UInt8($0)) })

    /// The bytes in the order of their characters, which is the order of ids in a new vocabulary.
    package static let order: [UInt8] = (0...255).sorted {
        characters[Int($0)] < characters[Int($1)]
    }

    /// The characters of some bytes.
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(characters[Int(byte)]) }
        return String(text)
    }

    /// The bytes of some characters; `nil` if one is not of the alphabet.
    package static func bytes(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard let byte = bytes[scalar] else { return nil }
            result.append(byte)
        }
        return result
    }

    /// The UTF-8 of the characters of some bytes.
    static func spelled(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        bytes.flatMap { encoded[Int($0)] }
    }

    /// Puts the bytes that some characters in UTF-8 stand for into `result`.
    static func bytes(_ text: UnsafeRawBufferPointer, into result: inout [UInt8]) {
        result.removeAll(keepingCapacity: true)
        var index = 0
        while index < text.count {
            let (value, length) = UTF8Check.character(text, index)
            if let byte = value.flatMap(UnicodeScalar.init).flatMap({ bytes[$0] }) {
                result.append(byte)
            }
            index += length
        }
    }

    private static let encoded: [[UInt8]] = characters.map { Array(String($0).utf8) }
}
