import RuntimeSupport

/// Text with places for the fields of a record: `"{instruction}\n{input}\n"`; `{{` and `}}` stand for braces.
public struct Template: Hashable, Sendable, Codable, CustomStringConvertible {
    /// A piece of a template.
    package enum Part: Hashable, Sendable {
        case literal([UInt8])
        case field(String)
    }

    package let parts: [Part]
    /// The template as written.
    public let description: String

    /// The names of its fields, each once, in order of first use.
    public var fields: [String] {
        var names: [String] = []
        for case .field(let name) in parts where !names.contains(name) { names.append(name) }
        return names
    }

    /// Reads a template.
    ///
    /// - Throws: `InvalidValue` for an unmatched brace, an empty field name, or a template with no field.
    public init(_ text: String) throws {
        description = text
        var parts: [Part] = []
        var literal: [UInt8] = []
        let bytes = Array(text.utf8)
        let open = UInt8(ascii: "{")
        let close = UInt8(ascii: "}")
        var index = 0
        func invalid(_ what: String) -> InvalidValue {
            InvalidValue(
                "template", expected: "\(what); write {{ and }} for braces themselves",
                found: "\"\(text)\"")
        }
        while index < bytes.count {
            let byte = bytes[index]
            let doubled = index + 1 < bytes.count && bytes[index + 1] == byte
            if (byte == open || byte == close) && doubled {
                literal.append(byte)
                index += 2
            } else if byte == open {
                guard let end = bytes[index...].firstIndex(of: close), end > index + 1 else {
                    throw invalid("a field name and \"}\" after \"{\"")
                }
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = []
                parts.append(.field(String(decoding: bytes[index + 1..<end], as: UTF8.self)))
                index = end + 1
            } else if byte == close {
                throw invalid("\"{\" before \"}\"")
            } else {
                literal.append(byte)
                index += 1
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        self.parts = parts
        guard !fields.isEmpty else { throw invalid("at least one field, such as {text}") }
    }

    /// The template that is one field.
    public init(field: String) {
        parts = [.field(field)]
        description = "{\(field.replacing("{", with: "{{").replacing("}", with: "}}"))}"
    }

    /// Appends the template with each field's bytes in place; a field that is absent adds nothing.
    package func render(_ values: [String: [UInt8]], into document: inout Document) {
        for part in parts {
            switch part {
            case .literal(let bytes): document.appendTemplate(bytes)
            case .field(let name): document.text += values[name] ?? []
            }
        }
    }

    /// The text between the fields.
    var literals: [[UInt8]] {
        parts.compactMap { if case .literal(let bytes) = $0 { bytes } else { nil } }
    }

    /// Decodes the template as written.
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    /// Encodes the template as written.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
