import Runtime

/// A plot as Lua holds it.
final class PlotBox: LuaObject {
    let plot: Plot

    init(_ plot: Plot) { self.plot = plot }
}

extension Library {
    /// Figures.
    package static var plots: Library {
        Library(functions: [linePlot, scatterPlot, heatMap, barPlot], types: [plotType])
    }

    private static var titleOption: Parameter {
        .string("title", "What stands above it.").or("")
    }

    private static func axisOptions(_ across: String, _ upwards: String) -> [Parameter] {
        [
            .string("x", "What is across, with its unit\(across).").or(""),
            .string("y", "What is upwards, with its unit\(upwards).").or(""),
            .choice("log", ["x", "y", "xy"], "Which axes are logarithmic.").optional,
        ]
    }

    private static func axes(_ options: Options) throws -> (x: PlotAxis, y: PlotAxis) {
        let log = try options.string(ifPresent: "log") ?? ""
        return (
            PlotAxis(try options.string("x"), isLogarithmic: log.contains("x")),
            PlotAxis(try options.string("y"), isLogarithmic: log.contains("y"))
        )
    }

    /// Refuses what a logarithmic axis cannot show.
    private static func check(
        _ call: Call, _ axis: PlotAxis, _ place: String, _ values: [Double?]
    ) throws {
        guard axis.isLogarithmic,
            let wrong = values.lazy.compactMap({ $0 }).first(where: { $0.isFinite && $0 <= 0 })
        else { return }
        throw call.mistake(
            "options", "\(place): numbers above 0 expected on a logarithmic axis, got \(wrong)")
    }

    private static func intervalOptions(_ prefix: String, _ what: String) -> [Parameter] {
        [
            .number("\(prefix)low", "The lower limit of \(what).", .drawn).optional,
            .number("\(prefix)high", "The upper limit of \(what).", .drawn).optional,
        ]
    }

    private static func interval(
        _ call: Call, _ place: String, _ options: Options, _ name: String, _ prefix: String
    ) throws -> Interval {
        let low = try options.number(ifPresent: prefix + "low")
        let high = try options.number(ifPresent: prefix + "high")
        if let low, let high, low > high {
            throw call.mistake(
                "options",
                "\(place): \(prefix)low at most \(prefix)high expected, got \(low) and \(high)")
        }
        return Interval(try options.number(name), low: low, high: high)
    }

    /// A list of tables of options.
    private static func lists(
        _ name: String, _ help: String, _ parameters: [Parameter]
    ) -> Parameter {
        Parameter(name, .list(.options(parameters)), help)
    }

    private static func items(_ options: Options, _ name: String) throws -> [Options] {
        try (options.table(ifPresent: name)?.items ?? []).map { item in
            guard case .options(let item) = item else { throw UnknownName(name: name) }
            return item
        }
    }

    private static var linePlot: Function {
        Function(
            "plot.line", "Lines over a common axis, each with a band where limits are given.",
            [
                .options(
                    [
                        lists(
                            "series", "One line each.",
                            [
                                .string("name", "What the legend calls it.").or(""),
                                .numbers("x", "Places along the axis.", .drawn),
                                .numbers(
                                    "y", "Values; one that is not finite interrupts the line.",
                                    .drawn),
                                .numbers("low", "Lower limits of the band.", .drawn).optional,
                                .numbers("high", "Upper limits of the band.", .drawn).optional,
                            ]
                        ).rest,
                        lists(
                            "marks", "Vertical lines with names.",
                            [.number("x", "Where.", .drawn).item, .string("label", "What.").item]
                        ).optional,
                        titleOption,
                    ] + axisOptions("", ""))
            ], returns: "plot",
            example: """
                mt.plot.line {
                  { name = "control", x = { 1, 2, 3 }, y = { 3.1, 2.9, 2.8 }, low = { 3, 2.8, 2.7 }, high = { 3.2, 3, 2.9 } },
                  { name = "midtrained", x = { 1, 2, 3 }, y = { 3.1, 2.7, 2.5 } },
                  title = "Loss", x = "step", y = "loss, nats a token", marks = { { 2, "midtrain" } },
                }:save(os.tmpname() .. ".svg")
                """
        ) { call in
            let options = try call.options()
            let axes = try axes(options)
            let series = try items(options, "series").enumerated().map { index, line in
                let (x, y) = (try line.numbers("x"), try line.numbers("y"))
                let low = try line.numbers(ifPresent: "low")
                let high = try line.numbers(ifPresent: "high")
                for (name, list) in [("y", y), ("low", low ?? x), ("high", high ?? x)]
                where list.count != x.count {
                    throw call.mistake(
                        "options",
                        "series[\(index + 1)].\(name): \(x.count) numbers expected, as x has, got \(list.count)"
                    )
                }
                let place = "series[\(index + 1)]"
                try check(call, axes.x, "\(place).x", x)
                for (name, list) in [("y", y), ("low", low), ("high", high)] {
                    try check(call, axes.y, "\(place).\(name)", list ?? [])
                }
                return LinePlot.Series(
                    name: try line.string("name"),
                    points: x.indices.map {
                        .init(x: x[$0], y: Interval(y[$0], low: low?[$0], high: high?[$0]))
                    })
            }
            let marks = try items(options, "marks").enumerated().map { index, mark in
                let x = try mark.number("x")
                try check(call, axes.x, "marks[\(index + 1)].x", [x])
                return LinePlot.Mark(x: x, label: try mark.string("label"))
            }
            try call.returns(
                PlotBox(
                    Plot(
                        title: try options.string("title"),
                        LinePlot(series: series, x: axes.x, y: axes.y, marks: marks))))
        }
    }

    private static var scatterPlot: Function {
        Function(
            "plot.scatter",
            "Points with names, groups and intervals, and the line of least squares with the 95% interval of the mean.",
            [
                .options(
                    [
                        lists(
                            "points", "One point each.",
                            [
                                .number("x", "Across.", .drawn), .number("y", "Upwards.", .drawn),
                                .string("label", "Its name.").or(""),
                                .string("group", "What it has its colour and shape of.").or(""),
                            ] + intervalOptions("x_", "x") + intervalOptions("y_", "y")
                        ).rest,
                        .boolean("fit", "Whether the line of least squares is drawn.").or(false),
                        .string(
                            "note",
                            "What stands beside the line; default: r with Fisher's interval, which takes the points as independent."
                        ).optional,
                        titleOption,
                    ] + axisOptions("", ""))
            ], returns: "plot",
            example: """
                mt.plot.scatter {
                  { x = 0.01, y = 0.02, label = "flan", group = "code" }, { x = 0.05, y = 0.04, label = "maths", group = "code" },
                  { x = 0.16, y = 0.12, label = "code", group = "code", y_low = 0.1, y_high = 0.14 },
                  fit = true, x = "proximity advantage", y = "gain", title = "Proximity and gain",
                }:save(os.tmpname() .. ".svg")
                """
        ) { call in
            let options = try call.options()
            let axes = try axes(options)
            let points = try items(options, "points").enumerated().map { index, point in
                let place = "points[\(index + 1)]"
                let x = try interval(call, place, point, "x", "x_")
                let y = try interval(call, place, point, "y", "y_")
                try check(call, axes.x, "\(place).x", [x.value, x.low, x.high])
                try check(call, axes.y, "\(place).y", [y.value, y.low, y.high])
                return ScatterPlot.Point(
                    x: x, y: y, label: try point.string("label"),
                    group: try point.string("group"))
            }
            try call.returns(
                PlotBox(
                    Plot(
                        title: try options.string("title"),
                        ScatterPlot(
                            points: points, x: axes.x, y: axes.y, fits: try options.boolean("fit"),
                            note: try options.string(ifPresent: "note")))
                ))
        }
    }

    private static var heatMap: Function {
        Function(
            "plot.heatmap", "A matrix in colours, with its numbers.",
            [
                .options([
                    Parameter(
                        "values", .list(.list(.number(.drawn))),
                        "A row a list, from the top; a number that is not finite is an empty cell."
                    ).item,
                    Parameter(
                        "half_widths", .list(.list(.number(.drawn))),
                        "Half of each number's interval, shown with ±."
                    ).optional,
                    .strings("rows", "Names of the rows."),
                    .strings("columns", "Names of the columns."),
                    .string("x", "What runs across.").or(""),
                    .string("y", "What runs down.").or(""),
                    .string("value", "What the numbers are, with their unit.").or(""),
                    .boolean("diverging", "Whether white is zero and both sides have colours.").or(
                        false),
                    .integer("decimals", "Of the numbers.", .decimals).or(3), titleOption,
                ])
            ], returns: "plot",
            example: """
                mt.plot.heatmap { { { 2.1, 2.0 }, { 2.3, 2.2 } }, rows = { "200", "600" }, columns = { "0.1", "0.5" },
                  x = "weight", y = "start, step", value = "loss, nats a token", title = "Loss" }:save(os.tmpname() .. ".svg")
                """
        ) { call in
            let options = try call.options()
            func matrix(_ name: String) throws -> [[Double]]? {
                try options.table(ifPresent: name)?.items.map { row in
                    guard case .table(let row) = row else { throw UnknownName(name: name) }
                    return row.items.compactMap(\.numberValue)
                }
            }
            let values = try matrix("values") ?? []
            let halves = try matrix("half_widths")
            if let halves, halves.map(\.count) != values.map(\.count) {
                throw call.mistake("options", "half_widths: as many numbers as values expected")
            }
            let cells = values.indices.map { row in
                values[row].indices.map { column -> Interval? in
                    let value = values[row][column]
                    guard value.isFinite else { return nil }
                    guard let half = halves?[row][column], half.isFinite else {
                        return Interval(value)
                    }
                    return Interval(value, low: value - half, high: value + half)
                }
            }
            try call.returns(
                PlotBox(
                    Plot(
                        title: try options.string("title"),
                        try HeatMap(
                            rows: try options.strings("rows"),
                            columns: try options.strings("columns"), values: cells,
                            x: try options.string("x"), y: try options.string("y"),
                            label: try options.string("value"),
                            isDiverging: try options.boolean("diverging"),
                            decimals: try options.integer("decimals")))))
        }
    }

    private static var barPlot: Function {
        Function(
            "plot.bars", "Bars from zero with intervals, a line each.",
            [
                .options([
                    lists(
                        "bars", "One bar each, from the top.",
                        [
                            .string("label", "Its name.").item,
                            .number("value", "Its length.", .drawn).item,
                            .string(
                                "group", "Bars of one name and different groups stand together."
                            )
                            .or(""),
                        ] + intervalOptions("", "its interval")
                    ).rest,
                    .string("value", "What the length is, with its unit.").or(""),
                    .integer(
                        "decimals",
                        "Of the numbers; default: 3, and more where the longest bar would have fewer than two digits.",
                        .decimals
                    ).optional, titleOption,
                ])
            ], returns: "plot",
            example: """
                mt.plot.bars { { "code", -0.29, low = -0.33, high = -0.25 }, { "flan", 0.01, low = -0.01, high = 0.03 },
                  value = "Δ against control, nats a token", title = "Code after finetuning" }:save(os.tmpname() .. ".svg")
                """
        ) { call in
            let options = try call.options()
            let bars = try items(options, "bars").enumerated().map { index, bar in
                BarPlot.Bar(
                    label: try bar.string("label"), group: try bar.string("group"),
                    value: try interval(call, "bars[\(index + 1)]", bar, "value", ""))
            }
            try call.returns(
                PlotBox(
                    Plot(
                        title: try options.string("title"),
                        BarPlot(
                            bars: bars, label: try options.string("value"),
                            decimals: try options.integer(ifPresent: "decimals")))))
        }
    }
}
