import RuntimeSupport
import RuntimeTraining

/// What is wrong with a frame, or with what was asked of it.
public struct FrameError: RuntimeError {
    /// What was asked, such as `where` or `join`.
    public let field: String
    /// What is wrong, with the value and what was expected.
    public let reason: String

    /// Creates the error.
    public init(_ field: String, _ reason: String) {
        self.field = field
        self.reason = reason
    }

    /// `FIELD: REASON`.
    public var message: String { "\(field): \(reason)" }
}

/// A data frame: named columns of equal length that know what tells designs apart, what tells repetitions apart, and what
/// was measured, so that rows that are not repetitions are not averaged as if they were.
public struct Frame: Sendable {
    /// What a column says of its rows.
    public enum Role: String, Sendable {
        /// It tells designs apart, such as the arm's name or a weight.
        case axis
        /// It tells repetitions of one design apart, such as a seed.
        case seed
        /// It was measured.
        case value
        /// Neither: a key, a note.
        case note
    }

    /// Columns that say how sure another one is.
    struct Companions: Sendable {
        var low: String
        var high: String
        var count: String
    }

    /// A column.
    public struct Column: Sendable {
        /// Its name.
        public internal(set) var name: String
        /// What it says.
        public internal(set) var role: Role
        /// Its values, one for each row.
        public internal(set) var values: [ResultValue]
        /// The columns of its interval and count, if it holds means.
        var companions: Companions?

        /// Creates a column.
        public init(_ name: String, _ role: Role, _ values: [ResultValue]) {
            (self.name, self.role, self.values) = (name, role, values)
        }
    }

    /// The columns in order.
    public private(set) var columns: [Column]
    /// The number of rows.
    public let count: Int
    private let places: [String: Int]

    /// Creates a frame.
    ///
    /// - Throws: `FrameError` for names that are empty or collide, and for columns of different lengths.
    public init(_ columns: [Column]) throws {
        var places: [String: Int] = [:]
        for (place, column) in columns.enumerated() {
            guard !column.name.isEmpty else {
                throw FrameError("columns", "column \(place + 1) has no name")
            }
            guard places.updateValue(place, forKey: column.name) == nil else {
                throw FrameError("columns", "two columns are called \(column.name)")
            }
            guard column.values.count == columns[0].values.count else {
                throw FrameError(
                    "columns",
                    "\(columns[0].values.count) values expected of \(column.name), as \(columns[0].name) has, got \(column.values.count)"
                )
            }
        }
        self.columns = columns
        self.places = places
        count = columns.first?.values.count ?? 0
    }

    /// A frame of whose columns is known what they are.
    init(unchecked columns: [Column], count: Int) {
        self.columns = columns
        self.count = count
        places = Dictionary(
            columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The names of the columns.
    public var names: [String] { columns.map(\.name) }

    /// The columns of a role.
    func columns(_ role: Role) -> [Column] { columns.filter { $0.role == role } }

    /// Whether there is a column of a name.
    public func has(_ name: String) -> Bool { places[name] != nil }

    /// The column of a name.
    ///
    /// - Parameter field: What asks for it, for the message.
    /// - Throws: `FrameError` listing those that there are.
    public func column(_ name: String, for field: String = "column") throws -> Column {
        guard let place = places[name] else {
            let near = NearestName.hint(name, among: names)
            throw FrameError(
                field,
                "no column is called \(name)"
                    + (near.isEmpty ? "; known: \(names.joined(separator: ", "))" : near))
        }
        return columns[place]
    }

    /// The column's numbers.
    ///
    /// - Throws: `FrameError` when there is no such column, or a row has no number in it.
    public func numbers(_ name: String, for field: String = "column") throws -> [Double] {
        try column(name, for: field).values.enumerated().map { row, value in
            guard let number = value.number else {
                throw FrameError(
                    field,
                    value == .missing
                        ? "row \(row + 1) has no \(name); where \"\(name) ~= nil\" leaves such rows out"
                        : "\(name) holds \(value.quoted) in row \(row + 1); numbers expected")
            }
            return number
        }
    }

    /// The columns of a mean's lower and upper limit and count; none of any other column.
    package func companionNames(of column: Column) -> [String] {
        guard let parts = column.companions else { return [] }
        let names = [parts.low, parts.high, parts.count]
        return names.allSatisfy(has) ? names : []
    }

    /// The cells of a row in the order of the columns.
    public func row(_ index: Int) -> [ResultValue] { columns.map { $0.values[index] } }

    /// The rows at some places, in their order.
    public func rows(at places: [Int]) -> Frame {
        Frame(
            unchecked: columns.map { column in
                var column = column
                let values = column.values
                column.values = places.map { values[$0] }
                return column
            }, count: places.count)
    }

    /// The frame with some of its columns, each under a name, in this order.
    ///
    /// - Throws: `FrameError` for a column that does not exist and for names that collide.
    public func selecting(_ wanted: [(name: String, column: String)]) throws -> Frame {
        guard !wanted.isEmpty else {
            throw FrameError("select", "at least one column expected, got none")
        }
        let found = try wanted.map { item -> Column in
            var column = try column(item.column, for: "select")
            column.name = item.name
            return column
        }
        // A mean whose limits went away is a number like others.
        let kept = Set(found.map(\.name))
        return try Frame(
            found.map { column in
                var column = column
                if let parts = column.companions,
                    !kept.isSuperset(of: [parts.low, parts.high, parts.count])
                {
                    column.companions = nil
                }
                return column
            })
    }

    /// The frame with further columns.
    ///
    /// - Throws: `FrameError` for names that collide.
    public func adding(_ others: [Column]) throws -> Frame {
        for column in others where has(column.name) {
            throw FrameError(
                "with",
                "there is a column called \(column.name) already; give the new one another name"
            )
        }
        return try Frame(columns + others)
    }

    /// The rows of both, one below the other; a column that one of them does not have is missing in its rows.
    ///
    /// - Throws: `FrameError` for a column that is of another role in the other frame.
    public func appending(_ other: Frame) throws -> Frame {
        var all = columns.map { column in
            var column = column
            if let more = other.places[column.name] {
                column.values += other.columns[more].values
            } else {
                column.values += Array(repeating: .missing, count: other.count)
            }
            return column
        }
        for column in other.columns {
            if let place = places[column.name] {
                guard columns[place].role == column.role else {
                    throw FrameError(
                        "..",
                        "\(column.name) is \(columns[place].role.words) in the first frame and \(column.role.words) in the second"
                    )
                }
                continue
            }
            var column = column
            column.values = Array(repeating: .missing, count: count) + column.values
            all.append(column)
        }
        return Frame(unchecked: all, count: count + other.count)
    }
}

extension Frame.Role {
    /// What columns of this role are called in messages.
    var words: String {
        switch self {
        case .axis: "an axis of designs"
        case .seed: "a seed"
        case .value: "a measured value"
        case .note: "a note"
        }
    }
}

extension ResultValue {
    /// The value in messages: texts in quotes.
    package var quoted: String {
        switch self {
        case .text(let text): "\"\(text)\""
        case .missing: "nothing"
        case .number, .integer: short
        case .flag: description
        }
    }

    /// A number without a superfluous fraction.
    package var short: String {
        if case .number(let number) = self, let whole = Int(exactly: number), abs(whole) < 1 << 53 {
            return "\(whole)"
        }
        return description
    }

    /// The form in which equal values are equal: whole numbers, however they are stored, are one.
    var key: ResultValue {
        switch self {
        case .integer(let value): Double(exactly: value).map(ResultValue.number) ?? self
        case .number(let value): value == 0 ? .number(0) : self
        default: self
        }
    }

    /// The order of values of different kinds: numbers, flags, texts, what is missing.
    private var rank: Int {
        switch self {
        case .integer, .number: 0
        case .flag: 1
        case .text: 2
        case .missing: 3
        }
    }

    /// Whether the value stands before another: numbers by size, false before true, texts by their bytes.
    static func precedes(_ a: ResultValue, _ b: ResultValue) -> Bool {
        switch (a, b) {
        case (.integer(let a), .integer(let b)): return a < b
        case (.text(let a), .text(let b)): return a.utf8.lexicographicallyPrecedes(b.utf8)
        case (.flag(let a), .flag(let b)): return !a && b
        default:
            if let a = a.number, let b = b.number { return a < b }
            return a.rank < b.rank
        }
    }
}
