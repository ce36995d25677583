import Foundation

/// Lines of a byte input, without their newline; memory is bounded by the longest line.
struct LineReader: ~Copyable {
    private let input: any ByteInput
    private let file: String
    private let limit: Int
    private var buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var ended = false
    /// The number of the line last returned, from 1.
    private(set) var line = 0

    /// Reads from `input`; a line longer than `limit` bytes is an error naming `file`.
    init(_ input: any ByteInput, file: String, limit: Int) {
        self.input = input
        self.file = file
        self.limit = limit
        buffer = .allocate(byteCount: 1 << 18, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// The next line, valid until the following call; `nil` at the end.
    mutating func next() throws -> UnsafeRawBufferPointer? {
        var searched = start
        while true {
            if let base = buffer.baseAddress,
                let newline = memchr(base + searched, 10, end - searched)
            {
                let position = newline - UnsafeMutableRawPointer(base)
                defer { start = position + 1 }
                return take(position)
            }
            if ended {
                guard start < end else { return nil }
                defer { start = end }
                return take(end)
            }
            searched = end - start
            try fill()
        }
    }

    private mutating func take(_ position: Int) -> UnsafeRawBufferPointer {
        line += 1
        return UnsafeRawBufferPointer(rebasing: buffer[start..<position])
    }

    /// Moves the unfinished line to the front, makes room if it needs it, and reads more.
    private mutating func fill() throws {
        let length = end - start
        guard length <= limit else {
            throw TextError(
                file, line: line + 1,
                "the line is longer than \(limit) bytes, the limit for a document")
        }
        if length > buffer.count / 2 {
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
        ended = count == 0
    }
}
