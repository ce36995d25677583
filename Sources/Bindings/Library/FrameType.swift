import Runtime

extension Frame: LuaObject {}
extension FrameGroups: LuaObject {}

extension Library {
    /// Data frames.
    static var frames: Library {
        Library(functions: [frame], types: [frameType, groupsType])
    }

    private static var frame: Function {
        Function(
            "frame",
            "A data frame from a list of rows or a CSV file: named columns that can be filtered, joined, grouped and summarised. It knows axes (what tells designs apart), seeds (what tells repetitions apart) and values (what was measured), so that means are over repetitions only. `result:frame()` makes one of a study's rows.",
            [
                .options([
                    Parameter(
                        "rows", .list(.table),
                        "Tables with a number, string or boolean under each name; what a row leaves out is missing."
                    ).rest.optional,
                    .path(
                        "csv",
                        "A file with a line of names, in place of rows; it may be compressed (.gz, .zst)."
                    ).optional,
                    .strings(
                        "axes",
                        "Columns that tell designs apart; default: those of strings and booleans, and of a file that `result:csv` wrote, the arm and its parameters."
                    ).optional,
                    .strings(
                        "seeds",
                        "Columns that tell repetitions of a design apart, the outer one first; default: seed and finetune_seed."
                    ).optional,
                ])
            ], returns: "frame",
            example: """
                local scores = mt.frame {
                  { arm = "control", seed = 1, loss = 3.2 }, { arm = "control", seed = 2, loss = 3.3 },
                  { arm = "mixed", seed = 1, loss = 3.0 }, { arm = "mixed", seed = 2, loss = 3.05 },
                }
                print(scores:group "arm":summary "loss")
                """
        ) { call in
            let options = try call.options()
            let path = try options.string(ifPresent: "csv")
            let rows = try options.table(ifPresent: "rows")?.items
            guard (path == nil) != (rows == nil) else {
                throw call.mistake(
                    "options", "rows or csv expected, got \(path == nil ? "neither" : "both")")
            }
            let (axes, seeds) = (
                try options.strings(ifPresent: "axes"), try options.strings(ifPresent: "seeds")
            )
            guard let path else {
                return try call.returns(
                    try frame(of: rows ?? []).with(axes: axes, seeds: seeds))
            }
            let read = try Frame(csv: path)
            try call.returns(
                axes == nil && seeds == nil ? read : read.with(axes: axes, seeds: seeds))
        }
    }

    /// Rows as Lua has them; columns in order of their names.
    private static func frame(of rows: [Value]) throws -> Frame {
        var places: [String: Int] = [:]
        var columns: [(name: String, values: [ResultValue])] = []
        for (index, row) in rows.enumerated() {
            guard case .table(let row) = row, row.items.isEmpty else {
                throw Mistake("rows[\(index + 1)]: a table with names as keys expected")
            }
            for (name, value) in row.fields {
                let cell = try cell(value, "rows[\(index + 1)].\(name)")
                let place =
                    places[name]
                    ?? {
                        columns.append((name, Array(repeating: .missing, count: rows.count)))
                        places[name] = columns.count - 1
                        return columns.count - 1
                    }()
                columns[place].values[index] = cell
            }
        }
        return try Frame(
            columns.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
                .map { Frame.Column($0.name, .value, $0.values) })
    }

    /// A cell from Lua.
    static func cell(_ value: Value?, _ place: String) throws -> ResultValue {
        switch value {
        case nil, .null?: return .missing
        case .integer(let number)?: return .integer(number)
        case .number(let number)? where number.isFinite: return .number(number)
        case .string(let text)?: return .text(text)
        case .boolean(let flag)?: return .flag(flag)
        case let other?:
            throw Mistake(
                "\(place): finite number, string, boolean or nil expected, got \(other.summary)")
        }
    }

    /// A row as Lua reads it.
    static func record(_ frame: Frame, _ row: Int) -> Record {
        Record(frame.columns.map { ($0.name, lua($0.values[row])) })
    }

    private static var frameType: ObjectType {
        ObjectType(
            "frame", Frame.self,
            "A data frame. `#frame` is the number of rows, `frame[i]` a row; operations give new frames.",
            describe: { $0.text() },
            fields: [
                Field("columns", "list of strings", "The names of the columns.") { $0.names },
                Field(
                    "roles", "table",
                    "What each column is: \"axis\", \"seed\", \"value\" or \"note\"."
                ) { frame in Record(frame.columns.map { ($0.name, $0.role.rawValue) }) },
            ],
            methods: rowMethods(
                of: Frame.self, named: "frame", frame: { $0 }, keeping: { $0.rows(at: $1) },
                adding: { try $0.adding($1) },
                joining: { try $0.joining($1, on: $2, $3, repeats: $4) })
                + frameMethods(of: Frame.self, frame: { $0 }) + [
                    Method(
                        "rows", "The rows, with a field for every column that is known.",
                        returns: "list of tables"
                    ) {
                        frame, call in
                        try call.returns(
                            Record([], items: (0..<frame.count).map { record(frame, $0) }))
                    },
                    Method(
                        "text", "The frame as print shows it.",
                        [.integer("rows", "Rows that are shown at most.", .count.positive).or(200)],
                        returns: "string"
                    ) { frame, call in
                        try call.returns(frame.text(most: try call.integer("rows")))
                    },
                    Method(
                        "csv", "Writes the rows as CSV. \(formulas)",
                        [.path("path", "Where to."), .options([rawOption]).optional]
                    ) { frame, call in
                        try AtomicFile.write(
                            try call.string("path"),
                            text: frame.csv(raw: try call.options().boolean("raw")))
                    },
                    Method(
                        "json", "Writes the rows as a JSON array of objects.",
                        [.path("path", "Where to.")]
                    ) { frame, call in
                        try AtomicFile.write(try call.string("path"), text: try frame.json())
                    },
                ],
            operators: [
                append("frames") { (a: Frame, b: Frame) in try a.appending(b) }
            ],
            length: { $0.count },
            index: { frame, key, call in
                guard let place = key.integerValue else {
                    throw Mistake("a frame cannot be indexed with \(key.summary)")
                }
                guard (1...max(1, frame.count)).contains(place), frame.count > 0 else {
                    return try call.returns(Value.null)
                }
                try call.returns(record(frame, place - 1))
            })
    }

    /// `a .. b`.
    static func append<Object: LuaObject>(
        _ what: String, _ body: @escaping (Object, Object) throws -> Object
    ) -> Function {
        Function("__concat", "The rows of both.") { call in
            let both = try (call.argument(1), call.argument(2))
            guard case .object(let first) = both.0, case .object(let second) = both.1,
                let a = first.get(Object.self), let b = second.get(Object.self)
            else {
                throw Mistake(
                    "..: two \(what) expected, got \(both.0.summary) and \(both.1.summary)")
            }
            try call.returns(try body(a, b))
        }
    }

    private static var groupsType: ObjectType {
        ObjectType(
            "groups", FrameGroups.self,
            "The rows of a frame by the values of some columns. `#groups` is their number.",
            describe: { "\($0.groups.count) groups by \($0.keys.joined(separator: ", "))" },
            fields: [
                Field("keys", "list of strings", "The columns that it is grouped by.") { $0.keys }
            ],
            methods: [
                Method(
                    "summary",
                    "The mean of columns in each group, with Student's interval and the number of repetitions: of V the columns V, V_low, V_high and V_n, and V_missing where rows have none. Seeds are the repetitions; those of finetuning are averaged within a trunk when there are several trunks. Rows of a group that differ in an axis are no repetitions of each other and an error.",
                    [
                        .strings(
                            "values", "Columns to average; default: all that were measured."
                        ).optional,
                        .options([
                            .strings(
                                "over",
                                "Axes to average over within each seed, such as several data sets; every seed must have all of their values."
                            ).optional,
                            Parameter(
                                "statistics",
                                .list(.choice(FrameGroups.Statistic.allCases.map(\.rawValue))),
                                "Further columns, such as V_sd."
                            ).optional,
                            .number("confidence", "Of the intervals.", .confidence).or(0.95),
                        ]).optional,
                    ], returns: "frame",
                    example: """
                        print(groups:summary("loss", { statistics = { "sd", "median" } }))
                        """
                ) { groups, call in
                    let options = try call.options()
                    let values = try call.strings(ifPresent: "values")
                    let statistics = try (options.strings(ifPresent: "statistics") ?? [])
                        .compactMap(
                            FrameGroups.Statistic.init)
                    try call.returns(
                        try groups.summary(
                            values
                                ?? groups.frame.columns.filter {
                                    $0.role == .value && !groups.keys.contains($0.name)
                                }.map(\.name), statistics: statistics,
                            over: try options.strings(ifPresent: "over") ?? [],
                            confidence: try options.number("confidence")))
                },
                Method(
                    "count", "The number of rows of each group.",
                    returns: "frame with the column rows",
                    example: "print(groups:count())"
                ) { groups, call in try call.returns(try groups.counts()) },
                Method(
                    "frames", "A frame of the rows of each group.", returns: "list of frames",
                    example:
                        "for _, part in ipairs(groups:frames()) do print(part[1].arm, #part) end"
                ) { groups, call in
                    try call.returns(Record([], items: groups.groups.indices.map(groups.frame)))
                },
            ], length: { $0.groups.count })
    }
}
