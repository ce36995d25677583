/// Lines of a byte input, without their ends; memory is bounded by the longest line.
///
/// A line ends with a line feed, a carriage return, or both. A byte order mark where a line begins is passed over.
package struct LineReader: ~Copyable {
    private var window: ByteWindow
    /// Where the next line feed and the next carriage return stand, as far as they have been looked for.
    private var feed = Place()
    private var carriage = Place()
    /// Whether the last line ended with a carriage return, to which a line feed may belong.
    private var hasReturned = false
    /// The number of the line last returned, from 1.
    package private(set) var line = 0

    private struct Place {
        /// Bytes that hold none.
        var searched = 0
        var found: Int?

        mutating func look(for byte: UInt8, in window: borrowing ByteWindow) {
            guard found == nil, searched < window.count else { return }
            found = window.firstIndex(of: byte, from: searched)
            searched = found ?? window.count
        }

        mutating func pass(_ bytes: Int) {
            searched = max(0, searched - bytes)
            found = found.flatMap { $0 < bytes ? nil : $0 - bytes }
        }
    }

    /// Reads from `input`; a line longer than `limit` bytes is an error naming `file`.
    package init(_ input: any ByteInput, file: String, limit: Int) {
        window = ByteWindow(input, file: file, limit: limit)
    }

    /// Bytes of the file read so far.
    package var consumed: Int { window.consumed }

    /// The next line, valid until the following call; `nil` at the end.
    package mutating func next() throws -> UnsafeRawBufferPointer? {
        if hasReturned {
            hasReturned = false
            if window.count == 0 { _ = try window.fill(line: line + 1) }
            if window.count > 0, window[0] == 10 { pass(window.take(1).count) }
        }
        pass(try window.skipMark(line: line + 1))
        while true {
            feed.look(for: 10, in: window)
            carriage.look(for: 13, in: window)
            let end = [feed.found, carriage.found].compactMap { $0 }.min()
            if let end {
                hasReturned = end == carriage.found
                return try take(end, skipping: 1)
            }
            guard try window.fill(line: line + 1) else {
                return window.count > 0 ? try take(window.count, skipping: 0) : nil
            }
        }
    }

    private mutating func take(_ length: Int, skipping skipped: Int) throws
        -> UnsafeRawBufferPointer
    {
        line += 1
        try window.check(length, line: line)
        pass(length + skipped)
        return window.take(length, skipping: skipped)
    }

    private mutating func pass(_ bytes: Int) {
        feed.pass(bytes)
        carriage.pass(bytes)
    }
}
