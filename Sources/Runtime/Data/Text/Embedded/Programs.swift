/// Small programs in Lua, each with what it does in words: the domain farthest from the general one.
enum Programs {
    /// A function and the sentence that says what it does.
    private struct Program {
        var name: String
        var parameters: [String]
        var body: [String]
        /// As a comment in a program: `sum of the squares of the even numbers`.
        var comment: String
        /// As a request: `returns the sum of the squares of the even numbers in a list`.
        var request: String
        var call: String
    }

    /// A file of some functions and their use.
    static func write(_ scribe: inout Scribe) {
        let table = scribe.chance(0.4)
        let module = scribe.pick(["M", "lib", "tools", "list", "util"])
        if table { scribe.text += "local \(module) = {}\n\n" }
        var names: Set<String> = []
        for _ in 0..<scribe.integer(2...5) {
            let program = make(&scribe)
            guard names.insert(program.name).inserted else { continue }
            if scribe.chance(0.6) { scribe.text += "-- \(program.comment)\n" }
            let list = program.parameters.joined(separator: ", ")
            let head =
                table ? "function \(module).\(program.name)" : "local function \(program.name)"
            scribe.text += "\(head)(\(list))\n" + indented(program.body) + "end\n\n"
            if !table, scribe.chance(0.5) { scribe.text += "print(\(program.call))\n\n" }
        }
        if table { scribe.text += "return \(module)\n" }
    }

    /// A request in words and the function that fulfils it.
    static func task(_ scribe: inout Scribe) {
        let program = make(&scribe)
        let ask = scribe.pick([
            "Write a function \(program.name) that \(program.request).",
            "Write \(program.name): a Lua function that \(program.request).",
            "Please give me a function called \(program.name) which \(program.request).",
        ])
        scribe.prompt = "\(ask)\n"
        scribe.text =
            "function \(program.name)(\(program.parameters.joined(separator: ", ")))\n"
            + indented(program.body) + "end\n"
    }

    /// Lines with an indent that follows `function`, `for`, `if`, `while`, `else` and `end`.
    private static func indented(_ lines: [String]) -> String {
        var text = ""
        var depth = 1
        for line in lines {
            let closes = line.hasPrefix("end") || line.hasPrefix("else")
            if closes { depth -= 1 }
            text += String(repeating: "  ", count: depth) + line + "\n"
            let opens =
                line.hasSuffix(" do") || line.hasSuffix(" then") || line == "else"
                || line.hasSuffix("function()")
            if opens { depth += 1 }
        }
        return text
    }

    private static func make(_ scribe: inout Scribe) -> Program {
        switch scribe.integer(10) {
        case 0...3: aggregate(&scribe)
        case 4...5: collect(&scribe)
        case 6: find(&scribe)
        case 7: text(&scribe)
        case 8: number(&scribe)
        default: group(&scribe)
        }
    }

    /// A condition on an element: code, words, and a part of a name.
    private static func condition(
        _ scribe: inout Scribe, _ item: String
    ) -> (code: String, words: String, name: String) {
        let limit = scribe.integer(2...20)
        return scribe.pick([
            ("\(item) % 2 == 0", "even", "even"), ("\(item) % 2 == 1", "odd", "odd"),
            ("\(item) > 0", "positive", "positive"), ("\(item) < 0", "negative", "negative"),
            ("\(item) > \(limit)", "greater than \(limit)", "above_\(limit)"),
            ("\(item) < \(limit)", "less than \(limit)", "below_\(limit)"),
            ("\(item) % \(limit) == 0", "divisible by \(limit)", "by_\(limit)"),
            ("\(item) ~= \(limit)", "different from \(limit)", "not_\(limit)"),
        ])
    }

    /// What is done to an element: code, words before it, and a part of a name.
    private static func change(
        _ scribe: inout Scribe, _ item: String
    ) -> (code: String, words: String, name: String) {
        let step = scribe.integer(2...9)
        return scribe.pick([
            ("\(item) * \(item)", "squares", "squares"), ("2 * \(item)", "doubles", "doubles"),
            ("-\(item)", "negatives", "negatives"),
            ("\(item) + \(step)", "values plus \(step)", "plus_\(step)"),
            ("\(item) * \(step)", "values times \(step)", "times_\(step)"),
            ("math.abs(\(item))", "absolute values", "sizes"),
            ("\(item) // \(step)", "values over \(step)", "over_\(step)"),
        ])
    }

    private static func numbers(_ scribe: inout Scribe) -> String {
        let values = (0..<scribe.integer(3...6)).map { _ in "\(scribe.integer(-9...40))" }
        return "{" + values.joined(separator: ", ") + "}"
    }

    private static let lists = ["list", "values", "items", "numbers", "t", "xs"]
    private static let elements = ["v", "x", "item", "value", "n"]

    private static func aggregate(_ scribe: inout Scribe) -> Program {
        let list = scribe.pick(lists)
        let item = scribe.pick(elements)
        let test = condition(&scribe, item)
        let map = change(&scribe, item)
        let filtered = scribe.chance(0.6)
        let mapped = scribe.chance(0.4)
        let value = mapped ? map.code : item
        let kinds: [(verb: String, words: String, start: String, step: (String) -> String)] = [
            ("sum", "sum", "0", { "total = total + \($0)" }),
            ("product", "product", "1", { "total = total * \($0)" }),
            ("count", "number", "0", { _ in "total = total + 1" }),
            ("largest", "largest", "-math.huge", { "total = math.max(total, \($0))" }),
            ("smallest", "smallest", "math.huge", { "total = math.min(total, \($0))" }),
        ]
        let kind = scribe.pick(kinds)
        var body = ["local total = \(kind.start)", "for _, \(item) in ipairs(\(list)) do"]
        if filtered { body.append("if \(test.code) then") }
        body.append(kind.step(value))
        if filtered { body.append("end") }
        body += ["end", "return total"]
        let what =
            (mapped ? "the \(map.words) of " : "")
            + (filtered ? "the values that are \(test.words)" : "all values")
        var name = kind.verb
        if mapped { name += "_\(map.name)" }
        if filtered { name += "_\(test.name)" }
        return Program(
            name: name, parameters: [list], body: body, comment: "\(kind.words) of \(what)",
            request: "returns the \(kind.words) of \(what) in a list",
            call: "\(name)(\(numbers(&scribe)))")
    }

    private static func collect(_ scribe: inout Scribe) -> Program {
        let list = scribe.pick(lists)
        let item = scribe.pick(elements)
        let test = condition(&scribe, item)
        let map = change(&scribe, item)
        let result = scribe.pick(["result", "out", "kept", "r"])
        let filtered = scribe.chance(0.5)
        var body = ["local \(result) = {}", "for i, \(item) in ipairs(\(list)) do"]
        if filtered { body.append("if \(test.code) then") }
        body.append("\(result)[#\(result) + 1] = \(filtered ? item : map.code)")
        if filtered { body.append("end") }
        body += ["end", "return \(result)"]
        let words =
            filtered ? "the values that are \(test.words)" : "the \(map.words) of all values"
        let name = filtered ? "only_\(test.name)" : map.name
        return Program(
            name: name, parameters: [list], body: body, comment: "a list of \(words)",
            request: "returns a list of \(words)", call: "#\(name)(\(numbers(&scribe)))")
    }

    private static func find(_ scribe: inout Scribe) -> Program {
        let list = scribe.pick(lists)
        let item = scribe.pick(elements)
        let test = condition(&scribe, item)
        let last = scribe.chance(0.3)
        let loop = last ? "for i = #\(list), 1, -1 do" : "for i = 1, #\(list) do"
        let name = "\(last ? "last" : "first")_\(test.name)"
        return Program(
            name: name, parameters: [list],
            body: [
                loop, "local \(item) = \(list)[i]", "if \(test.code) then", "return i, \(item)",
                "end", "end", "return nil",
            ],
            comment: "place of the \(last ? "last" : "first") value that is \(test.words)",
            request: "finds the \(last ? "last" : "first") value of a list that is \(test.words)",
            call: "\(name)(\(numbers(&scribe)))")
    }

    private static func text(_ scribe: inout Scribe) -> Program {
        let parameter = scribe.pick(["s", "text", "str", "line", "word"])
        let word = scribe.pick(Words.things)
        let letter = scribe.pick(["a", "e", "i", "o", "s", "t", "n", "r"])
        let kinds: [(String, [String], String, String)] = [
            (
                "count_\(letter)",
                [
                    "local count = 0", "for c in \(parameter):gmatch(\"\(letter)\") do",
                    "count = count + 1", "end", "return count",
                ], "how often \(letter) occurs",
                "counts how often the letter \(letter) occurs in a string"
            ),
            (
                "backwards",
                [
                    "local out = \"\"", "for i = #\(parameter), 1, -1 do",
                    "out = out .. \(parameter):sub(i, i)", "end", "return out",
                ], "the text backwards", "returns a string backwards"
            ),
            (
                "starts_with_\(letter)",
                ["return \(parameter):sub(1, 1) == \"\(letter)\""],
                "whether the text starts with \(letter)",
                "tells whether a string starts with \(letter)"
            ),
            (
                "words",
                [
                    "local out = {}", "for w in \(parameter):gmatch(\"%a+\") do",
                    "out[#out + 1] = w", "end", "return out",
                ], "the words of a text", "returns a list of the words of a string"
            ),
            (
                "without_\(letter)", ["return (\(parameter):gsub(\"\(letter)\", \"\"))"],
                "the text without \(letter)", "removes the letter \(letter) from a string"
            ),
        ]
        let kind = scribe.pick(kinds)
        return Program(
            name: kind.0, parameters: [parameter], body: kind.1, comment: kind.2, request: kind.3,
            call: "\(kind.0)(\"\(word)\")")
    }

    private static func number(_ scribe: inout Scribe) -> Program {
        let a = scribe.pick(["a", "x", "n", "first"])
        let b = scribe.pick(["b", "y", "m", "second"])
        let step = scribe.integer(2...12)
        let kinds: [(String, [String], [String], String, String)] = [
            (
                "power", [a, b],
                ["local r = 1", "for i = 1, \(b) do", "r = r * \(a)", "end", "return r"],
                "\(a) to the power of \(b)", "raises a number to a power"
            ),
            (
                "factorial", [a],
                ["if \(a) <= 1 then", "return 1", "end", "return \(a) * factorial(\(a) - 1)"],
                "the factorial of \(a)", "returns the factorial of a number"
            ),
            (
                "divisor", [a, b],
                ["while \(b) ~= 0 do", "\(a), \(b) = \(b), \(a) % \(b)", "end", "return \(a)"],
                "the greatest common divisor", "returns the greatest common divisor of two numbers"
            ),
            (
                "clamp_\(step)", [a],
                ["if \(a) > \(step) then", "return \(step)", "else", "return \(a)", "end"],
                "\(a), but at most \(step)", "returns a number, but at most \(step)"
            ),
            (
                "steps_to_\(step)", [a],
                [
                    "local count = 0", "while \(a) > \(step) do", "\(a) = \(a) // 2",
                    "count = count + 1", "end", "return count",
                ],
                "halvings until at most \(step)",
                "counts how often a number is halved until it is at most \(step)"
            ),
            (
                "sum_to", [a],
                [
                    "local total = 0", "for i = 1, \(a) do", "total = total + i", "end",
                    "return total",
                ],
                "the sum of 1 to \(a)", "adds the numbers from 1 to a given one"
            ),
        ]
        let kind = scribe.pick(kinds)
        let arguments = kind.1.map { _ in "\(scribe.integer(2...9))" }.joined(separator: ", ")
        return Program(
            name: kind.0, parameters: kind.1, body: kind.2, comment: kind.3, request: kind.4,
            call: "\(kind.0)(\(arguments))")
    }

    private static func group(_ scribe: inout Scribe) -> Program {
        let list = scribe.pick(lists)
        let field = scribe.pick(["name", "kind", "town", "trade", "year", "colour", "size"])
        let item = scribe.pick(["row", "entry", "record", "e"])
        if scribe.chance(0.5) {
            let name = "count_by_\(field)"
            return Program(
                name: name, parameters: [list],
                body: [
                    "local counts = {}", "for _, \(item) in ipairs(\(list)) do",
                    "local key = \(item).\(field)", "counts[key] = (counts[key] or 0) + 1", "end",
                    "return counts",
                ],
                comment: "how many entries there are of each \(field)",
                request: "counts the records of a list by their \(field)",
                call: "\(name)({{\(field) = \"\(scribe.pick(Words.things))\"}})")
        }
        let name = "sort_by_\(field)"
        return Program(
            name: name, parameters: [list],
            body: [
                "table.sort(\(list), function(a, b) return a.\(field) < b.\(field) end)",
                "return \(list)",
            ],
            comment: "entries in order of \(field)",
            request: "sorts the records of a list by their \(field)", call: "#\(name)({})")
    }
}
