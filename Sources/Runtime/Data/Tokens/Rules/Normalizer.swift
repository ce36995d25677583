import RuntimeSupport

/// A step that changes a text before it is cut into words, as the tokenizers library does it.
package enum Normalizer: Sendable {
    case form(NormalForm)
    /// Every character by itself, so that a final sigma is not a special case.
    case lowercase
    /// Takes white space away at the ends.
    case strip(left: Bool, right: Bool)
    /// Puts a text before one that is not empty.
    case prepend([UInt8])
    case replace(TextPattern, with: [UInt8])

    /// The text after this step; `nil` if it is so already.
    ///
    /// - Parameter continues: Whether other text stands before it, so that nothing is put between.
    /// - Throws: `Interrupted`.
    package func apply(_ text: [UInt8], continues: Bool, stop: ShouldStop) throws -> [UInt8]? {
        switch self {
        case .form(let form): return try text.withUnsafeBytes { try form.apply($0, stop: stop) }
        case .lowercase: return text.withUnsafeBytes(Self.lowercased)
        case .prepend(let start): return text.isEmpty || continues ? nil : start + text
        case .strip(let left, let right): return stripped(text, left, right)
        case .replace(let pattern, let content):
            var result: [UInt8] = []
            var done = 0
            try text.withUnsafeBytes { bytes in
                try pattern.forEachMatch(bytes, stop: stop) { start, end in
                    result.append(contentsOf: bytes[done..<start])
                    result.append(contentsOf: content)
                    done = end
                }
            }
            return result.isEmpty && done == 0 ? nil : result + text[done...]
        }
    }

    /// Whether the first character of a text may go, after which nothing stands at the text's beginning for
    /// the library.
    var removesStart: Bool {
        switch self {
        case .strip: true
        case .replace(_, let content): content.isEmpty
        case .form, .lowercase, .prepend: false
        }
    }

    /// Whether a text that is cut before a space behind visible ASCII comes out as its two parts do.
    var allowsCuts: Bool {
        switch self {
        case .form, .lowercase, .prepend: true
        case .strip: false
        case .replace(.literal(let literal), _): literal.count == 1
        case .replace(.expression, _): false
        }
    }

    private static func lowercased(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte < 0x80 {
                result.append((0x41...0x5a).contains(byte) ? byte + 0x20 : byte)
                index += 1
                continue
            }
            let (value, length) = UTF8Check.character(text, index)
            if let scalar = value.flatMap(UnicodeScalar.init) {
                result.append(contentsOf: lowercased(scalar).utf8)
            } else {
                result.append(byte)
            }
            index += length
        }
        return result
    }

    /// Of Unicode 17, which the library has here whatever the Swift library of this machine knows.
    private static func lowercased(_ scalar: UnicodeScalar) -> String {
        switch scalar.value {
        case 0xa7ce, 0xa7d2, 0xa7d4:
            return UnicodeScalar(scalar.value + 1).map { String($0) } ?? ""
        case 0x16ea0...0x16eb8: return UnicodeScalar(scalar.value + 0x1b).map { String($0) } ?? ""
        default: return scalar.properties.lowercaseMapping
        }
    }

    private func stripped(_ text: [UInt8], _ left: Bool, _ right: Bool) -> [UInt8]? {
        text.withUnsafeBytes { bytes in
            let start = left ? TextEdges.spaceEnd(bytes, from: 0) : 0
            let end =
                right ? max(start, TextEdges.spaceStart(bytes, before: text.count)) : text.count
            return start == 0 && end == text.count ? nil : Array(text[start..<end])
        }
    }

    /// As a `tokenizer.json` has it.
    package var json: JSONValue {
        func object(_ type: String, _ members: (String, JSONValue)...) -> JSONValue {
            .object([("type", .string(type))] + members)
        }
        func text(_ bytes: [UInt8]) -> JSONValue { .string(String(decoding: bytes, as: UTF8.self)) }
        switch self {
        case .form(let form): return object(form.rawValue)
        case .lowercase: return object("Lowercase")
        case .strip(let left, let right):
            return object("Strip", ("strip_left", .boolean(left)), ("strip_right", .boolean(right)))
        case .prepend(let start): return object("Prepend", ("prepend", text(start)))
        case .replace(let pattern, let content):
            return object("Replace", ("pattern", pattern.json), ("content", text(content)))
        }
    }
}
