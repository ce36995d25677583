import RuntimeData
import RuntimeSupport
import RuntimeTraining

extension Frame {
    /// Columns that tell repetitions apart unless others are named.
    public static let seedNames = PairedEffects.seedNames

    /// Gives columns of rows from elsewhere their roles.
    ///
    /// - Parameters:
    ///   - axes: What tells designs apart; by default columns of texts and flags.
    ///   - seeds: What tells repetitions apart, the outer one first; by default `seed` and `finetune_seed`.
    /// - Throws: `FrameError` for a column that does not exist, or is named as both.
    public func with(axes: [String]?, seeds: [String]?) throws -> Frame {
        for name in axes ?? [] { _ = try column(name, for: "axes") }
        for name in seeds ?? [] { _ = try column(name, for: "seeds") }
        if let both = axes?.first(where: { (seeds ?? Self.seedNames).contains($0) }) {
            throw FrameError("axes", "\(both) is a seed")
        }
        let seeds = seeds ?? Self.seedNames
        let columns = columns.map { column in
            var column = column
            let isNumeric = column.values.allSatisfy { $0 == .missing || $0.number != nil }
            if seeds.contains(column.name) {
                column.role = .seed
            } else if let axes {
                column.role = axes.contains(column.name) ? .axis : isNumeric ? .value : .note
            } else {
                column.role = isNumeric ? .value : .axis
            }
            return column
        }
        // Seeds in the order in which they were named.
        let order = seeds.compactMap { name in columns.first { $0.name == name } }
        var next = order.makeIterator()
        return try Frame(columns.map { $0.role == .seed ? next.next() ?? $0 : $0 })
    }

    /// Reads a file of comma-separated values with a line of names, also compressed (`.gz`, `.zst`).
    ///
    /// A column of whole numbers, of numbers, or of `true` and `false` is one; anything else is text. Empty cells are missing,
    /// and in columns of numbers also `nan`. Of a file that `StudyResult.csv` wrote the axes are known.
    ///
    /// - Throws: `FrameError` and `TextError` naming file and line.
    public init(csv path: String) throws {
        let input = try SniffedInput(try Compression.open(path), file: path, allowsPages: false)
        var reader = SeparatedReader(
            input, file: path, separator: UInt8(ascii: ","), limit: 1 << 26)
        func cells() throws -> [String] {
            try (0..<reader.count).map { index in
                guard let text = String(validating: reader.value(index), as: UTF8.self) else {
                    throw TextError(path, line: reader.line, "a cell is not UTF-8 text")
                }
                return text
            }
        }
        guard try reader.next() else {
            throw FrameError(path, "a line of names expected, got an empty file")
        }
        let names = try cells()
        var columns = names.map { _ in [String]() }
        while try reader.next() {
            let row = try cells()
            guard row.count == names.count else {
                throw TextError(
                    path, line: reader.line,
                    "\(names.count) values expected, as the first line has names, got \(row.count)")
            }
            for (place, cell) in row.enumerated() { columns[place].append(cell) }
            if columns[0].count % (1 << 14) == 0 {
                try Memory.require(
                    [("cells", Int.saturatingProduct(columns[0].count, 64 * names.count))],
                    for: "the rows of \(path)")
            }
        }
        let frame = try Frame(
            zip(names, columns).map { Column($0, .value, Self.typed($1)) })
        self = try frame.with(axes: Self.axes(ofResult: names), seeds: nil)
    }

    /// The parameters of a study's arms, if these are the columns of its rows.
    private static func axes(ofResult names: [String]) -> [String]? {
        guard names.first == "arm", names.suffix(2) == ["key", "failure"],
            let rate = names.firstIndex(of: "learning_rate")
        else { return nil }
        return names[..<rate].filter { !seedNames.contains($0) }
    }

    private static func typed(_ cells: [String]) -> [ResultValue] {
        func all(_ read: (String) -> ResultValue?) -> [ResultValue]? {
            var values: [ResultValue] = []
            values.reserveCapacity(cells.count)
            for cell in cells {
                guard let value = cell.isEmpty ? .missing : read(cell) else { return nil }
                values.append(value)
            }
            return values
        }
        func isCode(_ cell: String) -> Bool {
            // 007 is a name rather than 7.
            cell.utf8.count > 1 && cell.utf8.first == 0x30
                && cell.utf8.allSatisfy { $0 >= 0x30 && $0 < 0x3a }
        }
        return all { isCode($0) ? nil : Int($0).map(ResultValue.integer) }
            ?? all { cell in
                if cell.lowercased() == "nan" { return .missing }
                guard !isCode(cell), let number = Double(cell), number.isFinite else { return nil }
                return .number(number)
            }
            ?? all { $0 == "true" ? .flag(true) : $0 == "false" ? .flag(false) : nil }
            ?? all { .text($0) } ?? []
    }
}
