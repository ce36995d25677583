import RuntimeData
import RuntimeSupport

/// A safetensors file whose header has been read and checked; numbers are read when asked for.
///
/// Nothing in the file is trusted: the header may be 16 MiB long at most, every tensor must lie inside the file, be as
/// long as its shape says, and share no byte with another, and the last ends with the file. Memory does not depend on what the header claims.
package struct SafetensorsFile: Sendable {
    /// One tensor.
    package struct Entry: Sendable {
        package let name: String
        /// The format's name for the type of its numbers.
        package let code: String
        package let shape: [Int]
        /// Its first byte, counted from the beginning of the file.
        package let offset: Int
        package let bytes: Int

        package var end: Int { offset + bytes }
    }

    /// The longest header that is read.
    static let longestHeader = 1 << 24

    /// Bytes of a number of each type that the format knows.
    private static let sizes: [String: Int] = [
        "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "U16": 2, "I16": 2,
        "F16": 2, "BF16": 2, "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8, "C64": 8,
    ]

    package let path: String
    /// Every tensor, by name.
    package let entries: [String: Entry]

    /// Reads and checks the header.
    ///
    /// - Throws: `FileError`; `SafetensorsError` naming the file, the tensor, what it has and what was expected.
    package init(_ path: String) throws {
        self.path = path
        let file = try RandomAccessFile(path)
        func fail(_ reason: String) -> SafetensorsError {
            SafetensorsError(path: path, reason: reason)
        }
        guard file.size >= 8 else {
            throw fail("\(file.size) bytes long, shorter than its header length")
        }
        var first = [UInt8](repeating: 0, count: min(file.size, 4096))
        try first.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
        if let page = SniffedInput.page(first) { throw fail("it is \(page)") }
        if let reason = SniffedInput.fault(first), first.prefix(8).last != 0 { throw fail(reason) }
        var stored: UInt64 = 0
        try withUnsafeMutableBytes(of: &stored) { try file.read(at: 0, into: $0) }
        let length = UInt64(littleEndian: stored)
        guard length <= UInt64(file.size - 8) else {
            throw fail("says its header has \(length) bytes, but the file has \(file.size)")
        }
        guard length <= UInt64(Self.longestHeader) else {
            throw fail(
                "says its header has \(length) bytes, more than the \(Self.longestHeader) that are read"
            )
        }
        var header = [UInt8](repeating: 0, count: Int(length))
        try header.withUnsafeMutableBytes { try file.read(at: 8, into: $0) }
        let start = 8 + Int(length)
        var entries: [String: Entry] = [:]
        for draft in try Self.drafts(header, fail) {
            let entry = try draft.entry(start: start, end: file.size, fail)
            guard entries.updateValue(entry, forKey: entry.name) == nil else {
                throw fail("tensor \(entry.name) appears twice")
            }
        }
        var (covered, last) = (start, "the header")
        for entry in entries.values.sorted(by: { ($0.offset, $0.end) < ($1.offset, $1.end) }) {
            guard entry.offset >= covered else {
                throw fail("tensor \(entry.name) overlaps with \(last)")
            }
            (covered, last) = (entry.end, "tensor \(entry.name)")
        }
        guard covered == file.size else {
            throw fail("\(file.size - covered) bytes behind \(last) belong to no tensor")
        }
        self.entries = entries
    }

    /// What the header says of each tensor.
    private static func drafts(
        _ header: [UInt8], _ fail: (String) -> SafetensorsError
    ) throws -> [Draft] {
        try header.withUnsafeBytes { bytes in
            if let place = UTF8Check.firstInvalid(bytes) {
                throw fail("its header is not JSON: byte \(place) is not UTF-8")
            }
            var drafts: [Draft] = []
            var scanner = JSONScanner(bytes)
            do {
                guard try scanner.kind() == .object else {
                    throw fail("its header is not a JSON object")
                }
                try scanner.object { (key, scanner) throws(JSONFailure) in
                    let name = String(decoding: copy key, as: UTF8.self)
                    if name == "__metadata__" { return try scanner.skip() }
                    drafts.append(try Draft(name, &scanner))
                }
                try scanner.finish()
            } catch let failure as JSONFailure {
                throw fail("its header is not JSON: byte \(failure.offset): \(failure.reason)")
            }
            return drafts
        }
    }

    /// A tensor as the header has it, not checked.
    private struct Draft {
        /// More dimensions than any model's.
        static let longestList = 64

        private(set) var name: String
        private var code: String?
        private var shape: [Int]?
        private var offsets: [Int]?
        /// What is wrong with it, if it is seen while reading.
        private var problem: String?

        init(_ name: String, _ scanner: inout JSONScanner) throws(JSONFailure) {
            self.name = name
            guard try scanner.kind() == .object else {
                try scanner.skip()
                return
            }
            var draft = self
            try scanner.object { (key, scanner) throws(JSONFailure) in
                switch String(decoding: copy key, as: UTF8.self) {
                case "dtype" where try scanner.kind() == .string:
                    if draft.code != nil { draft.problem = " has two \"dtype\"" }
                    var text: [UInt8] = []
                    try scanner.string(into: &text)
                    draft.code = String(decoding: text, as: UTF8.self)
                case "shape" where try scanner.kind() == .array:
                    if draft.shape != nil { draft.problem = " has two \"shape\"" }
                    draft.shape = try draft.list("shape", &scanner)
                case "data_offsets" where try scanner.kind() == .array:
                    if draft.offsets != nil { draft.problem = " has two \"data_offsets\"" }
                    draft.offsets = try draft.list("data_offsets", &scanner)
                default: try scanner.skip()
                }
            }
            self = draft
        }

        /// Whole numbers from 0 on.
        private mutating func list(
            _ key: String, _ scanner: inout JSONScanner
        ) throws(JSONFailure) -> [Int] {
            var numbers: [Int] = []
            var problem: String?
            try scanner.array { scanner throws(JSONFailure) in
                guard try scanner.kind() == .number else {
                    problem = ": \"\(key)\" holds what is not a whole number from 0 on"
                    return try scanner.skip()
                }
                // Doubles hold whole numbers exactly up to 2⁵³.
                let number = Int(exactly: try scanner.number())
                if let number, (0...1 << 53).contains(number) {
                    if numbers.count < Self.longestList {
                        numbers.append(number)
                    } else {
                        problem = ": \"\(key)\" has more than \(Self.longestList) numbers"
                    }
                } else {
                    problem = ": \"\(key)\" holds what is not a whole number from 0 on"
                }
            }
            self.problem = problem ?? self.problem
            return numbers
        }

        /// The entry of a file whose values begin at `start`.
        func entry(
            start: Int, end: Int, _ fail: (String) -> SafetensorsError
        ) throws -> Entry {
            if let problem {
                throw fail("tensor \(name)\(problem)")
            }
            guard let code else { throw fail("tensor \(name) has no \"dtype\"") }
            guard let size = sizes[code] else {
                throw fail("tensor \(name) has the unknown type \(JSONValue.quoted(code))")
            }
            guard let shape else { throw fail("tensor \(name) has no list \"shape\"") }
            guard let offsets else { throw fail("tensor \(name) has no list \"data_offsets\"") }
            guard offsets.count == 2, offsets[0] <= offsets[1], offsets[1] <= end - start else {
                throw fail(
                    "tensor \(name) lies at \(offsets), outside of \(end - start) bytes of values")
            }
            var bytes = size
            for length in shape {
                let (product, overflow) = bytes.multipliedReportingOverflow(by: length)
                guard !overflow else {
                    throw fail("tensor \(name) has the impossible shape \(shape)")
                }
                bytes = product
            }
            guard bytes == offsets[1] - offsets[0] else {
                throw fail(
                    "tensor \(name) is \(code) \(shape), \(bytes) bytes, but has \(offsets[1] - offsets[0])"
                )
            }
            return Entry(
                name: name, code: code, shape: shape, offset: start + offsets[0], bytes: bytes)
        }
    }

    /// The format of a tensor that must have a shape.
    ///
    /// - Throws: `SafetensorsError`.
    package func check(_ entry: Entry, shape: [Int]) throws -> StorageFormat {
        let format = StorageFormat.allCases.first { $0.code == entry.code }
        guard let format, entry.shape == shape else {
            throw SafetensorsError(
                path: path,
                reason: "tensor \(entry.name) is \(entry.code) \(entry.shape), "
                    + "expected F32, F16 or BF16 \(shape)")
        }
        return format
    }

    /// Numbers in the pieces of `forEachPiece`.
    package static let piece = 1 << 18

    /// Calls `body` with consecutive pieces of a tensor as 32-bit floats, and the index of the first number of each.
    ///
    /// - Throws: `FileError`; whatever `body` throws.
    package func forEachPiece(
        _ entry: Entry, _ format: StorageFormat,
        _ body: (Int, UnsafeBufferPointer<Float>) throws -> Void
    ) throws {
        let file = try RandomAccessFile(path)
        let count = entry.bytes / format.size
        let room = min(count, Self.piece)
        let raw = UnsafeMutableRawBufferPointer.allocate(
            byteCount: room * format.size, alignment: 16)
        defer { raw.deallocate() }
        let floats = UnsafeMutableBufferPointer<Float>.allocate(capacity: room)
        defer { floats.deallocate() }
        for start in stride(from: 0, to: count, by: Self.piece) {
            let length = min(Self.piece, count - start)
            let bytes = UnsafeMutableRawBufferPointer(rebasing: raw[..<(length * format.size)])
            try file.read(at: entry.offset + start * format.size, into: bytes)
            let piece = UnsafeMutableBufferPointer(rebasing: floats[..<length])
            format.decode(UnsafeRawBufferPointer(bytes), into: piece)
            try body(start, UnsafeBufferPointer(piece))
        }
    }

    /// Reads a tensor into a buffer of its size.
    package func read(
        _ entry: Entry, _ format: StorageFormat, into target: UnsafeMutableBufferPointer<Float>
    ) throws {
        try forEachPiece(entry, format) { start, piece in
            let part = UnsafeMutableBufferPointer(
                rebasing: target[start..<(start + piece.count)])
            _ = part.update(fromContentsOf: piece)
        }
    }
}
