import CLua
import Runtime

/// How the prompt shows things.
public struct Display {
    /// Columns of the terminal.
    public var width: () -> Int = { 80 }
    /// Whether text on standard output may be coloured.
    public var colours = false
    /// Whether somebody shows HTML.
    public var html: () -> Bool = { false }
    /// Whether the progress line is rewritten in place.
    public var isLive = false

    /// 80 columns, no colours.
    public init() {}

    /// Text in bold, where there are colours.
    public func bold(_ text: String) -> String { colours ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
}

/// The functions of the prelude that Swift calls.
struct Helpers {
    let printer, keep, configure, begin, strict, isStrict, source, nameOf, describe,
        described: Callback

    init(_ table: Table) throws {
        func function(_ name: String) throws -> Callback {
            guard case .function(let callback)? = table[name] else { throw UnknownName(name: name) }
            return callback
        }
        printer = try function("printer")
        keep = try function("keep")
        configure = try function("configure")
        begin = try function("begin")
        strict = try function("strict")
        isStrict = try function("is_strict")
        source = try function("source")
        describe = try function("describe")
        described = try function("described")
        nameOf = try function("name_of")
    }
}

extension Interpreter {
    /// Runs the prelude: the printer, and strict globals.
    func prepare() throws {
        let state = try open()
        for function in [
            Self.undefinedGlobal, Self.page, Self.present, Self.columns, Self.cut, Self.shown,
            Self.displayed,
        ] {
            try check(mt_add_function(state, "mt_internal", function.name, note(function)))
        }
        guard case .table(let table)? = try evaluate(Prelude.text, name: "=prelude").first else {
            throw LuaError("the prelude returned nothing")
        }
        helpers = try Helpers(table)
        if settings.strict { try helpers?.strict.call(true) }
    }

    /// Makes the globals of a prompt: `Out`, `who` and `help`; from here on `_` and `Out` keep results.
    public func beginPrompt() throws { try helpers?.begin.call() }

    /// The value of an expression as text, as the prompt shows it; nothing is kept or printed.
    public func text(of expression: String) throws -> String {
        try run("return \(expression)\n", name: "=expression", results: .described)
        switch try helpers?.described.call().first {
        case .string(let text)?: return text
        case .bytes(let bytes)?: return String(decoding: bytes, as: UTF8.self)
        default: return ""
        }
    }

    /// What is done with the results of a chunk.
    public enum Handling {
        /// They are dropped.
        case dropped
        /// They are kept in `_` and `Out`.
        case kept
        /// They are kept and printed.
        case printed
        /// Their text is what `Helpers.described` gives.
        case described
    }

    /// The reference of the function that takes results, 0 for none.
    package func receiver(_ results: Handling) throws -> Int32 {
        switch results {
        case .dropped: return 0
        case .kept: return helpers?.keep.reference ?? 0
        case .described:
            try helpers?.configure.call(settings.display.width(), false, false)
            return helpers?.describe.reference ?? 0
        case .printed:
            let display = settings.display
            try helpers?.configure.call(display.width(), display.colours, display.html())
            return helpers?.printer.reference ?? 0
        }
    }

    /// A chunk with `return` before its last statement, so that its value is shown; nil if it is not an expression.
    ///
    /// A line that could go on with the line before, such as one that begins with a parenthesis, stays what it is in Lua.
    public func returningLast(_ text: String, name: String) -> String? {
        guard let place = lastStatement(text, name: name) else { return nil }
        let bytes = Array(text.utf8)
        let chunk =
            String(decoding: bytes[..<place], as: UTF8.self) + "return "
            + String(decoding: bytes[place...], as: UTF8.self)
        return (try? parse(chunk, name: name)) == nil ? nil : chunk
    }

    /// Where the expression begins whose value the prompt shows, in bytes; `nil` if a piece of Lua does not end with one.
    public func lastExpression(_ text: String, name: String) -> Int? {
        if (try? parse("return \(text)", name: name)) != nil { return 0 }
        guard returningLast(text, name: name) != nil else { return nil }
        return lastStatement(text, name: name)
    }

    /// Where the last statement begins that may be an expression.
    private func lastStatement(_ text: String, name: String) -> Int? {
        let tokens = LuaTokens(text).tokens
        let bytes = Array(text.utf8)
        let enclosing = Expressions(tokens, self).enclosing
        // A statement that is longer than this is not an expression that anybody wants to see.
        var tries = 200
        for (index, token) in tokens.enumerated().dropFirst().reversed() {
            let before = tokens[index - 1]
            let isFirst = bytes[before.end..<token.start].contains(UInt8(ascii: "\n"))
            guard enclosing[index] == nil, isFirst || before.text == ";" else { continue }
            switch token.kind {
            case .name, .number: break
            case .keyword where ["not", "nil", "true", "false"].contains(token.text): break
            case .symbol where token.text == "#": break
            default: continue
            }
            tries -= 1
            if tries == 0 { return nil }
            let head = String(decoding: bytes[..<token.start], as: UTF8.self)
            guard (try? parse(head, name: name)) != nil else { continue }
            return token.start
        }
        return nil
    }

    /// Whether a piece of Lua ends with a semicolon, which keeps the prompt from printing.
    public static func isSilenced(_ text: String) -> Bool {
        guard let last = LuaTokens(text).tokens.last(where: { $0.kind != .openComment }) else {
            return false
        }
        return last.kind == .symbol && last.text == ";"
    }
}
