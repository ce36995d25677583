/// What a parameter accepts.
public indirect enum Kind {
    /// `true` or `false`.
    case boolean
    /// An integer of a bounded kind; a float with an integral value counts.
    case integer(IntegerKind)
    /// A number of a bounded kind.
    case number(NumberKind)
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
        case .integer(let kind): kind.name
        case .number(let kind): kind.name
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
}

/// What a name stands for.
public enum Named {
    /// A run of the store.
    case run
    /// A corpus of the session, whose losses are columns of results.
    case corpus
}
