import Foundation
import RuntimeSupport
import RuntimeTraining

/// An expression over the columns of a frame, written as in Lua: `general - general_before`, `weight > 0.1 and arm ~= "control"`.
///
/// Operators and their precedence are Lua's; what is computed of something missing is missing, and `x == nil` asks whether it
/// is. Names that are not made of letters, digits, `_` and `.` stand in backquotes.
public struct FrameExpression: Sendable {
    indirect enum Node: Sendable {
        case constant(ResultValue)
        case column(String)
        case unary(String, Node)
        case binary(String, Node, Node)
        case call(String, [Node])
    }

    /// As it was written.
    public let text: String
    /// The columns that it reads, in order of appearance.
    public let names: [String]
    let root: Node

    /// Reads an expression.
    ///
    /// - Parameter field: What asks for it, for the message.
    /// - Throws: `FrameError` saying what was expected, and where.
    public init(_ text: String, for field: String = "expression") throws {
        var parser = FrameExpressionParser(text, field)
        root = try parser.whole()
        self.text = text
        names = parser.names
    }

    /// Its value for every row.
    ///
    /// - Throws: `FrameError` for a column that does not exist, for operands of the wrong kind, and for a number that is not
    ///   finite.
    public func values(in frame: Frame, for field: String) throws -> [ResultValue] {
        let columns = try Dictionary(
            uniqueKeysWithValues: names.map { name in
                (name, try self.column(name, in: frame, for: field))
            })
        let compiled = try Self.compile(root, columns, "\(field): \(text)")
        return try (0..<frame.count).map { row in
            let value = try compiled(row)
            if let number = value.number, !number.isFinite {
                throw FrameError(
                    field, "\(text) is \(number) in row \(row + 1); finite numbers expected")
            }
            return value
        }
    }

    private func column(_ name: String, in frame: Frame, for field: String) throws -> [ResultValue]
    {
        if !frame.has(name),
            let odd = frame.names.first(where: { Self.needsQuotes($0) && text.contains($0) })
        {
            throw FrameError(
                field, "no column is called \(name); the name `\(odd)` has to stand in backquotes")
        }
        return try frame.column(name, for: field).values
    }

    private static func needsQuotes(_ name: String) -> Bool {
        name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/) == nil
    }

    private typealias Compiled = (Int) throws -> ResultValue

    private static func compile(
        _ node: Node, _ columns: [String: [ResultValue]], _ place: String
    ) throws -> Compiled {
        switch node {
        case .constant(let value): return { _ in value }
        case .column(let name):
            let values = columns[name] ?? []
            return { values[$0] }
        case .unary(let symbol, let inner):
            let inner = try compile(inner, columns, place)
            return { try unary(symbol, inner($0), place, $0) }
        case .binary(let symbol, let left, let right):
            if symbol == "==" || symbol == "~=",
                let other = isNil(left) ? right : isNil(right) ? left : nil
            {
                let inner = try compile(other, columns, place)
                return { .flag((try inner($0) == .missing) == (symbol == "==")) }
            }
            let (left, right) = (
                try compile(left, columns, place), try compile(right, columns, place)
            )
            return { row in try binary(symbol, left(row), right(row), place, row) }
        case .call(let name, let arguments):
            let inner = try arguments.map { try compile($0, columns, place) }
            return { row in
                let values = try inner.map { try $0(row) }
                if values.contains(.missing) { return .missing }
                return .number(
                    FrameExpressionParser.functions[name]?.body(
                        try values.map { try number($0, name, place, row) }) ?? .nan)
            }
        }
    }

    private static func isNil(_ node: Node) -> Bool {
        if case .constant(.missing) = node { true } else { false }
    }

    private static func number(_ value: ResultValue, _ symbol: String, _ place: String, _ row: Int)
        throws -> Double
    {
        guard let number = value.number else {
            throw FrameError(
                place, "\(symbol): a number expected, got \(value.quoted) in row \(row + 1)")
        }
        return number
    }

    private static func unary(_ symbol: String, _ value: ResultValue, _ place: String, _ row: Int)
        throws -> ResultValue
    {
        if value == .missing { return .missing }
        guard symbol == "not" else {
            if case .integer(let whole) = value, whole != .min { return .integer(-whole) }
            return .number(-(try number(value, symbol, place, row)))
        }
        return .flag(!(try flag(value, symbol, place, row) ?? false))
    }

    private static func flag(_ value: ResultValue, _ symbol: String, _ place: String, _ row: Int)
        throws -> Bool?
    {
        switch value {
        case .flag(let flag): return flag
        case .missing: return nil
        default:
            throw FrameError(
                place, "\(symbol): true or false expected, got \(value.quoted) in row \(row + 1)")
        }
    }

    private static func binary(
        _ symbol: String, _ a: ResultValue, _ b: ResultValue, _ place: String, _ row: Int
    ) throws -> ResultValue {
        switch symbol {
        case "and", "or":
            let (a, b) = (try flag(a, symbol, place, row), try flag(b, symbol, place, row))
            let decides = symbol == "or"
            if a == decides || b == decides { return .flag(decides) }
            return a == nil || b == nil ? .missing : .flag(!decides)
        case "==", "~=", "<", "<=", ">", ">=":
            if a == .missing || b == .missing { return .missing }
            return .flag(try compare(symbol, a, b, place, row))
        default: break
        }
        if a == .missing || b == .missing { return .missing }
        if symbol == ".." { return .text(a.short + b.short) }
        if case (.integer(let x), .integer(let y)) = (a, b), let whole = whole(symbol, x, y) {
            return .integer(whole)
        }
        let (x, y) = (try number(a, symbol, place, row), try number(b, symbol, place, row))
        return .number(calculate(symbol, x, y))
    }

    private static func calculate(_ symbol: String, _ x: Double, _ y: Double) -> Double {
        switch symbol {
        case "+": x + y
        case "-": x - y
        case "*": x * y
        case "/": x / y
        case "//": (x / y).rounded(.down)
        case "%": x - (x / y).rounded(.down) * y
        default: pow(x, y)
        }
    }

    /// Of whole numbers, what stays whole and in range.
    private static func whole(_ symbol: String, _ x: Int, _ y: Int) -> Int? {
        let result: (partialValue: Int, overflow: Bool)
        switch symbol {
        case "+": result = x.addingReportingOverflow(y)
        case "-": result = x.subtractingReportingOverflow(y)
        case "*": result = x.multipliedReportingOverflow(by: y)
        default: return nil
        }
        return result.overflow ? nil : result.partialValue
    }

    private static func compare(
        _ symbol: String, _ a: ResultValue, _ b: ResultValue, _ place: String, _ row: Int
    ) throws -> Bool {
        let alike =
            switch (a, b) {
            case (.text, .text), (.flag, .flag): true
            default: a.number != nil && b.number != nil
            }
        guard alike else {
            throw FrameError(
                place,
                "\(symbol): values of one kind expected, got \(a.quoted) and \(b.quoted) in row \(row + 1)"
            )
        }
        switch symbol {
        case "==": return a.key == b.key
        case "~=": return a.key != b.key
        case "<": return ResultValue.precedes(a, b)
        case ">": return ResultValue.precedes(b, a)
        case "<=": return !ResultValue.precedes(b, a)
        default: return !ResultValue.precedes(a, b)
        }
    }
}
