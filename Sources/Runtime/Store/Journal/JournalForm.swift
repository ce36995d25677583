import CZlib
import RuntimeSupport

/// The form of a journal: records one behind the other, each of which checks itself.
///
///     0  4  `MTJ` and the version of this form, 1
///     4  4  what kind of record it is
///     8  4  its number in the journal, from 0
///    12  4  bytes of the content
///    16  4  CRC-32 of the content
///    20  4  CRC-32 of the 20 bytes before
///    24     the content, whose last byte is a line feed
///
/// Numbers are unsigned and little-endian; CRC-32 is that of zlib and ISO 3309. A content of steps is binary (see
/// `StepBatch`), any other a JSON object on one line.
package enum JournalForm {
    package static let version: UInt8 = 1
    package static let headerBytes = 24
    /// Longer contents are neither written nor read.
    package static let longest = 1 << 26
    package static let fileEnding = ".journal"

    /// What a record says.
    package enum Kind: UInt32 {
        /// The first record: who writes the journal.
        case journal = 1
        /// What the bits of numbers depend on beside their keys.
        case engine = 2
        /// Steps of training.
        case steps = 3
        /// What was measured of a state on some data.
        case evaluation = 4
        /// A run: its name and recipe.
        case run = 5
        /// How far a run has come.
        case progress = 6
        /// A run is to be forgotten.
        case removal = 7
        /// A study: its arms, and what it measures.
        case study = 8
    }

    /// A record's header.
    package struct Header {
        package let kind: UInt32
        package let number: UInt32
        package let count: Int
        let sum: UInt32
    }

    /// CRC-32 of bytes.
    package static func sum(_ bytes: some Collection<UInt8>) -> UInt32 {
        bytes.withContiguousStorageIfAvailable { sum(UnsafeRawBufferPointer($0)) }
            ?? Array(bytes).withUnsafeBytes { sum($0) }
    }

    /// CRC-32 of bytes.
    package static func sum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        UInt32(
            truncatingIfNeeded: crc32_z(
                0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count))
    }

    /// A whole record; `content` has its line feed.
    package static func record(_ kind: Kind, number: UInt32, content: [UInt8]) -> [UInt8] {
        var bytes = Bytes()
        bytes.reserve(headerBytes + content.count)
        bytes.add([UInt8]("MTJ".utf8) + [version])
        bytes.add(kind.rawValue)
        bytes.add(number)
        bytes.add(UInt32(content.count))
        bytes.add(sum(content))
        bytes.add(sum(bytes.all))
        bytes.add(content)
        return bytes.all
    }

    /// What stands at the beginning of some bytes.
    package enum Found {
        case header(Header)
        /// A header of a form that this program does not know.
        case newer(UInt8)
        case none
    }

    /// Reads a header, which must be whole.
    package static func header(_ bytes: UnsafeRawBufferPointer) -> Found {
        guard bytes.count >= headerBytes, bytes.prefix(3).elementsEqual("MTJ".utf8) else {
            return .none
        }
        let fields = UnsafeRawBufferPointer(rebasing: bytes[..<20])
        func number(_ offset: Int) -> UInt32 {
            UInt32(
                littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        guard sum(fields) == number(20) else { return .none }
        guard bytes[3] == version else { return .newer(bytes[3]) }
        guard number(12) <= longest else { return .none }
        return .header(
            Header(kind: number(4), number: number(8), count: Int(number(12)), sum: number(16)))
    }
}

/// Bytes that are put together from numbers.
package struct Bytes {
    package private(set) var all: [UInt8] = []

    package init() {}

    package mutating func reserve(_ count: Int) { all.reserveCapacity(count) }
    package mutating func add(_ bytes: some Sequence<UInt8>) { all.append(contentsOf: bytes) }
    package mutating func add(_ value: UInt32) {
        withUnsafeBytes(of: value.littleEndian) { all.append(contentsOf: $0) }
    }
    package mutating func add(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { all.append(contentsOf: $0) }
    }
    package mutating func add(_ value: Int) { add(UInt64(bitPattern: Int64(value))) }
    package mutating func add(_ value: Double) { add(value.bitPattern) }
    package mutating func add(_ digest: Digest) {
        for index in 0..<4 {
            withUnsafeBytes(of: digest.word(index).bigEndian) { all.append(contentsOf: $0) }
        }
    }
    package mutating func add(_ version: StateVersion) {
        for word in [version.high, version.low] {
            withUnsafeBytes(of: word.bigEndian) { all.append(contentsOf: $0) }
        }
    }
}

/// Numbers that are read from bytes one after the other; behind the end all are 0.
package struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    package private(set) var offset = 0

    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    package var left: Int { bytes.count - offset }

    private mutating func load<T: FixedWidthInteger>(_ type: T.Type) -> T {
        guard left >= MemoryLayout<T>.size else {
            offset = bytes.count
            return 0
        }
        defer { offset += MemoryLayout<T>.size }
        return bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
    }

    package mutating func uint64() -> UInt64 { UInt64(littleEndian: load(UInt64.self)) }
    package mutating func int() -> Int { Int(Int64(bitPattern: uint64())) }
    package mutating func double() -> Double { Double(bitPattern: uint64()) }
    package mutating func digest() -> Digest {
        Digest(
            words: (0..<4).reduce(into: SIMD4<UInt64>()) {
                $0[$1] = UInt64(bigEndian: load(UInt64.self))
            })
    }
    package mutating func version() -> StateVersion {
        let high = UInt64(bigEndian: load(UInt64.self))
        return StateVersion(high: high, low: UInt64(bigEndian: load(UInt64.self)))
    }
    package mutating func rest() -> [UInt8] {
        defer { offset = bytes.count }
        return Array(bytes[offset...])
    }
}
