import Foundation
import RuntimeSupport
import RuntimeTraining

/// Reads expressions over columns, by the precedence of Lua's operators.
struct FrameExpressionParser {
    /// The functions that expressions may call.
    static let functions:
        [String: (arguments: ClosedRange<Int>, body: @Sendable ([Double]) -> Double)] = [
            "abs": (1...1, { abs($0[0]) }), "sqrt": (1...1, { $0[0].squareRoot() }),
            "exp": (1...1, { exp($0[0]) }), "log": (1...1, { log($0[0]) }),
            "log2": (1...1, { log2($0[0]) }), "log10": (1...1, { log10($0[0]) }),
            "floor": (1...1, { $0[0].rounded(.down) }), "ceil": (1...1, { $0[0].rounded(.up) }),
            "min": (1...16, { $0.min() ?? .nan }), "max": (1...16, { $0.max() ?? .nan }),
        ]

    /// Binary operators from the loosest; `^` is read with the operands.
    private static let levels = [
        ["or"], ["and"], ["<", ">", "<=", ">=", "~=", "=="], [".."], ["+", "-"],
        ["*", "/", "//", "%"],
    ]
    /// What texts in other languages would call these.
    private static let foreign = ["!=": "~=", "&&": "and", "||": "or", "!": "not", "=": "=="]
    /// Parentheses and operators within each other.
    private static let deepest = 100
    /// Bytes of the text: a chain of operators nests as deep as it is long.
    private static let longest = 4000

    private enum Token: Equatable {
        case number(ResultValue)
        case text(String)
        case name(String)
        case quoted(String)
        case symbol(String)
        case end

        var description: String {
            switch self {
            case .number(let value): value.description
            case .text(let text): "\"\(text)\""
            case .name(let name), .quoted(let name), .symbol(let name): "'\(name)'"
            case .end: "the end"
            }
        }
    }

    private let text: String
    private let field: String
    private var rest: Substring
    private var token = Token.end
    private var depth = 0
    /// The columns found so far.
    private(set) var names: [String] = []

    init(_ text: String, _ field: String) {
        self.text = text
        self.field = field
        rest = text[...]
    }

    private func error(_ reason: String) -> FrameError {
        FrameError(field, "\(text.count > 80 ? text.prefix(77) + "..." : text): \(reason)")
    }

    /// The whole text as one expression.
    mutating func whole() throws -> FrameExpression.Node {
        guard text.utf8.count <= Self.longest else {
            throw FrameError(
                field,
                "an expression of at most \(Self.longest) bytes expected, got \(text.utf8.count)")
        }
        try advance()
        guard token != .end else {
            throw FrameError(field, "an expression expected, got an empty text")
        }
        let node = try level(0)
        guard token == .end else {
            throw error("an operator or the end expected, got \(token.description)")
        }
        return node
    }

    private mutating func level(_ index: Int) throws -> FrameExpression.Node {
        guard index < Self.levels.count else { return try prefix() }
        var left = try level(index + 1)
        while case .symbol(let symbol) = token, Self.levels[index].contains(symbol) {
            try advance()
            left = .binary(symbol, left, try level(index + 1))
        }
        return left
    }

    private mutating func prefix() throws -> FrameExpression.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.deepest else { throw error("nests deeper than \(Self.deepest)") }
        if case .symbol(let symbol) = token, symbol == "-" || symbol == "not" {
            try advance()
            return .unary(symbol, try prefix())
        }
        let base = try operand()
        guard token == .symbol("^") else { return base }
        try advance()
        // To the right, and tighter than a sign before it.
        return .binary("^", base, try prefix())
    }

    private mutating func operand() throws -> FrameExpression.Node {
        let current = token
        try advance()
        switch current {
        case .number(let value): return .constant(value)
        case .text(let text): return .constant(.text(text))
        case .quoted(let name): return column(name)
        case .name("true"): return .constant(.flag(true))
        case .name("false"): return .constant(.flag(false))
        case .name("nil"): return .constant(.missing)
        case .name(let name): return token == .symbol("(") ? try call(name) : column(name)
        case .symbol("("):
            let inner = try level(0)
            try expect(")")
            return inner
        default: throw error("a column, number or text expected, got \(current.description)")
        }
    }

    private mutating func column(_ name: String) -> FrameExpression.Node {
        if !names.contains(name) { names.append(name) }
        return .column(name)
    }

    private mutating func call(_ name: String) throws -> FrameExpression.Node {
        let known = Self.functions.keys.sorted()
        guard let function = Self.functions[name] else {
            throw error(
                "no function is called \(name); known: \(known.joined(separator: ", "))")
        }
        try advance()
        var arguments: [FrameExpression.Node] = []
        while token != .symbol(")") {
            if !arguments.isEmpty { try expect(",") }
            arguments.append(try level(0))
        }
        try advance()
        guard function.arguments.contains(arguments.count) else {
            let range = function.arguments
            throw error(
                "\(name) takes \(range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)") arguments, got \(arguments.count)"
            )
        }
        return .call(name, arguments)
    }

    private mutating func expect(_ symbol: String) throws {
        guard token == .symbol(symbol) else {
            throw error("'\(symbol)' expected, got \(token.description)")
        }
        try advance()
    }

    private mutating func advance() throws {
        rest = rest.drop(while: \.isWhitespace)
        guard let first = rest.first else {
            token = .end
            return
        }
        if first == "\"" || first == "'" || first == "`" { return try advance(quote: first) }
        if let match = rest.prefixMatch(of: /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/) {
            let digits = String(match.0)
            let number =
                Int(digits).map(ResultValue.integer) ?? Double(digits).map(ResultValue.number)
            guard let number, number.number?.isFinite == true else {
                throw error("\(digits) is not a number in range")
            }
            token = .number(number)
            rest = rest[match.range.upperBound...]
        } else if let match = rest.prefixMatch(
            of: /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/)
        {
            let name = String(match.0)
            token = ["and", "or", "not"].contains(name) ? .symbol(name) : .name(name)
            rest = rest[match.range.upperBound...]
        } else {
            try advanceSymbol(first)
        }
    }

    private mutating func advanceSymbol(_ first: Character) throws {
        let two = String(rest.prefix(2))
        if ["<=", ">=", "~=", "==", "//", ".."].contains(two) {
            token = .symbol(two)
            rest = rest.dropFirst(2)
        } else if "+-*/%^<>(),".contains(first) {
            token = .symbol(String(first))
            rest = rest.dropFirst()
        } else {
            let (wrong, right) =
                Self.foreign[two].map { (two, $0) }
                ?? (String(first), Self.foreign[String(first)] ?? "")
            throw error("unexpected '\(wrong)'" + (right.isEmpty ? "" : "; it is written \(right)"))
        }
    }

    /// A text, or in backquotes a name; a backslash before a quote or another backslash makes it part of the text.
    private mutating func advance(quote: Character) throws {
        var found = ""
        var index = rest.index(after: rest.startIndex)
        while index < rest.endIndex, rest[index] != quote {
            if rest[index] == "\\", quote != "`" {
                index = rest.index(after: index)
                guard index < rest.endIndex, "\\\"'".contains(rest[index]) else {
                    throw error("after \\ one of \\ \" ' expected")
                }
            }
            found.append(rest[index])
            index = rest.index(after: index)
        }
        guard index < rest.endIndex else { throw error("\(quote) is not closed") }
        rest = rest[rest.index(after: index)...]
        token = quote == "`" ? .quoted(found) : .text(found)
    }
}
