import Foundation
import RuntimeSupport

/// A JSON value held whole; objects keep the order of their keys.
public enum JSONValue: Sendable {
    case object([(key: String, value: JSONValue)])
    case array([JSONValue])
    case string(String)
    case number(Double)
    case boolean(Bool)
    case null

    /// Reads a whole file of at most `limit` bytes; values take up to some twenty times its size.
    ///
    /// - Throws: `FileError`; `TextError` naming the file, line and column, also for a key that appears twice.
    package static func read(_ path: String, limit: Int) throws -> JSONValue {
        let bytes = try FileReader.bytes(path, limit: limit)
        let start = Array(bytes.prefix(4096))
        if let reason = SniffedInput.fault(start) { throw TextError(path, reason) }
        if let page = SniffedInput.page(start) { throw TextError(path, "it is \(page), not JSON") }
        return try read(bytes, file: path)
    }

    /// Reads a whole text.
    ///
    /// - Throws: `TextError` naming `file`, line and column.
    package static func read(_ bytes: [UInt8], file: String) throws -> JSONValue {
        try bytes.withUnsafeBytes { buffer in
            if let position = UTF8Check.firstInvalid(buffer) {
                let line = buffer[..<position].count { $0 == 10 } + 1
                throw TextError(file, line: line, "byte \(position) of the file is not UTF-8")
            }
            var scanner = JSONScanner(buffer)
            do {
                let value = try read(&scanner, depth: 100)
                try scanner.finish()
                return value
            } catch let failure as JSONFailure {
                let before = buffer[..<failure.offset]
                let line = before.count { $0 == 10 } + 1
                let column = failure.offset - (before.lastIndex(of: 10) ?? -1)
                throw TextError(file, line: line, "column \(column): \(failure.reason)")
            }
        }
    }

    private static func read(
        _ scanner: inout JSONScanner, depth: Int
    ) throws(JSONFailure) -> JSONValue {
        guard depth > 0 else { throw scanner.failure("nested deeper than 100 levels") }
        switch try scanner.kind() {
        case .object:
            var members: [(key: String, value: JSONValue)] = []
            // Names are bytes: characters that Unicode calls equivalent are different names.
            var names: Set<[UInt8]> = []
            try scanner.object { (key, scanner) throws(JSONFailure) in
                let name = String(decoding: copy key, as: UTF8.self)
                guard names.insert(Array(name.utf8)).inserted else {
                    throw scanner.failure("the key \(quoted(name)) appears twice")
                }
                members.append((name, try read(&scanner, depth: depth - 1)))
            }
            return .object(members)
        case .array:
            var elements: [JSONValue] = []
            try scanner.array { scanner throws(JSONFailure) in
                elements.append(try read(&scanner, depth: depth - 1))
            }
            return .array(elements)
        case .string:
            var bytes: [UInt8] = []
            try scanner.string(into: &bytes)
            return .string(String(decoding: bytes, as: UTF8.self))
        case .number: return .number(try scanner.number())
        case .boolean: return .boolean(try scanner.boolean())
        case .null:
            try scanner.skip()
            return .null
        }
    }

    /// The member of an object called `key`; `nil` without one, and for null.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self,
            let value = members.first(where: { $0.key == key })?.value
        else { return nil }
        if case .null = value { return nil }
        return value
    }

    /// The string, if it is one.
    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The truth value, if it is one.
    package var boolean: Bool? {
        guard case .boolean(let value) = self else { return nil }
        return value
    }

    /// The elements, if it is an array.
    package var array: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The number, if it is one.
    package var number: Double? {
        guard case .number(let value) = self else { return nil }
        return value
    }

    /// The value as JSON, on one line.
    package var text: String {
        switch self {
        case .null: "null"
        case .string(let text): Self.quoted(text)
        case .number(let number): Self.text(number)
        case .boolean(let flag): "\(flag)"
        case .array(let elements): "[\(elements.map(\.text).joined(separator: ", "))]"
        case .object(let members):
            "{\(members.map { "\(Self.quoted($0.key)): \($0.value.text)" }.joined(separator: ", "))}"
        }
    }

    /// Whole numbers without an exponent, so that readers take them for whole ones.
    private static func text(_ number: Double) -> String {
        if let whole = Int(exactly: number) { return "\(whole)" }
        return number == number.rounded() ? String(format: "%.0f", number) : "\(number)"
    }

    /// The number, if it is a whole one that fits.
    package var integer: Int? {
        guard case .number(let value) = self else { return nil }
        return Int(exactly: value)
    }

    /// The value in an error message.
    package var words: String {
        switch self {
        case .null: "null"
        case .string(let text): Self.quoted(text)
        case .number(let number): Int(exactly: number).map { "\($0)" } ?? "\(number)"
        case .boolean(let flag): "\(flag)"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// A string as JSON text, with quotes.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension JSONValue: Encodable {
    /// Encodes the value as it is.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let members):
            var container = encoder.container(keyedBy: Key.self)
            for (key, value) in members {
                try container.encode(value, forKey: Key(stringValue: key))
            }
        case .array(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
        default:
            var container = encoder.singleValueContainer()
            switch self {
            case .string(let text): try container.encode(text)
            case .number(let number):
                if let whole = Int(exactly: number) {
                    try container.encode(whole)
                } else {
                    try container.encode(number)
                }
            case .boolean(let flag): try container.encode(flag)
            default: try container.encodeNil()
            }
        }
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
