import Runtime

/// Help texts and the reference page, made from the records.
public enum Reference {
    /// One line for each function and type.
    public static func summary(_ library: Library) -> String {
        var lines = library.functions.map { ("mt.\($0.name)", firstSentence($0.help)) }
        lines += library.types.map { ($0.name, firstSentence($0.help)) }
        let width = lines.map(\.0.count).max() ?? 0
        return lines.sorted { $0.0 < $1.0 }
            .map { $0.0 + String(repeating: " ", count: width + 2 - $0.0.count) + $0.1 }
            .joined(separator: "\n")
    }

    /// What is known about a name: `corpus`, `mt.corpus`, `corpus:summary`, `corpus.name`.
    ///
    /// - Throws: an error with the nearest known name.
    public static func help(_ name: String, _ library: Library) throws -> String {
        let short = name.hasPrefix("mt.") ? String(name.dropFirst(3)) : name
        var found = library.named.filter { record in
            record.fullName == name || (record.form == .function && record.name == short)
                || record.fullName.replacing(":", with: ".") == name
        }.map { entry($0) }
        if let type = library.types.first(where: { $0.name == name }) {
            found.append(overview(type))
        }
        if found.isEmpty { found = library.named.filter { $0.name == name }.map { entry($0) } }
        if found.isEmpty, let text = LuaManual.help(name) ?? group(name, library) { return text }
        if found.isEmpty {
            let names = library.named.map(\.name) + library.types.map(\.name)
            let shown = name.utf8.count > NearestName.longest ? "\(name.prefix(60))…" : name
            throw Mistake(
                "nothing is called '\(shown)'\(NearestName.hint(short, among: names, listing: true))"
            )
        }
        return found.joined(separator: "\n\n")
    }

    /// One line for each function of a part such as `mt.plot`; nil if there is none.
    package static func group(_ name: String, _ library: Library) -> String? {
        let members = library.functions.filter { $0.fullName.hasPrefix(name + ".") }
        guard !members.isEmpty else { return nil }
        return ([name] + members.map { "  \(signature($0))  \(firstSentence($0.help))" })
            .joined(separator: "\n")
    }

    /// The whole library as a Markdown page.
    public static func markdown(_ library: Library) -> String {
        var page = """
            # Reference

            Made by `mtrepl doc` from the records that check the arguments; do not edit.

            `mt.version` is the version of the program. Options tables refuse unknown names; a list may be given as one value.

            ## Functions

            """
        for function in library.functions.sorted(by: { $0.name < $1.name }) {
            page += "\n" + section(function, level: "###")
        }
        for type in library.types.sorted(by: { $0.name < $1.name }) {
            page += "\n## Objects: \(type.name)\n\n\(type.help)\n"
            let setUp = Examples.setUp(type.name)
            if !setUp.isEmpty {
                page +=
                    "\nExamples that do not define what they use begin with\n\n```lua\n\(setUp)\n```\n"
            }
            for member in type.members {
                if case .metamethod = member.form { continue }
                page += "\n" + section(member, level: "###")
            }
            let operators = type.members.filter {
                if case .metamethod = $0.form { !$0.help.isEmpty } else { false }
            }
            if !operators.isEmpty {
                page += "\nOperators:\n\n"
                for one in operators { page += "- `\(one.name)`: \(one.help)\n" }
            }
        }
        return page
    }

    /// `mt.name(a, b, [c])`.
    public static func signature(_ function: Function) -> String {
        if case .field = function.form { return function.fullName }
        let parameters = function.parameters.map { parameter in
            if case .options = parameter.kind { return parameter.mayBeLeftOut ? "[{…}]" : "{…}" }
            return parameter.isOptional ? "[\(parameter.name)]" : parameter.name
        }
        return "\(function.fullName)(\(parameters.joined(separator: ", ")))"
    }

    private static func entry(_ function: Function) -> String {
        var text = signature(function)
        if !function.returns.isEmpty { text += " -> \(function.returns)" }
        text += "\n  \(function.help)"
        for line in lines(function.parameters, indent: "  ") { text += "\n" + line }
        if !function.example.isEmpty {
            text += "\n  Example:\n    " + function.example.replacing("\n", with: "\n    ")
        }
        return text
    }

    private static func overview(_ type: ObjectType) -> String {
        var text = "\(type.name): \(type.help)"
        for member in type.members {
            if case .metamethod = member.form { continue }
            text += "\n  \(signature(member))  \(firstSentence(member.help))"
        }
        return text
    }

    private static func section(_ function: Function, level: String) -> String {
        var text = "\(level) `\(signature(function))`\n\n\(function.help)\n"
        if !function.parameters.isEmpty { text += "\n" }
        for line in lines(function.parameters, indent: "", bullet: "- ") { text += line + "\n" }
        if !function.returns.isEmpty { text += "\nReturns: \(function.returns).\n" }
        if !function.example.isEmpty { text += "\n```lua\n\(function.example)\n```\n" }
        return text
    }

    private static func lines(_ parameters: [Parameter], indent: String, bullet: String = "")
        -> [String]
    {
        parameters.flatMap { parameter -> [String] in
            var detail = parameter.kind.name
            if let standard = parameter.standard {
                detail += ", \(standard.summary) if left out"
            } else if parameter.isOptional {
                detail += ", optional"
            }
            let name = bullet.isEmpty ? parameter.name : "`\(parameter.name)`"
            let help = parameter.help.isEmpty ? "" : ": \(parameter.help)"
            return ["\(indent)\(bullet)\(name) (\(detail))\(help)"]
                + lines(parameter.kind.options, indent: indent + "  ", bullet: bullet)
        }
    }

    private static func firstSentence(_ text: String) -> String {
        guard let end = text.firstRange(of: ". ") else { return text }
        return String(text[..<end.lowerBound]) + "."
    }
}

extension Kind {
    /// The options inside, if the kind has any.
    public var options: [Parameter] {
        switch self {
        case .options(let parameters): parameters
        case .list(let kind), .map(let kind): kind.options
        case .either(let kinds): kinds.flatMap(\.options)
        default: []
        }
    }

    /// What stands under the names of a table, if the kind may be one.
    var mapped: Kind? {
        switch self {
        case .map(let values): values
        case .either(let kinds): kinds.lazy.compactMap(\.mapped).first
        default: nil
        }
    }
}
