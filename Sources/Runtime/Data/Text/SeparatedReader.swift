/// Rows of comma- or tab-separated values as RFC 4180 has them: `"` around values that hold separators, line breaks
/// or `""` for a quote; memory is bounded by the longest row.
///
/// A row ends with a line feed, a carriage return, or both. A byte order mark where a row begins is passed over.
package struct SeparatedReader: ~Copyable {
    /// What `"` stands for.
    package enum Quotes {
        /// It surrounds values, which may hold separators and line breaks.
        case surround
        /// It surrounds values, but one with a separator or a line break is an error: the quote may be text.
        case surroundPlain
        /// It is text.
        case text
    }

    private enum State {
        case beginning, plain, quoted, closed
    }

    /// More columns than any table's; their places would take more memory than a row of nothing but separators.
    static let mostColumns = 1 << 16

    private var window: ByteWindow
    private let file: String
    private let separator: UInt8
    private let quotes: Quotes
    private let limit: Int
    private var data: [UInt8] = []
    private var ends: [Int] = []
    private var lines = 1
    private var hasReturned = false
    /// The line at which the row begins, from 1.
    package private(set) var line = 1

    /// Reads from `input`; a row longer than `limit` bytes is an error naming `file`.
    package init(
        _ input: any ByteInput, file: String, separator: UInt8, quotes: Quotes = .surround,
        limit: Int
    ) {
        window = ByteWindow(input, file: file, limit: limit)
        self.file = file
        self.separator = separator
        self.quotes = quotes
        self.limit = limit
    }

    /// Bytes of the file read so far.
    package var consumed: Int { window.consumed }
    /// Values of the row.
    package var count: Int { ends.count }

    /// A value of the row, quotes resolved.
    package func value(_ index: Int) -> ArraySlice<UInt8> {
        data[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    private static let quote = UInt8(ascii: "\"")

    /// Goes to the next row, blank lines passed over; false at the end.
    ///
    /// - Throws: `TextError` naming file and line for a quote that is not closed or that something follows.
    package mutating func next() throws -> Bool {
        data.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        line = lines
        var state = State.beginning
        var opened = lines
        try beginLine()
        while let byte = try window.next() {
            if state == .quoted {
                if byte == Self.quote {
                    state = .closed
                } else {
                    if byte == 10 { lines += 1 }
                    try checkQuoted(byte, opened)
                    data.append(byte)
                    try check()
                }
                continue
            }
            if byte == 10 || byte == 13 {
                lines += 1
                hasReturned = byte == 13
                if ends.isEmpty, data.isEmpty, state != .closed {
                    line = lines
                    state = .beginning
                    try beginLine()
                    continue
                }
                ends.append(data.count)
                return true
            }
            switch state {
            case .closed where byte == Self.quote:
                data.append(byte)
                state = .quoted
            case .closed where byte != separator:
                throw TextError(
                    file, line: lines,
                    "column \(ends.count + 1): expected a separator or the end of the line after the closing quote"
                        + (quotes == .surround ? "" : Self.hint))
            case _ where byte == separator:
                // Another value follows.
                guard ends.count + 1 < Self.mostColumns else {
                    throw TextError(
                        file, line: line,
                        "the row has more than \(Self.mostColumns) values, the limit for columns")
                }
                ends.append(data.count)
                state = .beginning
            case .beginning where byte == Self.quote && quotes != .text:
                state = .quoted
                opened = lines
            default:
                data.append(byte)
                state = .plain
                try check()
            }
        }
        if state == .quoted {
            throw TextError(
                file, line: opened,
                "column \(ends.count + 1): the quoted value that begins here does not end"
                    + (quotes == .surround ? "" : Self.hint))
        }
        if ends.isEmpty, data.isEmpty, state != .closed { return false }
        ends.append(data.count)
        return true
    }

    /// Passes over what belongs to the end of the line before, and a byte order mark.
    private mutating func beginLine() throws {
        if window.count == 0, try !window.fill(line: lines) { return }
        if hasReturned, window[0] == 10 { _ = window.take(1) }
        hasReturned = false
        try window.skipMark(line: lines)
    }

    private static let hint =
        "; quotes = false says that quotes are text, quotes = true that they surround values"

    /// In tab-separated values a quote is often text; what stands up to the next one would then be lost.
    private func checkQuoted(_ byte: UInt8, _ opened: Int) throws {
        guard quotes == .surroundPlain, byte == 10 || byte == 13 || byte == separator else {
            return
        }
        throw TextError(
            file, line: opened,
            "column \(ends.count + 1): the value begins with a quote that is not closed before the next tab or line"
                + Self.hint)
    }

    private func check() throws {
        guard data.count <= limit else {
            throw TextError(
                file, line: line,
                "the record is longer than \(limit) bytes, the limit for a document")
        }
    }

    /// The first value of the row that is not UTF-8 or holds a NUL byte: its number, from 1, and what is wrong.
    package func fault() -> (column: Int, reason: String)? {
        // Each by itself: the halves of a character on both sides of a separator are none.
        for column in ends.indices {
            let value = value(column)
            if let place = value.withUnsafeBytes({ UTF8Check.firstInvalid($0) }) {
                return (column + 1, "byte \(place + 1) of the value is not UTF-8")
            }
            if let place = value.withUnsafeBytes({ $0.firstIndex(of: 0) }) {
                return (column + 1, "byte \(place + 1) of the value is NUL, which no text holds")
            }
        }
        return nil
    }
}
