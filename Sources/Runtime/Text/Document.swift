/// The three disjoint parts of a corpus.
public enum Split: String, CaseIterable, Codable, Sendable {
    /// Documents for training.
    case train
    /// Documents for choices made while developing, such as a learning rate.
    case valid
    /// Documents for the figures that are reported.
    case test
}

/// One document: some text, of which a leading part may be a prompt that the loss ignores.
public struct Document: Sendable {
    /// The text, valid UTF-8.
    public var text: [UInt8]
    /// How many leading bytes are prompt; 0 when every byte counts.
    public var promptBytes: Int
    /// Where it was read, `FILE:LINE`, or the file alone.
    public var location: String

    /// Creates a document.
    public init(text: [UInt8], promptBytes: Int = 0, location: String = "") {
        self.text = text
        self.promptBytes = promptBytes
        self.location = location
    }
}

/// Which parts of a record make a document.
public enum Fields: Hashable, Sendable, Codable {
    /// The whole document.
    case text(Template)
    /// A prompt that the loss ignores and the response to it.
    case prompted(prompt: Template, response: Template)

    /// The field called `text`.
    public static let standard = Fields.text(Template(field: "text"))

    /// The names of the fields needed.
    var names: [String] {
        switch self {
        case .text(let template): template.fields
        case .prompted(let prompt, let response): prompt.fields + response.fields
        }
    }
}

/// Makes documents of the lines of a JSON Lines file.
struct RecordReader {
    private let fields: Fields
    private let names: [(name: String, bytes: [UInt8])]
    private var values: [String: [UInt8]] = [:]

    init(_ fields: Fields) {
        self.fields = fields
        names = Set(fields.names).sorted().map { ($0, Array($0.utf8)) }
    }

    /// The text of the record on `line` and the length of its prompt.
    ///
    /// - Throws: `TextError` naming the file, the line, and the field or column.
    mutating func read(
        _ line: UnsafeRawBufferPointer, file: String, number: Int
    ) throws -> (text: [UInt8], promptBytes: Int) {
        if let position = UTF8Check.firstInvalid(line) {
            throw TextError(file, line: number, "byte \(position + 1) of the line is not UTF-8")
        }
        values.removeAll(keepingCapacity: true)
        var scanner = JSONScanner(line)
        do {
            guard try scanner.kind() == .object else {
                throw scanner.failure("expected a JSON object")
            }
            let names = names
            var values = values
            try scanner.object { (key, scanner) throws(JSONFailure) in
                guard let (name, _) = names.first(where: { $0.bytes == key }) else {
                    return try scanner.skip()
                }
                let kind = try scanner.kind()
                guard kind == .string else {
                    throw scanner.failure(
                        "field \"\(name)\": expected a string, found \(Self.words(kind))")
                }
                guard values[name] == nil else {
                    throw scanner.failure("field \"\(name)\" stands twice")
                }
                var value: [UInt8] = []
                try scanner.string(into: &value)
                values[name] = value
            }
            try scanner.finish()
            self.values = values
        } catch let failure as JSONFailure {
            throw TextError(
                file, line: number, "column \(failure.offset + 1): \(failure.reason)")
        }
        for (name, _) in names where values[name] == nil {
            let known = Self.keys(of: line)
            throw TextError(
                file, line: number,
                "the record has no field \"\(name)\"; it has "
                    + (known.isEmpty ? "none" : known.joined(separator: ", "))
                    + NearestName.hint(name, known))
        }
        var text: [UInt8] = []
        switch fields {
        case .text(let template):
            template.render(values, into: &text)
            return (text, 0)
        case .prompted(let prompt, let response):
            prompt.render(values, into: &text)
            let promptBytes = text.count
            response.render(values, into: &text)
            return (text, promptBytes)
        }
    }

    /// The names of a record's fields, the first dozen, in order.
    private static func keys(of line: UnsafeRawBufferPointer) -> [String] {
        var scanner = JSONScanner(line)
        var keys: [String] = []
        try? scanner.object { (key, scanner) throws(JSONFailure) in
            if keys.count < 12 { keys.append(String(decoding: key, as: UTF8.self)) }
            try scanner.skip()
        }
        return keys
    }

    private static func words(_ kind: JSONScanner.Kind) -> String {
        switch kind {
        case .object, .array: "an \(kind.rawValue)"
        case .null: "null"
        default: "a \(kind.rawValue)"
        }
    }
}

/// Whether bytes are well-formed UTF-8.
enum UTF8Check {
    /// The offset of the first byte that is not part of a well-formed sequence; `nil` if there is none.
    static func firstInvalid(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var index = 0
        while index < bytes.count {
            while index + 8 <= bytes.count,
                bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080
                    == 0
            {
                index += 8
            }
            guard index < bytes.count else { return nil }
            let length = sequenceLength(bytes, index)
            guard length > 0 else { return index }
            index += length
        }
        return nil
    }

    /// The length of the well-formed sequence that starts at `index`; 0 if none does.
    @inline(__always)
    static func sequenceLength(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Int {
        let first = bytes[index]
        if first < 0x80 { return 1 }
        let left = bytes.count - index
        func continues(_ offset: Int) -> Bool { bytes[index + offset] & 0xc0 == 0x80 }
        if first < 0xc2 { return 0 }
        if first < 0xe0 { return left > 1 && continues(1) ? 2 : 0 }
        if first < 0xf0 {
            guard left > 2, continues(1), continues(2) else { return 0 }
            let second = bytes[index + 1]
            if first == 0xe0 && second < 0xa0 { return 0 }  // shorter forms exist
            if first == 0xed && second > 0x9f { return 0 }  // surrogates
            return 3
        }
        guard first < 0xf5, left > 3, continues(1), continues(2), continues(3) else { return 0 }
        let second = bytes[index + 1]
        if first == 0xf0 && second < 0x90 { return 0 }
        if first == 0xf4 && second > 0x8f { return 0 }
        return 4
    }
}
