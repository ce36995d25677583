/// Rows of comma- or tab-separated values as RFC 4180 has them: `"` around values that hold separators, line breaks
/// or `""` for a quote; memory is bounded by the longest row.
struct SeparatedReader: ~Copyable {
    private enum State {
        case beginning, plain, quoted, closed, returned
    }

    /// More columns than any table's; their places would take more memory than a row of nothing but separators.
    static let mostColumns = 1 << 16

    private var window: ByteWindow
    private let file: String
    private let separator: UInt8
    private let limit: Int
    private var data: [UInt8] = []
    private var ends: [Int] = []
    private var lines = 1
    /// The line at which the row begins, from 1.
    private(set) var line = 1

    /// Reads from `input`; a row longer than `limit` bytes is an error naming `file`.
    init(_ input: any ByteInput, file: String, separator: UInt8, limit: Int) {
        window = ByteWindow(input, file: file, limit: limit)
        self.file = file
        self.separator = separator
        self.limit = limit
    }

    /// Bytes of the file read so far.
    var consumed: Int { window.consumed }
    /// Values of the row.
    var count: Int { ends.count }

    /// A value of the row, quotes resolved.
    func value(_ index: Int) -> ArraySlice<UInt8> {
        data[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    private static let quote = UInt8(ascii: "\"")

    /// Goes to the next row, blank lines passed over; false at the end.
    ///
    /// - Throws: `TextError` naming file and line for a quote that is not closed or that something follows.
    mutating func next() throws -> Bool {
        data.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        line = lines
        var state = State.beginning
        var opened = lines
        while let byte = try window.next() {
            if state == .quoted {
                if byte == Self.quote {
                    state = .closed
                } else {
                    if byte == 10 { lines += 1 }
                    data.append(byte)
                    try check()
                }
                continue
            }
            if byte == 10 {
                lines += 1
                let begin = ends.last ?? 0
                if state == .plain, data.count > begin, data.last == 13 { data.removeLast() }
                if ends.isEmpty, data.isEmpty, state == .beginning || state == .plain {
                    line = lines
                    state = .beginning
                    continue
                }
                ends.append(data.count)
                return true
            }
            switch state {
            case .closed where byte == Self.quote:
                data.append(byte)
                state = .quoted
            case .closed where byte == 13: state = .returned
            case .closed where byte != separator, .returned:
                throw TextError(
                    file, line: lines,
                    "column \(ends.count + 1): expected a separator or the end of the line after the closing quote"
                )
            case _ where byte == separator:
                // Another value follows.
                guard ends.count + 1 < Self.mostColumns else {
                    throw TextError(
                        file, line: line,
                        "the row has more than \(Self.mostColumns) values, the limit for columns")
                }
                ends.append(data.count)
                state = .beginning
            case .beginning where byte == Self.quote:
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
                "column \(ends.count + 1): the quoted value that begins here does not end")
        }
        if state == .plain, data.last == 13 { data.removeLast() }
        if ends.isEmpty, data.isEmpty, state == .beginning || state == .plain { return false }
        ends.append(data.count)
        return true
    }

    private func check() throws {
        guard data.count <= limit else {
            throw TextError(
                file, line: line,
                "the record is longer than \(limit) bytes, the limit for a document")
        }
    }

    /// The number, from 1, of the first value of the row that is not UTF-8.
    func firstInvalid() -> Int? {
        // Each by itself: the halves of a character on both sides of a separator are none.
        let column = ends.indices.first { column in
            value(column).withUnsafeBytes { UTF8Check.firstInvalid($0) } != nil
        }
        return column.map { $0 + 1 }
    }
}
