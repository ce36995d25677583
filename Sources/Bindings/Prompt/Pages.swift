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
        case .value(_, .table) where expression == "mt": text = Reference.summary(library)
        case .value(let path, let sight) where !isKnown(expression):
            text = try about(path, sight, expression)
        case .string where !isKnown(expression): text = "\(expression): a string"
        default: text = try Reference.help(expression, library)
        }
        return layOut(text)
    }

    private func isKnown(_ name: String) -> Bool {
        library.named.contains {
            $0.fullName == name || $0.fullName.replacing(":", with: ".") == name
        } || library.types.contains { $0.name == name }
    }

    /// What is known of a value that has no record.
    private func about(_ path: [PathStep], _ sight: Sight, _ name: String) throws -> String {
        let fullName = path.map { step in
            if case .name(let name) = step { name } else { "" }
        }.joined(separator: ".")
        if let text = LuaManual.help(fullName) { return text }
        if fullName.hasPrefix("mt.") { return try Reference.help(fullName, library) }
        switch sight {
        case .function:
            guard let function = lookForFunction(path) else { return "\(name): a function" }
            return try about(function, name)
        case .table: return "\(name): a table; \(name) shows it"
        case .string, .object, .other: return "\(name): a value; \(name) shows it"
        }
    }

    /// What is known of a function: of one in Lua the comment above it and its first line, else its help.
    private func about(_ function: Callback, _ name: String?) throws -> String {
        guard let place = try definition(function) else {
            let name = try name ?? helpers?.nameOf.call(function).first?.stringValue
            guard let name, isKnown(name) || LuaManual.entries[name] != nil else {
                return "\(name ?? "this"): a function that is not written in Lua"
            }
            return try LuaManual.help(name) ?? Reference.help(name, library)
        }
        let lines = place.text
        var start = place.first - 1
        while start > 0, lines[start - 1].hasPrefix("--") { start -= 1 }
        return lines[start..<place.first].joined(separator: "\n")
            + "\n(\(place.name):\(place.first)" + (name.map { "; ??\($0) shows all of it)" } ?? ")")
    }

    /// The Lua source of a function.
    ///
    /// - Throws: `Mistake` when the function has none that is known.
    public func source(_ expression: String) throws -> String {
        let tokens = LuaTokens(expression).tokens
        guard
            case .value(let path, .function) = Expressions(tokens, self).subject(
                before: tokens.count),
            let function = lookForFunction(path), let place = try definition(function)
        else { throw Mistake("'\(expression)' has no Lua source here") }
        let lines = place.text[(place.first - 1)..<place.last].joined(separator: "\n")
        return settings.display.bold("\(place.name):\(place.first)") + "\n" + lines
    }

    private func definition(_ function: Callback) throws -> (
        name: String, text: [String], first: Int, last: Int
    )? {
        guard let values = try helpers?.source.call(function), values.count == 3,
            let chunk = values[0].stringValue, let first = values[1].integerValue,
            let last = values[2].integerValue, let text = lines(of: chunk),
            first >= 1, last >= first, last <= text.count
        else { return nil }
        return (String(chunk.dropFirst()), text, first, last)
    }

    /// The lines of a chunk: `@file`, or the name of what was typed at the prompt.
    package func lines(of chunk: String) -> [String]? {
        var text = chunks[chunk]
        if text == nil, chunk.hasPrefix("@") {
            text = try? FileReader.text(String(chunk.dropFirst()))
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

    /// `help` at the prompt.
    package static var page: Function {
        Function("page", "", [.any("name", "A name, or an object.").optional]) { call in
            let interpreter = call.interpreter
            let text: String
            switch try call.value("name") {
            case nil: text = interpreter.layOut(Reference.summary(interpreter.library))
            case .string(let name): text = try interpreter.help(name)
            case .object(let reference):
                text = interpreter.layOut(
                    try Reference.help(reference.typeName, interpreter.library))
            case .function(let callback):
                text = interpreter.layOut(try interpreter.about(callback, nil))
            case let other?:
                throw Mistake(
                    "name", expected: "a name, a function or an object", found: other)
            }
            interpreter.settings.report(.page(text))
        }
    }

    /// Text as wide as the display.
    package func layOut(_ text: String) -> String { settings.display.layOut(text) }
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
