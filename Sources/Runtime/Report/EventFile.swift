/// Scalars in a file that TensorBoard reads.
///
/// The file is a sequence of records, each framed by its length (64 bits), the masked CRC-32C of the length, the data
/// and the masked CRC-32C of the data, all little-endian (TFRecord). The data are `Event` messages of protocol
/// buffers: wall_time = 1, step = 2, file_version = 3, summary = 5; a summary's value = 1 with tag = 1 and
/// simple_value = 2.
enum EventFile {
    /// One number of one curve.
    struct Scalar {
        let tag: String
        let step: Int
        /// Seconds since 1970.
        let time: Double
        let value: Double
    }

    /// Writes scalars in their order.
    ///
    /// - Throws: `FileError`.
    static func write(_ path: String, _ scalars: [Scalar], start: Double) throws {
        try AtomicFile.write(path) { writer in
            var version = Message()
            version.add(1, start)
            version.add(3, Array("brain.Event:2".utf8))
            try put(version.bytes, &writer)
            for scalar in scalars {
                var value = Message()
                value.add(1, Array(scalar.tag.utf8))
                value.add(2, Float(scalar.value))
                var summary = Message()
                summary.add(1, value.bytes)
                var event = Message()
                event.add(1, scalar.time)
                event.add(2, UInt64(max(0, scalar.step)))
                event.add(5, summary.bytes)
                try put(event.bytes, &writer)
            }
        }
    }

    private static func put(_ data: [UInt8], _ writer: inout FileWriter) throws {
        let length = little(UInt64(data.count))
        let frame =
            length + little(masked(length)) + data + little(masked(data))
        try frame.withUnsafeBytes { try writer.write($0) }
    }

    private static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// A message of protocol buffers in the making.
    private struct Message {
        private(set) var bytes: [UInt8] = []

        private mutating func variable(_ value: UInt64) {
            var rest = value
            while rest >= 0x80 {
                bytes.append(UInt8(rest & 0x7f) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }

        private mutating func key(_ field: UInt64, wire: UInt64) { variable(field << 3 | wire) }

        mutating func add(_ field: UInt64, _ value: UInt64) {
            key(field, wire: 0)
            variable(value)
        }

        mutating func add(_ field: UInt64, _ value: Double) {
            key(field, wire: 1)
            bytes += little(value.bitPattern)
        }

        mutating func add(_ field: UInt64, _ data: [UInt8]) {
            key(field, wire: 2)
            variable(UInt64(data.count))
            bytes += data
        }

        mutating func add(_ field: UInt64, _ value: Float) {
            key(field, wire: 5)
            bytes += little(value.bitPattern)
        }
    }

    /// Rotated and shifted, so that the checksum of data that hold checksums is not trivial.
    static func masked(_ data: [UInt8]) -> UInt32 {
        let sum = checksum(data)
        return (sum >> 15 | sum << 17) &+ 0xa282_ead8
    }

    /// CRC-32C (Castagnoli), RFC 3720 appendix B.4.
    static func checksum(_ data: [UInt8]) -> UInt32 {
        ~data.reduce(~UInt32(0)) { sum, byte in
            table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ (sum >> 8)
        }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { sum, _ in
            sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1
        }
    }
}
