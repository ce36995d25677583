import RuntimeSupport

/// A record as it stands in a file, or a value in it.
public indirect enum RecordValue: Sendable {
    /// Values by name, in the order of the record; of two with one name the later counts.
    case object([(key: String, value: RecordValue)])
    /// A list.
    case list([RecordValue])
    /// A string, valid UTF-8.
    case text([UInt8])
    /// A number that is written without a point or exponent and fits.
    case integer(Int)
    /// Any other number.
    case number(Double)
    /// `true` or `false`.
    case boolean(Bool)
    /// Nothing.
    case null

    /// How deeply values may lie within each other.
    private static let depth = 100

    /// Reads a record that is valid UTF-8.
    ///
    /// - Throws: `JSONFailure`, also for values nested deeper than 100 levels.
    package init(json: [UInt8]) throws(JSONFailure) {
        let result = json.withUnsafeBytes { bytes -> Result<RecordValue, JSONFailure> in
            var scanner = JSONScanner(bytes)
            do throws(JSONFailure) {
                return .success(try RecordValue(&scanner, Self.depth))
            } catch { return .failure(error) }
        }
        self = try result.get()
    }

    private init(_ scanner: inout JSONScanner, _ depth: Int) throws(JSONFailure) {
        guard depth > 0 else { throw scanner.failure("nested deeper than \(Self.depth) levels") }
        switch try scanner.kind() {
        case .object:
            var members: [(key: String, value: RecordValue)] = []
            try scanner.object { (key, scanner) throws(JSONFailure) in
                let name = String(decoding: copy key, as: UTF8.self)
                members.append((name, try RecordValue(&scanner, depth - 1)))
            }
            self = .object(members)
        case .array:
            var elements: [RecordValue] = []
            try scanner.array { scanner throws(JSONFailure) in
                elements.append(try RecordValue(&scanner, depth - 1))
            }
            self = .list(elements)
        case .string:
            var text: [UInt8] = []
            try scanner.string(into: &text)
            self = .text(text)
        case .number:
            var text: [UInt8] = []
            try scanner.text(into: &text)
            let digits = String(decoding: text, as: UTF8.self)
            self = Int(digits).map { .integer($0) } ?? .number(Double(digits) ?? .nan)
        case .boolean: self = .boolean(try scanner.boolean())
        case .null:
            try scanner.skip()
            self = .null
        }
    }
}

/// A record as a file holds it, read when it is looked at.
package enum RawRecord: Sendable {
    /// The text of a JSON object.
    case json([UInt8])
    /// Values by the names of their columns.
    case row([(name: String, value: [UInt8])])

    /// The record's values.
    ///
    /// - Throws: `JSONFailure`.
    package func value() throws(JSONFailure) -> RecordValue {
        switch self {
        case .json(let bytes): try RecordValue(json: bytes)
        case .row(let values): .object(values.map { ($0.name, .text($0.value)) })
        }
    }
}
