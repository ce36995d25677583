import ArgumentParser
import Bindings
import Foundation

/// A value that a notebook is run with.
struct NotebookParameter {
    let name: String
    /// The value in Lua.
    private let literal: String

    /// What stands between a name and its value in one argument: no argument of a command line can hold it.
    static let separator: Character = "\0"

    /// Reads a name and a value: a number, `true` or `false` of Lua, or else a text.
    ///
    /// - Throws: `ValidationError` for a name that cannot be a variable, and for an integer that Lua cannot hold.
    init(_ text: String, isRaw: Bool) throws {
        let option = isRaw ? "-r" : "-p"
        guard let sign = text.firstIndex(of: Self.separator) else {
            throw ValidationError("\(option) \(text): a name and a value expected")
        }
        name = String(text[..<sign])
        guard name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil,
            !LuaTokens.keywords.contains(name)
        else {
            throw ValidationError("\(option) \(name): the name of a variable of Lua expected")
        }
        let value = String(text[text.index(after: sign)...])
        let isNumber =
            value.wholeMatch(of: /[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?/) != nil
        if !isRaw, ["true", "false"].contains(value) {
            literal = value
        } else if !isRaw, isNumber {
            let digits = value.hasPrefix("+") ? String(value.dropFirst()) : value
            let isInteger = value.wholeMatch(of: /[+-]?[0-9]+/) != nil
            // Lua would read it as another number.
            guard isInteger ? Int(digits) != nil : Double(digits)?.isFinite == true else {
                throw ValidationError(
                    "\(option) \(name): a number that Lua can hold expected, got \(value)")
            }
            literal = digits == "\(Int.min)" ? "math.mininteger" : digits
        } else {
            literal = Self.quoted(value)
        }
    }

    /// The assignment.
    var statement: String { "\(name) = \(literal)" }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\n": result += "\\n"
            case _ where scalar.value < 32 || scalar.value == 127:
                result += "\\" + String(format: "%03d", Int(scalar.value))
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension Notebook {
    /// Puts parameters into a cell of their own, in place of one that an earlier run made.
    ///
    /// - Throws: `NotebookError` naming a parameter that the cell tagged `parameters` does not set.
    mutating func inject(_ parameters: [NotebookParameter], file: String) throws {
        guard !parameters.isEmpty else { return }
        let declared = cells.firstIndex { $0.isCode && $0.isTagged("parameters") }
        if let declared {
            let names = Self.assigned(cells[declared].source)
            for parameter in parameters where !names.contains(parameter.name) {
                throw NotebookError(
                    file,
                    "the cell tagged parameters does not set '\(parameter.name)'; it sets "
                        + (names.isEmpty ? "nothing" : names.joined(separator: ", ")))
            }
        }
        var cell = Cell(
            source: (["-- Parameters"] + parameters.map(\.statement)).joined(separator: "\n"))
        cell.metadata = ["tags": ["injected-parameters"]]
        if let present = cells.firstIndex(where: { $0.isTagged("injected-parameters") }) {
            cells[present] = cell
        } else {
            cells.insert(cell, at: declared.map { $0 + 1 } ?? 0)
        }
    }

    /// The variables that a piece of Lua assigns by name.
    private static func assigned(_ source: String) -> [String] {
        let tokens = LuaTokens(source).tokens
        var names: [String] = []
        for (index, token) in tokens.enumerated() where token.kind == .name {
            // `a, b = 1, 2` too, but not a field of a table.
            guard index + 1 < tokens.count, ["=", ","].contains(tokens[index + 1].text) else {
                continue
            }
            if index > 0, [".", ":", "{"].contains(tokens[index - 1].text) { continue }
            if !names.contains(token.text) { names.append(token.text) }
        }
        return names
    }
}
