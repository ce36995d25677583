import Runtime

extension Library {
    static var scriptOptions: Function {
        Function(
            "options",
            """
            Reads the options of a script from its command line: `--name value` or `--name=value`, `--name` and `--no-name` for \
            booleans, lists as `a,b,c`. `--help` prints them and leaves; a wrong one ends the script with exit code 2.
            """,
            [
                .table(
                    "specification",
                    """
                    One item for each option, { name, type = …, default = …, help = … }, in the order of the help; `help` says \
                    what the script does. The type is boolean, integer, number, string, integers, numbers or strings; left out, \
                    it is that of the default. An option without a default is nil when it is not given. `least` and `most` \
                    bound a number, or each number of a list.
                    """),
                .strings("arguments", "What to read instead of the script's own arguments.")
                    .optional,
            ],
            returns: "table with the value of each option",
            example: """
                local options = mt.options {
                  help = "Counts tokens.",
                  { "steps", default = 2000, help = "training steps" },
                  { "weights", default = { 0.1, 0.5 }, help = "mixture weights" },
                  { "general", type = "string", help = "files of general text" },
                }
                print(options.steps, #options.weights, options.general)
                """
        ) { call in
            let parser = try ScriptOptions(
                try call.table("specification"), script: call.interpreter.scriptName)
            switch parser.parse(
                try call.strings(ifPresent: "arguments") ?? call.interpreter.arguments)
            {
            case .values(let values): try call.returns(values)
            case .help:
                call.interpreter.write(parser.help)
                throw ExitRequest(code: 0)
            case .wrong(let text):
                call.interpreter.settings.report(
                    .line("\(parser.script): \(text) (--help lists the options)"))
                throw ExitRequest(code: 2)
            }
        }
    }
}

/// The options of a script.
package struct ScriptOptions {
    package struct Option {
        package let name: String
        package let type: String
        package let standard: Value
        package let help: String
        package let least: Double?
        package let most: Double?
        package var flag: String { "--" + name.replacing("_", with: "-") }

        /// The first number that is outside the bounds, as text.
        func outside(_ value: Value) -> String? {
            let numbers = if case .table(let table) = value { table.items } else { [value] }
            return numbers.first {
                guard let number = $0.numberValue else { return false }
                return number < (least ?? -.infinity) || number > (most ?? .infinity)
            }?.summary
        }

        /// The bounds in words.
        var range: String {
            func text(_ bound: Double) -> String {
                Int(exactly: bound).map(String.init) ?? "\(bound)"
            }
            switch (least, most) {
            case (let least?, let most?): return "\(text(least)) to \(text(most))"
            case (let least?, nil): return "at least \(text(least))"
            case (nil, let most?): return "at most \(text(most))"
            case (nil, nil): return type
            }
        }
    }

    package enum Outcome {
        case values(Table)
        case help
        case wrong(String)
    }

    package static let types = [
        "boolean", "integer", "number", "string", "integers", "numbers", "strings",
    ]
    package let script: String
    package let about: String
    package let options: [Option]

    init(_ table: Table, script: String) throws {
        self.script = script
        for field in table.fields where field.key != "help" {
            throw Mistake(
                "specification: unknown key '\(field.key)'; expected help and one table for each option"
            )
        }
        about = table["help"]?.stringValue ?? ""
        options = try table.items.enumerated().map { index, item in
            try Self.option(item, at: index + 1)
        }
        for (index, option) in options.enumerated()
        where option.name == "help" || options[..<index].contains(where: { $0.flag == option.flag })
        {
            throw Mistake("specification: the option '\(option.name)' is there twice")
        }
    }

    private static func option(_ value: Value, at index: Int) throws -> Option {
        guard case .table(let table) = value, table.items.count == 1,
            let name = table.items[0].stringValue,
            name.wholeMatch(of: /[A-Za-z][A-Za-z0-9_\-]*/) != nil
        else {
            throw Mistake(
                "specification[\(index)]: { name, type = …, default = …, help = … } expected, got \(value.summary)"
            )
        }
        let keys = ["type", "default", "help", "least", "most"]
        for field in table.fields where !keys.contains(field.key) {
            throw Mistake(
                "specification[\(index)]: unknown key '\(field.key)'"
                    + NearestName.hint(field.key, among: keys, listing: true))
        }
        let standard = table["default"] ?? .null
        let type = try table["type"]?.stringValue ?? typeOf(standard, name)
        guard types.contains(type) else {
            throw Mistake(
                "option '\(name)': type \(types.joined(separator: ", ")) expected, got \"\(type)\"")
        }
        func bound(_ key: String) throws -> Double? {
            guard let value = table[key] else { return nil }
            guard ["integer", "integers", "number", "numbers"].contains(type),
                let number = value.numberValue, number.isFinite
            else {
                throw Mistake(
                    "option '\(name)': \(key): a number expected, for an option of numbers, got \(value.summary)"
                )
            }
            return number
        }
        let option = Option(
            name: name, type: type, standard: standard, help: table["help"]?.stringValue ?? "",
            least: try bound("least"), most: try bound("most"))
        if let least = option.least, let most = option.most, least > most {
            throw Mistake("option '\(name)': least at most \(most) expected, got \(least)")
        }
        if let wrong = option.outside(standard) {
            throw Mistake("option '\(name)': default: \(option.range) expected, got \(wrong)")
        }
        return option
    }

    private static func typeOf(_ value: Value, _ name: String) throws -> String {
        switch value {
        case .boolean: return "boolean"
        case .integer: return "integer"
        case .number: return "number"
        case .null, .string: return "string"
        case .table(let table) where !table.items.isEmpty:
            if table.items.allSatisfy({ if case .integer = $0 { true } else { false } }) {
                return "integers"
            }
            return table.items.allSatisfy { $0.numberValue != nil } ? "numbers" : "strings"
        default: throw Mistake("option '\(name)': give a type for a default of \(value.summary)")
        }
    }

    package func parse(_ arguments: [String]) -> Outcome {
        var table = Table()
        for option in options where !option.standard.isNull || option.type == "boolean" {
            set(option, option.standard.isNull ? .boolean(false) : option.standard, &table)
        }
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--help" || argument == "-h" { return .help }
            guard argument.hasPrefix("--"), argument.count > 2 else {
                return .wrong("unexpected argument '\(argument)'")
            }
            let parts = argument.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false
            ).map(String.init)
            let flag = parts[0].replacing("_", with: "-")
            if let option = options.first(where: { $0.flag == flag }) {
                if option.type == "boolean", parts.count == 1 {
                    set(option, .boolean(true), &table)
                    continue
                }
                guard let text = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    return .wrong("\(flag) needs a value (\(option.type))")
                }
                guard let value = read(text, option.type) else {
                    return .wrong("\(flag): \(option.type) expected, got \"\(text)\"")
                }
                if let wrong = option.outside(value) {
                    return .wrong("\(flag): \(option.range) expected, got \(wrong)")
                }
                set(option, value, &table)
            } else if let option = options.first(where: {
                $0.type == "boolean" && flag == "--no-" + $0.flag.dropFirst(2) && parts.count == 1
            }) {
                set(option, .boolean(false), &table)
            } else {
                return .wrong(
                    "unknown option '\(parts[0])'\(NearestName.hint(flag, among: options.map(\.flag), listing: true))"
                )
            }
        }
        return .values(table)
    }

    private func set(_ option: Option, _ value: Value, _ table: inout Table) {
        table.fields.removeAll { $0.key == option.name }
        table.fields.append((option.name, value))
    }

    private func read(_ text: String, _ type: String) -> Value? {
        func integer(_ text: String) -> Value? {
            Int(text).map { .integer($0) }
                ?? Double(text).flatMap { Int(exactly: $0) }.map { .integer($0) }
        }
        func number(_ text: String) -> Value? {
            Double(text).flatMap { $0.isFinite ? .number($0) : nil }
        }
        func list(_ read: (String) -> Value?) -> Value? {
            let items = text.split(separator: ",", omittingEmptySubsequences: false).map {
                read(String($0))
            }
            return items.contains { $0 == nil }
                ? nil : .table(Table(items: items.compactMap { $0 }))
        }
        switch type {
        case "boolean":
            return ["true": true, "yes": true, "1": true, "false": false, "no": false, "0": false][
                text
            ]
            .map { .boolean($0) }
        case "integer": return integer(text)
        case "number": return number(text)
        case "integers": return list(integer)
        case "numbers": return list(number)
        case "strings": return list { .string($0) }
        default: return .string(text)
        }
    }

    package var help: String {
        var text = "usage: \(script) [options]\n"
        if !about.isEmpty { text += "\n\(about)\n" }
        text += "\n"
        let lines = options.map { option in
            (
                option.type == "boolean"
                    ? option.flag : "\(option.flag) \(option.type.uppercased())", option
            )
        }
        let width = max(6, lines.map(\.0.count).max() ?? 0)
        for (left, option) in lines {
            let standard = option.standard.isNull ? "" : " (\(show(option.standard)))"
            text += "  " + left.padding(width) + "  " + option.help + standard + "\n"
        }
        return text + "  " + "--help".padding(width) + "  show this\n"
    }

    private func show(_ value: Value) -> String {
        if case .table(let table) = value { return table.items.map(show).joined(separator: ",") }
        return value.stringValue ?? value.summary
    }
}

extension String {
    package func padding(_ width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
