import Foundation

/// A SHA-256 digest: the identity of data, tokenizers, recipes and states.
public struct Digest: Hashable, Sendable, Codable, CustomStringConvertible {
    private let words: SIMD4<UInt64>

    package init(bytes: [UInt8]) {
        precondition(bytes.count == SHA256.byteCount)
        var words = SIMD4<UInt64>()
        for (index, byte) in bytes.enumerated() {
            words[index / 8] = words[index / 8] << 8 | UInt64(byte)
        }
        self.words = words
    }

    /// Reads a digest back from its hexadecimal form; `nil` if it is not 64 lower-case digits.
    public init?(hex: String) {
        guard hex.utf8.count == 64 else { return nil }
        var words = SIMD4<UInt64>()
        for (index, byte) in hex.utf8.enumerated() {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            words[index / 16] = words[index / 16] << 4 | UInt64(digit)
        }
        self.words = words
    }

    /// 64 lower-case hexadecimal digits.
    public var hex: String {
        var text = ""
        for index in 0..<4 {
            let digits = String(words[index], radix: 16)
            text += String(repeating: "0", count: 16 - digits.count) + digits
        }
        return text
    }

    package init(words: SIMD4<UInt64>) { self.words = words }

    package func word(_ index: Int) -> UInt64 { words[index] }

    /// The first 12 digits, enough to name a state on a screen.
    public var short: String { String(hex.prefix(12)) }

    /// The hexadecimal form.
    public var description: String { hex }

    /// Decodes the hexadecimal string.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let digest = Digest(hex: text) else {
            throw InvalidValue("digest", expected: "64 hexadecimal digits", found: text)
        }
        self = digest
    }

    /// Encodes the hexadecimal string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}

/// Builds a digest from typed fields; every field is length-prefixed, so that no two lists of fields collide.
public struct DigestBuilder: Sendable {
    private var hasher = SHA256()

    /// Starts with `domain`, which keeps digests of different kinds apart.
    public init(_ domain: String) { add(domain) }

    /// Adds raw bytes, preceded by their number.
    public mutating func add(bytes: UnsafeRawBufferPointer) {
        add(UInt64(bytes.count))
        hasher.add(bytes)
    }

    /// Adds the UTF-8 bytes of a string.
    public mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Adds an integer as eight little-endian bytes.
    public mutating func add(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { hasher.add($0) }
    }

    /// Adds an integer.
    public mutating func add(_ value: Int) { add(UInt64(bitPattern: Int64(value))) }

    /// Adds the exact bits of a number.
    public mutating func add(_ value: Double) { add(value.bitPattern) }

    /// Adds another digest.
    public mutating func add(_ digest: Digest) {
        for index in 0..<4 { add(digest.word(index)) }
    }

    /// The digest of everything added so far.
    public func finish() -> Digest { Digest(hasher) }
}

extension Digest {
    /// The digest of a file's bytes, read in pieces; memory does not depend on its size.
    ///
    /// - Throws: `FileError` if it cannot be read; `Interrupted` when `stop` says so.
    public static func ofFile(_ path: String, stop: ShouldStop = { false }) throws -> Digest {
        var hasher = SHA256()
        try FileReader.forEachChunk(path) { chunk in
            if stop() { throw Interrupted("interrupted while reading \(path)") }
            hasher.add(chunk)
        }
        return Digest(hasher)
    }
}
