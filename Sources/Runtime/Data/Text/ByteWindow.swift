import Glibc
import RuntimeSupport

/// A moving part of a byte input: what is not taken yet is kept while more is read.
package struct ByteWindow: ~Copyable {
    private let input: any ByteInput
    private let file: String
    private let limit: Int
    private var buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0

    /// The byte order mark of UTF-8.
    package static let mark: [UInt8] = [0xef, 0xbb, 0xbf]

    /// Reads from `input`; holding more than `limit` bytes at once is an error naming `file`.
    init(_ input: any ByteInput, file: String, limit: Int) {
        self.input = input
        self.file = file
        self.limit = limit
        buffer = .allocate(byteCount: 1 << 18, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// Bytes of the file taken from the input so far, for progress.
    package var consumed: Int { input.consumed }
    /// Bytes that are there.
    package var count: Int { end - start }

    /// A byte that is there.
    package subscript(index: Int) -> UInt8 {
        @inline(__always) get { buffer[start + index] }
    }

    /// The place of `byte` among the bytes that are there, from `place` on.
    package func firstIndex(of byte: UInt8, from place: Int) -> Int? {
        guard let base = buffer.baseAddress,
            let found = memchr(base + start + place, Int32(byte), count - place)
        else { return nil }
        return found - UnsafeMutableRawPointer(base) - start
    }

    /// The next `length` bytes, valid until more is read; `skipped` bytes after them are passed over.
    package mutating func take(_ length: Int, skipping skipped: Int = 0) -> UnsafeRawBufferPointer {
        defer { start += length + skipped }
        return UnsafeRawBufferPointer(rebasing: buffer[start..<start + length])
    }

    /// The next byte, taken; `nil` at the end of the file.
    @inline(__always)
    package mutating func next() throws -> UInt8? {
        if start == end, try !fill(line: 0) { return nil }
        defer { start += 1 }
        return buffer[start]
    }

    /// Passes over a byte order mark: one may stand where a line begins, as files are joined with theirs.
    ///
    /// - Returns: the bytes passed over.
    @discardableResult
    mutating func skipMark(line: Int) throws -> Int {
        if count == 0, try !fill(line: line) { return 0 }
        guard self[0] == Self.mark[0] else { return 0 }
        while count < 3, try fill(line: line) {}
        guard count >= 3, self[1] == Self.mark[1], self[2] == Self.mark[2] else { return 0 }
        start += 3
        return 3
    }

    /// Refuses a record of more bytes than a document may have.
    ///
    /// - Throws: `TextError`.
    package func check(_ length: Int, line: Int) throws {
        guard length <= limit else {
            throw TextError(
                file, line: line,
                "the record is longer than \(limit) bytes, the limit for a document")
        }
    }

    /// Reads more; false when the file has ended.
    ///
    /// What is there is moved to the front, and room is made if need be.
    ///
    /// - Parameter line: for the error about a record that is too long.
    package mutating func fill(line: Int) throws -> Bool {
        let length = count
        try check(length, line: line)
        if length > buffer.count / 2 {
            // The record is there as it was read, as text, and as a document.
            try Memory.require(
                [("buffer", 2 * buffer.count), ("copies", 4 * length)],
                for: "a record of more than \(length) bytes in \(file)")
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: buffer.count * 2, alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
            buffer.deallocate()
            buffer = larger
        } else if start > 0, let base = buffer.baseAddress {
            memmove(base, base + start, length)
        }
        start = 0
        end = length
        let count = try input.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
        end += count
        return count > 0
    }
}
