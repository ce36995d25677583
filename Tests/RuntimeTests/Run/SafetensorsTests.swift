import Foundation
import Runtime
import Testing

@Suite("Safetensors") struct SafetensorsTests {
    /// A file with a header and some bytes of values.
    static func file(_ header: String, values: Int, length: UInt64? = nil) -> [UInt8] {
        let length = length ?? UInt64(header.utf8.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
            + [UInt8](repeating: 0, count: values)
    }

    static func entry(_ name: String, _ type: String, _ shape: String, _ from: Int, _ to: Int)
        -> String
    {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(from),\(to)]}"
    }

    static let malformed: [(reason: String, bytes: [UInt8])] = [
        ("3 bytes long, shorter than its header length", [1, 2, 3]),
        (
            "says its header has 9223372036854775807 bytes, but the file has",
            file("{}", values: 0, length: UInt64(Int64.max))
        ),
        (
            "says its header has 18446744073709551615 bytes",
            file("{}", values: 0, length: .max)
        ),
        ("says its header has 11 bytes, but the file has 18", file("{}", values: 8, length: 11)),
        ("its header is not JSON", file("{\"a\":", values: 0)),
        (
            "its header is not JSON: byte 205: nested deeper than 200 levels",
            file("{\"a\":" + String(repeating: "[", count: 1000), values: 0)
        ),
        (
            "its header is not JSON: byte 2 is not UTF-8",
            Array(file("{\"é\":", values: 0).dropLast(3)) + [0xff, 0x22, 0x7d]
        ),
        ("its header is not a JSON object", file(String(repeating: "[", count: 1000), values: 0)),
        ("its header is not a JSON object", file("[]", values: 0)),
        ("tensor a has no \"dtype\"", file("{\"a\":{}}", values: 0)),
        ("tensor a has no \"dtype\"", file("{\"a\":3}", values: 0)),
        (
            "tensor a has the unknown type \"F99\"",
            file("{" + entry("a", "F99", "[1]", 0, 4) + "}", values: 4)
        ),
        (
            "tensor a has no list \"shape\"",
            file("{" + entry("a", "F32", "1", 0, 4) + "}", values: 4)
        ),
        (
            "\"shape\" holds what is not a whole number",
            file("{" + entry("a", "F32", "[-1]", 0, 4) + "}", values: 4)
        ),
        (
            "\"shape\" holds what is not a whole number",
            file("{" + entry("a", "F32", "[0.5]", 0, 4) + "}", values: 4)
        ),
        (
            "\"shape\" holds what is not a whole number",
            file("{" + entry("a", "F32", "[1e300]", 0, 4) + "}", values: 4)
        ),
        (
            "tensor a: \"shape\" has more than 64 numbers",
            file(
                "{" + entry("a", "U8", "[" + String(repeating: "1,", count: 64) + "1]", 0, 1) + "}",
                values: 1)
        ),
        (
            "tensor a has two \"dtype\"",
            file(
                "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,1]}}",
                values: 1)
        ),
        (
            "tensor a has the impossible shape",
            file(
                "{" + entry("a", "F32", "[4503599627370496,4503599627370496]", 0, 4) + "}",
                values: 4)
        ),
        (
            "tensor a is F32 [2], 8 bytes, but has 4",
            file("{" + entry("a", "F32", "[2]", 0, 4) + "}", values: 8)
        ),
        (
            "tensor a lies at [0, 8], outside of 4 bytes",
            file("{" + entry("a", "F32", "[2]", 0, 8) + "}", values: 4)
        ),
        (
            "tensor a lies at [8, 4], outside of 8 bytes",
            file("{" + entry("a", "F32", "[1]", 8, 4) + "}", values: 8)
        ),
        (
            "tensor b overlaps with tensor a",
            file(
                "{" + entry("a", "F32", "[2]", 0, 8) + "," + entry("b", "F32", "[2]", 4, 12) + "}",
                values: 12)
        ),
        (
            "4 bytes behind tensor a belong to no tensor",
            file("{" + entry("a", "F32", "[1]", 0, 4) + "}", values: 8)
        ),
        ("1 bytes behind the header belong to no tensor", file("{}", values: 1)),
        (
            "tensor a appears twice",
            file(
                "{" + entry("a", "F32", "[1]", 0, 4) + "," + entry("a", "F32", "[1]", 4, 8) + "}",
                values: 8)
        ),
    ]

    @Test("a malformed file is an error that names the file, the tensor and what is wrong")
    func errors() throws {
        let scratch = try Scratch()
        for (index, item) in Self.malformed.enumerated() {
            let path = try scratch.write("\(index).safetensors", bytes: item.bytes)
            #expect("\(item.reason)") {
                _ = try SafetensorsFile(path)
            } throws: { error in
                let message = (error as? SafetensorsError)?.message ?? "\(error)"
                let fits = message.contains(item.reason) && message.hasPrefix(path)
                if !fits { Issue.record("\(item.reason): \(message)") }
                return fits
            }
        }
        #expect(throws: FileError.self) { try SafetensorsFile(scratch.path) }
        #expect(throws: FileError.self) { try SafetensorsFile(scratch.path + "/none") }
    }

    @Test("cut or changed at any byte, a file is read, or refused with an error, and never more")
    func damage() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/whole.safetensors"
        let values: [Float] = [1, -2, 3, 4]
        try values.withUnsafeBufferPointer {
            try Safetensors.write(
                path, [NamedTensor(name: "a", shape: [2, 2], values: $0)], metadata: ["k": "v"])
        }
        let whole = try FileReader.bytes(path)
        var cases = whole.indices.map { Array(whole[..<$0]) }
        for index in whole.indices {
            for change: UInt8 in [0x01, 0x10, 0x80] {
                var bytes = whole
                bytes[index] ^= change
                cases.append(bytes)
            }
        }
        var refused = 0
        for bytes in cases {
            let changed = try scratch.write("changed.safetensors", bytes: bytes)
            var found = [Float](repeating: 0, count: 4)
            do {
                try found.withUnsafeMutableBufferPointer {
                    try Safetensors.read(changed, into: [("a", [2, 2], $0)])
                }
            } catch is SafetensorsError { refused += 1 }
        }
        #expect(refused > whole.count)
    }

    @Test("half precision is read exactly, and bfloat16 is written to the nearest, ties to even")
    func formats() throws {
        for (bits, value): (UInt16, Float) in [
            (0x3c00, 1), (0xc000, -2), (0x7bff, 65504), (0x0400, 0x1p-14), (0x0001, 0x1p-24),
            (0x83ff, -0x3ffp-24), (0x3555, 0.333251953125), (0x7c00, .infinity),
            (0xfc00, -.infinity),
        ] { #expect(StorageFormat.float(half: bits) == value) }
        #expect(StorageFormat.float(half: 0x8000).bitPattern == 0x8000_0000)
        #expect(StorageFormat.float(half: 0x7e01).isNaN)
        for (bits, rounded): (UInt32, UInt16) in [
            (0x3f80_0000, 0x3f80), (0x3f80_7fff, 0x3f80), (0x3f80_8000, 0x3f80),
            (0x3f80_8001, 0x3f81), (0x3f81_8000, 0x3f82), (0xbf81_8000, 0xbf82),
            (0x7f7f_ffff, 0x7f80), (0x7f80_0000, 0x7f80), (0x0000_8001, 0x0001),
        ] { #expect(StorageFormat.bfloat16(Float(bitPattern: bits)) == rounded) }
        #expect(StorageFormat.bfloat16(Float(bitPattern: 0x7f80_0001)) == 0x7fc0)
        // Every half-precision number, and the middle of it and the next, which goes to the even one.
        for bits in UInt16(0)..<0x7c00 {
            let (low, high) = (StorageFormat.float(half: bits), StorageFormat.float(half: bits + 1))
            #expect(
                StorageFormat.float16(low) == bits && StorageFormat.float16(-low) == bits | 0x8000)
            guard high.isFinite else { continue }
            let middle = (low + high) / 2
            #expect(StorageFormat.float16(middle) == bits + bits & 1)
            #expect(StorageFormat.float16(middle.nextUp) == bits + 1)
            #expect(StorageFormat.float16(middle.nextDown) == bits)
        }
        #expect(StorageFormat.float16(65519) == 0x7bff && StorageFormat.float16(-65520) == 0xfc00)
    }

    @Test("what is written comes back, whatever the storage")
    func roundTrip() throws {
        let scratch = try Scratch()
        let count = SafetensorsFile.piece + 5
        let values = (0..<count).map { Float($0 % 251) - 125 }
        for storage in StorageFormat.allCases {
            let path = "\(scratch.path)/\(storage.rawValue).safetensors"
            try values.withUnsafeBufferPointer {
                try Safetensors.write(
                    path, [NamedTensor(name: "x", shape: [count], values: $0)], storage: storage)
            }
            var found = [Float](repeating: 0, count: count)
            try found.withUnsafeMutableBufferPointer {
                try Safetensors.read(path, into: [("x", [count], $0)])
            }
            #expect(found == values)
        }
        for bad: Float in [65520, -1e9, .infinity, .nan] {
            let error = message {
                try [1, bad].withUnsafeBufferPointer {
                    try Safetensors.write(
                        scratch.path + "/far.safetensors",
                        [NamedTensor(name: "far", shape: [2], values: $0)], storage: .float16)
                }
            }
            #expect(error.contains("tensor far has \(bad), beyond the largest float16, 65504"))
            #expect(!FileManager.default.fileExists(atPath: scratch.path + "/far.safetensors"))
        }
    }
}
