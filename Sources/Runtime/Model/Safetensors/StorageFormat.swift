/// How the numbers of a model lie in a file.
public enum StorageFormat: String, Codable, CaseIterable, Sendable {
    /// As in memory.
    case float32
    /// IEEE 754 half precision.
    case float16
    /// The upper half of a 32-bit number.
    case bfloat16

    /// The name in safetensors files.
    package var code: String {
        switch self {
        case .float32: "F32"
        case .float16: "F16"
        case .bfloat16: "BF16"
        }
    }

    /// Bytes of a number.
    package var size: Int { self == .float32 ? 4 : 2 }

    /// Turns `target.count` stored numbers into 32-bit floats, exactly.
    package func decode(
        _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>
    ) {
        for index in target.indices {
            switch self {
            case .float32:
                target[index] = Float(
                    bitPattern: UInt32(
                        littleEndian: bytes.loadUnaligned(
                            fromByteOffset: 4 * index, as: UInt32.self)))
            case .float16, .bfloat16:
                let bits = UInt16(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
                target[index] =
                    self == .bfloat16
                    ? Float(bitPattern: UInt32(bits) << 16) : Self.float(half: bits)
            }
        }
    }

    /// The value of a half-precision number.
    package static func float(half bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10) & 0x1f
        let fraction = UInt32(bits) & 0x3ff
        switch exponent {
        case 0:
            let size = Float(fraction) * 0x1p-24
            return sign == 0 ? size : -size
        case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }

    /// The nearest half-precision number, ties to even; infinite from 65520 on.
    package static func float16(_ value: Float) -> UInt16 {
        let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
        let size = value.magnitude
        guard !size.isNaN else { return sign | 0x7e00 }
        guard size < 65520 else { return sign | 0x7c00 }
        // Below the least normal number they are multiples of 2⁻²⁴.
        guard size >= 0x1p-14 else {
            return sign | UInt16((size * 0x1p24).rounded(.toNearestOrEven))
        }
        let bits = size.bitPattern
        let rounded = (bits + 0xfff + (bits >> 13 & 1)) >> 13
        return sign | UInt16(truncatingIfNeeded: rounded - 112 << 10)
    }

    /// The nearest bfloat16, ties to even.
    package static func bfloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        guard !value.isNaN else { return UInt16(bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
    }
}
