import Runtime

/// What frames and results have in common.
extension Library {
    private static var overOption: Parameter {
        .strings(
            "over",
            "Axes to average over within each seed; every seed must have all of their values."
        ).optional
    }

    /// Methods that give an object of the same type: what is done with a result gives a result.
    static func rowMethods<Object: LuaObject>(
        of type: Object.Type, named name: String, frame: @escaping (Object) throws -> Frame,
        keeping: @escaping (Object, [Int]) -> Object,
        adding: @escaping (Object, [Frame.Column]) throws -> Object,
        joining: @escaping (Object, Frame, [String], Frame.Join, Bool) throws -> Object
    ) -> [Method<Object>] {
        [
            Method(
                "where",
                "The rows for which a condition holds: a table of values by column (a list is any of them), an expression such as \"weight > 0.1 and arm ~= 'control'\" (Lua's operators; names with other characters in backquotes; `x == nil` asks what is missing), or a function of a row.",
                [
                    Parameter(
                        "condition", .either([.function, .string, .table]),
                        "What a row must satisfy. A value that no row has is an error in a table, not in an expression."
                    )
                ], returns: name,
                example: "print(\(name):where { arm = \"midtrained\", weight = { 0.25, 0.5 } })"
            ) { object, call in
                let frame = try frame(object)
                try call.returns(keeping(object, try places(frame, call)))
            },
            Method(
                "with",
                "Further columns by name: an expression over columns (`gap = \"code - prose\"`, with abs, sqrt, exp, log, log2, log10, floor, ceil, min, max), a function of a row, a number or a boolean. What is made of axes and constants alone, or is text, tells designs apart; anything else counts as measured. What is computed of something missing is missing.",
                [.table("columns", "Expressions, functions or values by name.")], returns: name,
                example: "print(\(name):with { gap = \"code - prose\", size = 14 })"
            ) { object, call in
                let source = try frame(object)
                let table = try call.table("columns")
                guard table.items.isEmpty, !table.fields.isEmpty else {
                    throw call.mistake(
                        "columns",
                        table.items.isEmpty
                            ? "columns by name expected, got none"
                            : "names expected as keys, got the key 1")
                }
                let columns = try table.fields.map { try column($0.key, $0.value, source, call) }
                try call.returns(try adding(object, columns))
            },
            Method(
                "sort",
                "The rows in order of some columns, the first one first; `-name` for descending. Equal rows keep their order, and what is missing comes last.",
                [.strings("columns", "Names of columns.")], returns: name,
                example: "print(\(name):sort { \"arm\", \"-code\" })"
            ) { object, call in
                let source = try frame(object)
                let order = try call.strings("columns").map { column in
                    source.has(column) || !column.hasPrefix("-")
                        ? (name: column, descending: false)
                        : (name: String(column.dropFirst()), descending: true)
                }
                try call.returns(keeping(object, try source.order(by: order)))
            },
            Method(
                "join",
                "Columns of a frame beside these, where all keys are equal. Keys that repeat, and other columns that both have, are errors.",
                [
                    .object("other", "frame", "What to set beside."),
                    .options([
                        .strings("on", "Columns that both have: the keys.").rest,
                        .choice(
                            "how", Frame.Join.allCases.map(\.rawValue),
                            "Which rows stay: those with a partner, all of the first, all of both."
                        ).or("inner"),
                        .boolean(
                            "repeats", "Whether several rows of the first may have the same keys."
                        ).or(false),
                    ]),
                ], returns: name,
                example: """
                    local sizes = mt.frame { { arm = "control", cost = 1 }, { arm = "midtrained", cost = 1.2 } }
                    print(\(name):join(sizes, { on = "arm", repeats = true }))
                    """
            ) { object, call in
                let options = try call.options()
                try call.returns(
                    try joining(
                        object, try call.object("other"), try options.strings("on"),
                        Frame.Join(rawValue: try options.string("how")) ?? .inner,
                        try options.boolean("repeats")))
            },
        ]
    }

    /// Methods that give a frame, or what a frame has.
    static func frameMethods<Object: LuaObject>(
        of type: Object.Type, frame: @escaping (Object) throws -> Frame
    ) -> [Method<Object>] {
        let name = type == Frame.self ? "frame" : "result"
        return [
            Method(
                "select",
                "Some of the columns, in this order, as a frame; `{ \"arm\", loss = \"code\" }` gives a column another name.",
                [.table("columns", "Names of columns, and new names for columns.")],
                returns: "frame",
                example: "print(\(name):select { \"arm\", \"seed\", loss = \"code\" })"
            ) { object, call in
                let table = try call.table("columns")
                func text(_ value: Value, _ place: String) throws -> String {
                    guard let text = value.stringValue else {
                        throw call.mistake(
                            "columns",
                            "\(place): the name of a column expected, got \(value.summary)")
                    }
                    return text
                }
                let items = try table.items.enumerated().map { index, item in
                    let name = try text(item, "[\(index + 1)]")
                    return (name: name, column: name)
                }
                let renamed = try table.fields.map {
                    (name: $0.key, column: try text($0.value, $0.key))
                }
                try call.returns(try frame(object).selecting(items + renamed))
            },
            Method(
                "group", "The rows by the values of some columns.",
                [.strings("columns", "Names of columns.")], returns: "groups",
                example: "print(\(name):group { \"arm\", \"start\", \"weight\" }:summary \"code\")"
            ) { object, call in
                try call.returns(
                    try FrameGroups(try frame(object), by: try call.strings("columns")))
            },
            Method(
                "pivot",
                "One column for every value of some columns: cells are means over seeds with interval and count, as `group` and `summary` have them; of a frame without seeds, the value of the one row.",
                [
                    .options([
                        .strings("rows", "Columns whose values are the rows."),
                        .strings("columns", "Columns whose values are the columns."),
                        .string("value", "What stands in the cells."), overOption,
                        .number("confidence", "Of the intervals.", .confidence).or(0.95),
                    ])
                ], returns: "frame",
                example:
                    "print(\(name):where { arm = \"midtrained\" }:pivot { rows = \"start\", columns = \"weight\", value = \"code\" })"
            ) { object, call in
                let options = try call.options()
                try call.returns(
                    try frame(object).pivot(
                        rows: try options.strings("rows"), columns: try options.strings("columns"),
                        value: try options.string("value"),
                        over: try options.strings(ifPresent: "over") ?? [],
                        confidence: try options.number("confidence")))
            },
            Method(
                "column",
                "The values of a column, as a list for `mt.paired` and the like. A row without one is an error.",
                [.string("name", "The column.")], returns: "list",
                example: "print(#\(name):column \"code\")"
            ) { object, call in
                let wanted = try call.string("name")
                let values = try frame(object).column(wanted).values
                if let row = values.firstIndex(of: .missing) {
                    throw Mistake(
                        "row \(row + 1) has no \(wanted); where \"\(wanted) ~= nil\" leaves such rows out"
                    )
                }
                try call.returns(Record([], items: values.compactMap(lua)))
            },
            Method(
                "latex",
                "Writes the rows as a table of LaTeX with the rules of booktabs.",
                [
                    .path("path", "Where to."),
                    .options([
                        .string("caption", "Makes it a floating table with this caption.").optional,
                        .string("label", "What \\ref calls it.").optional,
                    ]).optional,
                ],
                example:
                    "\(name):latex(\"table.tex\", { caption = \"Losses\", label = \"tab:losses\" })"
            ) { object, call in
                let options = try call.options()
                let label = try options.string(ifPresent: "label")
                if let label, label.wholeMatch(of: /[A-Za-z0-9:._\-]+/) == nil {
                    throw call.mistake(
                        "options",
                        "label: letters, digits, :, ., _ and - expected, got \"\(label)\"")
                }
                try AtomicFile.write(
                    try call.string("path"),
                    text: try frame(object).latex(
                        caption: try options.string(ifPresent: "caption"), label: label))
            },
        ]
    }

    private static func places(_ frame: Frame, _ call: Call) throws -> [Int] {
        switch try call.value("condition") {
        case .string(let text)?:
            return try frame.places(where: FrameExpression(text, for: "where"))
        case .function(let function)?:
            return try results(of: function, frame, "where", call).enumerated().compactMap {
                row, value in
                switch value {
                case .flag(let flag): return flag ? row : nil
                case .missing: return nil
                default:
                    throw Mistake(
                        "where: true, false or nil expected of the function, got \(value.description) for row \(row + 1)"
                    )
                }
            }
        case .table(let table)?:
            guard table.items.isEmpty else {
                throw call.mistake("condition", "columns expected as keys, got the key 1")
            }
            return try frame.places(
                where: table.fields.map { name, value in
                    let values: [Value] =
                        if case .table(let list) = value { list.items } else { [value] }
                    if case .table(let list) = value, let odd = list.fields.first {
                        throw call.mistake(
                            "condition",
                            "\(name): a list of values expected, got a table with the key '\(odd.key)'"
                        )
                    }
                    return (name, try values.map { try cell($0, "condition.\(name)") })
                })
        case let other:
            throw call.mistake(
                "condition",
                "table, string or function expected, got \(other?.summary ?? "nothing")")
        }
    }

    private static func column(_ name: String, _ value: Value, _ frame: Frame, _ call: Call) throws
        -> Frame.Column
    {
        switch value {
        case .string(let text):
            return try frame.column(name, try FrameExpression(text, for: "with"))
        case .function(let function):
            let values = try results(of: function, frame, "with", call)
            return Frame.Column(name, Frame.role(of: values, isMeasured: true), values)
        default:
            let constant = try cell(value, "columns.\(name)")
            return Frame.Column(name, .axis, Array(repeating: constant, count: frame.count))
        }
    }

    /// What a function of a row gives for every row.
    private static func results(
        of function: Callback, _ frame: Frame, _ field: String, _ call: Call
    ) throws -> [ResultValue] {
        try (0..<frame.count).map { row in
            try cell(try function.call(record(frame, row)).first, "\(field): row \(row + 1)")
        }
    }
}
