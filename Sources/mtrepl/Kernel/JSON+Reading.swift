import Runtime

extension JSON {
    /// Levels of nesting that are read at most.
    static let deepest = 200

    /// Reads a whole text.
    ///
    /// - Throws: `JSONFailure` with the place of what is wrong; a key that appears twice in an object is too.
    init(reading bytes: [UInt8]) throws(JSONFailure) {
        if let position = bytes.withUnsafeBytes({ UTF8Check.firstInvalid($0) }) {
            throw JSONFailure(offset: position, reason: "a byte that is not UTF-8")
        }
        let result = bytes.withUnsafeBytes { buffer -> Result<JSON, JSONFailure> in
            Result { () throws(JSONFailure) in
                var scanner = JSONScanner(buffer)
                let value = try Self.read(&scanner, Self.deepest)
                try scanner.finish()
                return value
            }
        }
        self = try result.get()
    }

    /// Reads one value at the beginning of a text; returns what is left of it too, or `nil` if there is none.
    static func prefix(of bytes: ArraySlice<UInt8>) -> (value: JSON, rest: ArraySlice<UInt8>)? {
        let copy = Array(bytes)
        return copy.withUnsafeBytes { buffer in
            guard UTF8Check.firstInvalid(buffer) == nil else { return nil }
            var scanner = JSONScanner(buffer)
            guard let value = try? read(&scanner, deepest) else { return nil }
            return (value, bytes.dropFirst(scanner.offset))
        }
    }

    private static func read(
        _ scanner: inout JSONScanner, _ depth: Int
    ) throws(JSONFailure) -> JSON {
        guard depth > 0 else { throw scanner.failure("nested deeper than \(deepest) levels") }
        switch try scanner.kind() {
        case .object:
            var fields: [(String, JSON)] = []
            var names: Set<[UInt8]> = []
            try scanner.object { (key, scanner) throws(JSONFailure) in
                let name = copy key
                guard names.insert(name).inserted else {
                    throw scanner.failure(
                        "the key \(JSON.string(String(decoding: name, as: UTF8.self)).text) appears twice"
                    )
                }
                fields.append(
                    (String(decoding: name, as: UTF8.self), try read(&scanner, depth - 1)))
            }
            return .object(fields)
        case .array:
            var items: [JSON] = []
            try scanner.array { scanner throws(JSONFailure) in
                items.append(try read(&scanner, depth - 1))
            }
            return .array(items)
        case .string:
            var bytes: [UInt8] = []
            try scanner.string(into: &bytes)
            return .string(String(decoding: bytes, as: UTF8.self))
        case .number:
            var bytes: [UInt8] = []
            try scanner.text(into: &bytes)
            let text = String(decoding: bytes, as: UTF8.self)
            return Int(text).flatMap { text == String($0) ? JSON.integer($0) : nil }
                ?? .number(text)
        case .boolean: return .boolean(try scanner.boolean())
        case .null:
            try scanner.skip()
            return .null
        }
    }
}

extension JSON: Equatable {
    /// Whether two values have the same fields, in whatever order, and numbers and texts that are the same byte by byte.
    static func == (a: JSON, b: JSON) -> Bool { a.sorted.bytes == b.sorted.bytes }

    private var sorted: JSON {
        switch self {
        case .object(let fields):
            .object(
                fields.map { ($0, $1.sorted) }.sorted {
                    $0.0.utf8.lexicographicallyPrecedes($1.0.utf8)
                })
        case .array(let items): .array(items.map(\.sorted))
        default: self
        }
    }

    /// The field of an object; `nil` without it.
    subscript(key: String) -> JSON? {
        get { fields?.first { $0.0.utf8.elementsEqual(key.utf8) }?.1 }
        set {
            var fields = self.fields ?? []
            let place = fields.firstIndex { $0.0.utf8.elementsEqual(key.utf8) }
            switch (place, newValue) {
            case (let place?, let value?): fields[place].1 = value
            case (let place?, nil): fields.remove(at: place)
            case (nil, let value?): fields.append((key, value))
            case (nil, nil): break
            }
            self = .object(fields)
        }
    }

    /// The fields, if it is an object.
    var fields: [(String, JSON)]? {
        if case .object(let fields) = self { fields } else { nil }
    }

    /// The text, if it is one.
    var string: String? { if case .string(let text) = self { text } else { nil } }

    /// The number, if it is a whole one that fits.
    var int: Int? { if case .integer(let value) = self { value } else { nil } }

    /// The value in an error message.
    var words: String {
        switch self {
        case .object: "an object"
        case .array: "a list"
        default: text.count > 60 ? text.prefix(60) + "…" : text
        }
    }
}
