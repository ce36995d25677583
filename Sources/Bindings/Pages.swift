import Foundation
import Runtime

extension Interpreter {
    /// The help of an expression such as `mt.recipe`, `run.step`, `run` or `corpus`, as wide as the display.
    ///
    /// - Throws: an error with the nearest known name.
    public func help(_ expression: String) throws -> String {
        let tokens = LuaTokens(expression).tokens
        let library = library
        let text: String
        if tokens.count > 2, let name = tokens.last, ".:".contains(tokens[tokens.count - 2].text),
            case .object(let type) = Expressions(tokens, self).subject(before: tokens.count - 2)
        {
            return layOut(try Reference.help("\(type.name).\(name.text)", library))
        }
        switch Expressions(tokens, self).subject(before: tokens.count) {
        case .function(let function): text = try Reference.help(function.fullName, library)
        case .object(let type) where tokens.count == 1 || !isKnown(expression):
            text = try Reference.help(type.name, library)
        case .value(let path, .function) where !isKnown(expression):
            text = try about(path, expression)
        case .value(_, .table) where expression == "mt": text = Reference.summary(library)
        default: text = try Reference.help(expression, library)
        }
        return layOut(text)
    }

    private func isKnown(_ name: String) -> Bool {
        library.named.contains {
            $0.fullName == name || $0.fullName.replacing(":", with: ".") == name
        }
    }

    /// What is known of a Lua function: the comment above it and its first line, or where it is from.
    private func about(_ path: [PathStep], _ name: String) throws -> String {
        guard let place = try definition(path) else {
            return "\(name): a function that is built into Lua"
        }
        let lines = place.text
        var start = place.first - 1
        while start > 0, lines[start - 1].hasPrefix("--") { start -= 1 }
        return lines[start..<place.first].joined(separator: "\n")
            + "\n(\(place.name):\(place.first); ??\(name) shows all of it)"
    }

    /// The Lua source of a function.
    ///
    /// - Throws: `Mistake` when the function has none that is known.
    public func source(_ expression: String) throws -> String {
        let tokens = LuaTokens(expression).tokens
        guard
            case .value(let path, .function) = Expressions(tokens, self).subject(
                before: tokens.count),
            let place = try definition(path)
        else { throw Mistake("'\(expression)' has no Lua source here") }
        let lines = place.text[(place.first - 1)..<place.last].joined(separator: "\n")
        return settings.display.bold("\(place.name):\(place.first)") + "\n" + lines
    }

    private func definition(_ path: [PathStep]) throws -> (
        name: String, text: [String], first: Int, last: Int
    )? {
        guard let function = lookForFunction(path),
            let values = try helpers?.source.call(function), values.count == 3,
            let chunk = values[0].stringValue, let first = values[1].integerValue,
            let last = values[2].integerValue, let text = lines(of: chunk),
            first >= 1, last >= first, last <= text.count
        else { return nil }
        return (String(chunk.dropFirst()), text, first, last)
    }

    /// The lines of a chunk: `@file`, or the name of what was typed at the prompt.
    func lines(of chunk: String) -> [String]? {
        var text = chunks[chunk]
        if text == nil, chunk.hasPrefix("@"), (try? checkPath(String(chunk.dropFirst()))) != nil {
            text = try? String(contentsOfFile: String(chunk.dropFirst()), encoding: .utf8)
        }
        return text?.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The line of source that an error begins with.
    public func sourceLine(_ error: any RuntimeError) -> (number: Int, text: String)? {
        guard let place = (error as? LuaError)?.place ?? (error as? LuaSyntaxError)?.place,
            let lines = lines(of: place.chunk), (1...max(1, lines.count)).contains(place.line),
            !lines.isEmpty
        else { return nil }
        return (place.line, lines[place.line - 1])
    }

    /// What `help` prints at the prompt.
    static var page: Function {
        Function("page", "", [.any("name", "A name, or an object.").optional]) { call in
            let interpreter = call.interpreter
            switch try call.value("name") {
            case nil:
                try call.returns(interpreter.layOut(Reference.summary(interpreter.library)))
            case .string(let name): try call.returns(try interpreter.help(name))
            case .object(let reference):
                try call.returns(
                    interpreter.layOut(
                        try Reference.help(reference.typeName, interpreter.library)))
            case let other?:
                throw Mistake("name", expected: "the name of a function or an object", found: other)
            }
        }
    }

    /// Text as wide as the display.
    func layOut(_ text: String) -> String { settings.display.layOut(text) }
}

extension Display {
    /// Lines no wider than the display, what is wrapped indented further; the first in bold.
    public func layOut(_ text: String) -> String {
        let width = max(20, self.width())
        var lines: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let indent = String(line.prefix { $0 == " " })
            var current = indent
            for word in line.dropFirst(indent.count).split(
                separator: " ", omittingEmptySubsequences: false)
            {
                if current.count > indent.count, current.count + 1 + word.count > width {
                    lines.append(current)
                    current = indent + "    " + word
                } else {
                    current += (current == indent ? "" : " ") + word
                }
            }
            lines.append(current)
        }
        if let first = lines.first { lines[0] = bold(first) }
        return lines.joined(separator: "\n")
    }
}
