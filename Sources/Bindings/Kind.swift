/// What a parameter accepts.
public indirect enum Kind {
    /// `true` or `false`.
    case boolean
    /// An integer in a range; a float with an integral value counts.
    case integer(ClosedRange<Int>)
    /// A number in a range.
    case number(NumberRange)
    /// UTF-8 text.
    case string
    /// UTF-8 text that is the name of something, which completion knows.
    case name(Named)
    /// Any string.
    case bytes
    /// One of a few names.
    case choice([String])
    /// The path of a file or folder; refused outside the working folder under `--safe`.
    case path
    /// An object of one of the named types.
    case object([String])
    /// A function.
    case function
    /// A table, whatever it holds.
    case table
    /// Any value but nil.
    case any
    /// A list; a single value counts as a list of one.
    case list(Kind)
    /// A table from names to values.
    case map(Kind)
    /// A table of named options.
    case options([Parameter])
    /// The first that fits.
    case either([Kind])

    /// In words, for error messages and the reference.
    public var name: String {
        switch self {
        case .boolean: "boolean"
        case .integer(let range): Self.integerName(range)
        case .number(let range): range.name
        case .string: "string"
        case .name, .bytes: "string"
        case .choice(let names): names.map { "\"\($0)\"" }.joined(separator: " or ")
        case .path: "path"
        case .object(let names): names.joined(separator: " or ")
        case .function: "function"
        case .table: "table"
        case .any: "any value"
        case .list(let kind): "list of \(kind.name)"
        case .map(let kind): "table from names to \(kind.name)"
        case .options: "table of options"
        case .either(let kinds): kinds.map(\.name).joined(separator: " or ")
        }
    }

    private static func integerName(_ range: ClosedRange<Int>) -> String {
        switch (range.lowerBound, range.upperBound) {
        case (.min, .max): "integer"
        case (1, .max): "positive integer"
        case (0, .max): "non-negative integer"
        case (let low, .max): "integer of at least \(low)"
        case (.min, let high): "integer of at most \(high)"
        case (let low, let high): "integer in \(low) ... \(high)"
        }
    }
}

/// What a name stands for.
public enum Named {
    /// A run of the store.
    case run
    /// A corpus of the session, whose losses are columns of results.
    case corpus
}

/// Which numbers a parameter accepts.
public enum NumberRange {
    /// Any, infinities and NaN too.
    case any
    /// Any finite number.
    case finite
    /// Greater than 0.
    case positive
    /// At least 0.
    case nonNegative
    /// 0 ... 1.
    case fraction
    /// Between two numbers, both included.
    case between(Double, Double)

    func contains(_ value: Double) -> Bool {
        switch self {
        case .any: true
        case .finite: value.isFinite
        case .positive: value.isFinite && value > 0
        case .nonNegative: value.isFinite && value >= 0
        case .fraction: value >= 0 && value <= 1
        case .between(let low, let high): value >= low && value <= high
        }
    }

    var name: String {
        switch self {
        case .any: "number"
        case .finite: "finite number"
        case .positive: "positive number"
        case .nonNegative: "non-negative number"
        case .fraction: "number in 0 ... 1"
        case .between(let low, let high): "number in \(low) ... \(high)"
        }
    }
}
