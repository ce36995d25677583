/// Definitions for editors: the LuaLS and EmmyLua annotations of everything that scripts see.
public enum LuaLS {
    /// A Lua file that defines nothing when it is run, and tells an editor the types of all.
    public static func definitions(_ library: Library) -> String {
        var text = """
            ---@meta
            -- Made by `mtrepl doc --luals` from the records that check the arguments; do not edit.

            ---The laboratory.
            ---@class mtlib
            ---@field version string The version of the program.
            mt = {}

            """
        var modules: Set<String> = ["mt"]
        for type in library.types.sorted(by: { $0.name < $1.name }) { text += "\n" + object(type) }
        for function in library.functions.sorted(by: { $0.name < $1.name }) {
            let path = function.fullName.split(separator: ".")
            let module = path.dropLast().joined(separator: ".")
            if modules.insert(module).inserted { text += "\n\(module) = {}\n" }
            text += "\n" + declaration(function, function.fullName)
        }
        return text
    }

    private static func object(_ type: ObjectType) -> String {
        var text = comment(type.help) + "---@class mt.\(type.name)\n"
        for member in type.members {
            guard case .field = member.form else { continue }
            text +=
                "---@field \(member.name) \(typeName(words: member.returns)) \(line(member.help))\n"
        }
        for member in type.members {
            if case .metamethod = member.form, let event = operators[member.name] {
                text += "---@operator \(event): \(result(member, type))\n"
            }
        }
        text += "local \(type.name) = {}\n"
        for member in type.members {
            guard case .method = member.form else { continue }
            text += "\n" + declaration(member, "\(type.name):\(member.name)")
        }
        return text
    }

    private static let operators = [
        "__add": "add(any)", "__sub": "sub(any)", "__mul": "mul(any)", "__div": "div(any)",
        "__unm": "unm", "__pow": "pow(any)",
    ]

    private static func result(_ member: Function, _ type: ObjectType) -> String {
        member.returns.isEmpty ? "mt.\(type.name)" : typeName(words: member.returns)
    }

    private static func declaration(_ function: Function, _ name: String) -> String {
        var text = ""
        let base = name.replacing(":", with: ".").replacing("mt.", with: "")
        for parameter in function.parameters {
            let options = parameter.kind.options
            guard !options.isEmpty else { continue }
            text += classes(optionsName(base, parameter), options) + "\n"
        }
        text += comment(function.help)
        for parameter in function.parameters {
            let mark = parameter.mayBeLeftOut ? "?" : ""
            text +=
                "---@param \(identifier(parameter.name))\(mark) "
                + "\(typeName(parameter.kind, optionsName(base, parameter))) \(line(parameter.help))\n"
        }
        if !function.returns.isEmpty {
            text += "---@return \(typeName(words: function.returns)) # \(line(function.returns))\n"
        }
        let names = function.parameters.map { identifier($0.name) }.joined(separator: ", ")
        return text + "function \(name)(\(names)) end\n"
    }

    /// A class for a table of options, after the classes of the tables in it.
    private static func classes(_ name: String, _ options: [Parameter]) -> String {
        var text = ""
        for option in options where !option.kind.options.isEmpty {
            text += classes(optionsName(name, option), option.kind.options) + "\n"
        }
        text += "---@class \(name)\n"
        var items = 0
        for option in options {
            let type = typeName(option.kind, optionsName(name, option))
            text += "---@field \(option.name)? \(type) \(line(option.help))\n"
            if option.place == .item || option.place == .rest {
                items += 1
                text += "---@field [\(option.place == .rest ? "integer" : "\(items)")]? \(type)\n"
            }
        }
        return text
    }

    private static func optionsName(_ base: String, _ parameter: Parameter) -> String {
        let name = parameter.name == "options" ? "options" : parameter.name
        return base.hasPrefix("mt.") ? "\(base).\(name)" : "mt.\(base).\(name)"
    }

    private static let keywords = LuaTokens.keywords

    private static func identifier(_ name: String) -> String {
        keywords.contains(name) ? name + "_" : name
    }

    /// The type of what a parameter accepts.
    private static func typeName(_ kind: Kind, _ options: String) -> String {
        switch kind {
        case .boolean: return "boolean"
        case .integer: return "integer"
        case .number: return "number"
        case .string, .name, .bytes, .path: return "string"
        case .choice(let names): return names.map { "\"\($0)\"" }.joined(separator: "|")
        case .object(let names): return names.map { "mt.\($0)" }.joined(separator: "|")
        case .function: return "function"
        case .table: return "table"
        case .any: return "any"
        case .list(let kind):
            let item = typeName(kind, options)
            // Editors take a list in braces for an unfinished object if the type of a list could be one.
            if case .object = kind { return "\(item)|table<integer, \(item)>" }
            return "\(item)|(\(item))[]"
        case .map(let kind): return "table<string, \(typeName(kind, options))>"
        case .options: return options
        case .either(let kinds):
            return kinds.map { typeName($0, options) }.joined(separator: "|")
        }
    }

    /// The type of what the words of a record say that a function returns.
    private static func typeName(words: String) -> String {
        let first = words.prefix { $0.isLetter || $0 == "_" }.lowercased()
        switch first {
        case "string", "integer", "number", "boolean", "table": return first
        case "whether": return "boolean"
        case "list": return listItem(words) + "[]"
        case "": return "any"
        default:
            return Library.standard.types.contains { $0.name == first } ? "mt.\(first)" : "any"
        }
    }

    private static func listItem(_ words: String) -> String {
        for (word, type) in [
            ("list of strings", "string"), ("list of numbers", "number"),
            ("list of integers", "integer"), ("list of tables", "table"),
        ] where words.hasPrefix(word) { return type }
        return "any"
    }

    private static func comment(_ text: String) -> String {
        text.isEmpty ? "" : "---\(line(text))\n"
    }

    private static func line(_ text: String) -> String { text.replacing("\n", with: " ") }
}
