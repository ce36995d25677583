/// The checksum of TFRecord files.
package enum CRC32C {
    /// Rotated and shifted, so that the checksum of data that hold checksums is not trivial.
    package static func masked(_ data: [UInt8]) -> UInt32 {
        let sum = checksum(data)
        return (sum >> 15 | sum << 17) &+ 0xa282_ead8
    }

    /// CRC-32C (Castagnoli), RFC 3720 appendix B.4.
    package static func checksum(_ data: [UInt8]) -> UInt32 {
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
