/// Lines of a byte input, without their newline; memory is bounded by the longest line.
struct LineReader: ~Copyable {
    private var window: ByteWindow
    /// The number of the line last returned, from 1.
    private(set) var line = 0

    /// Reads from `input`; a line longer than `limit` bytes is an error naming `file`.
    init(_ input: any ByteInput, file: String, limit: Int) {
        window = ByteWindow(input, file: file, limit: limit)
    }

    /// Bytes of the file read so far.
    var consumed: Int { window.consumed }

    /// The next line, valid until the following call; `nil` at the end.
    mutating func next() throws -> UnsafeRawBufferPointer? {
        var searched = 0
        while true {
            if let length = window.firstIndex(of: 10, from: searched) {
                line += 1
                return window.take(length, skipping: 1)
            }
            searched = window.count
            guard try window.fill(line: line + 1) else {
                guard window.count > 0 else { return nil }
                line += 1
                return window.take(window.count)
            }
        }
    }
}
