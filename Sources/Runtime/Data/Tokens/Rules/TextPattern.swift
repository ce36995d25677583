import RuntimeSupport

/// What a normalizer or a pre-tokenizer looks for: a text as it is, or a regular expression.
package enum TextPattern: Sendable {
    case literal([UInt8])
    case expression(RegularExpression)

    /// Calls `body` with the start and end of each match, from left to right and without overlap.
    ///
    /// - Throws: `Interrupted`; what `body` throws.
    package func forEachMatch(
        _ text: UnsafeRawBufferPointer, stop: ShouldStop, _ body: (Int, Int) throws -> Void
    ) throws {
        switch self {
        case .expression(let expression): try expression.forEachMatch(text, stop: stop, body)
        case .literal(let literal):
            var index = 0
            while index + literal.count <= text.count {
                if text[index] == literal[0],
                    text[index..<index + literal.count].elementsEqual(literal)
                {
                    try body(index, index + literal.count)
                    index += literal.count
                } else {
                    index += 1
                }
            }
        }
    }

    /// As a `tokenizer.json` has it.
    package var json: JSONValue {
        switch self {
        case .literal(let bytes):
            .object([("String", .string(String(decoding: bytes, as: UTF8.self)))])
        case .expression(let expression): .object([("Regex", .string(expression.pattern))])
        }
    }
}
