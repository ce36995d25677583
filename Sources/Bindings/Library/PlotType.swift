import Runtime

extension Library {
    static var plotType: ObjectType {
        ObjectType(
            "plot", PlotBox.self,
            "A figure. At the prompt it shows itself: as text, or as a picture where there is a way to.",
            describe: { box in
                (try? box.plot.text()) ?? "plot \(box.plot.title)"
            },
            fields: [Field("title", "string", "What stands above it.") { $0.plot.title }],
            methods: [
                Method(
                    "save",
                    "Writes it in the format of the name's ending: .svg, .png, .pdf, .tikz (for \\input in LaTeX with the package tikz; texts have the document's font), .csv (the numbers) or .gp (the gnuplot script). With `columns` it is as wide as so many columns of a paper, with letters of 8 points. Without gnuplot, the numbers and the script are written and an error says so. \(formulas)",
                    [
                        .path("path", "Where to."),
                        .options([
                            .integer(
                                "columns", "Columns of a paper that it is as wide as.", .count,
                                in: 1...4
                            )
                            .optional,
                            .number("column_width", "Inches of one column.", .inches).or(
                                Paper.standardColumn), rawOption,
                        ]).optional,
                    ]
                ) { box, call in
                    let options = try call.options()
                    try box.plot.save(
                        try call.string("path"),
                        paper: try options.integer(ifPresent: "columns").map {
                            try Paper(columns: $0, inches: try options.number("column_width"))
                        }, raw: try options.boolean("raw"),
                        allow: call.interpreter.checkPath,
                        stop: call.interpreter.session.stop)
                },
                Method("show", "Shows it now: as text, or as a picture where there is a way to.") {
                    box, call in
                    try call.interpreter.show(box.plot)
                },
                Method(
                    "text", "The plot in characters.",
                    [.integer("width", "Columns.", .columns, in: 40...400).or(80)],
                    returns: "string"
                ) { box, call in
                    try call.returns(
                        try box.plot.text(
                            width: try call.integer("width"), stop: call.interpreter.session.stop))
                },
                Method("svg", "The plot as an SVG document.", returns: "string") { box, call in
                    try call.returns(try box.plot.svg(stop: call.interpreter.session.stop))
                },
                Method(
                    "script", "The gnuplot script that draws it, with its data.", returns: "string"
                ) { box, call in try call.returns(box.plot.script()) },
            ])
    }
}

extension Interpreter {
    /// Shows a plot in every form there is.
    ///
    /// - Throws: as `Plot.text(width:stop:)`.
    package func show(_ plot: Plot) throws {
        let stop = session.stop
        let text = try plot.text(width: settings.display.width() - 1, stop: stop)
        var output = RichOutput(text: text)
        do {
            output.svg = try plot.svg(stop: stop)
            output.png = try plot.png(stop: stop)
            output.pngScale = Plot.pngScale
        } catch is MissingGnuplot {
            // Some plots have a form in characters that needs no gnuplot.
        }
        show(output)
    }
}

extension Library {
    static var runPlotMethod: Method<RunBox> {
        Method(
            "plot", "The course of this run, and of others, over their steps so far.",
            [
                .options([
                    .objects("others", "run", "Runs to draw with it.").rest.optional,
                    .choice(
                        "value", RunFigures.Measure.allCases.map(\.rawValue) + ["evaluations"],
                        "What is drawn; \"evaluations\" are the losses of corpora that were measured on the way (`evaluate_every`)."
                    ).or("loss"),
                    .integer(
                        "smooth",
                        "Draws at each step the mean of so many, the last of which it is.",
                        .count.positive
                    ).or(1),
                    .string("title", "What stands above it.").optional,
                ])
            ], returns: "plot"
        ) { box, call in
            let options = try call.options()
            let runs = try [box] + (options.objects(ifPresent: "others") ?? [])
            let measure = RunFigures.Measure(rawValue: try options.string("value"))
            let smooth = try options.integer("smooth")
            let records = try runs.map { (name: $0.run.name, records: try $0.run.records()) }
            guard records.contains(where: { !$0.records.isEmpty }) else {
                throw Mistake("the run has no step yet; train it first")
            }
            let names = runs.map(\.run.name).joined(separator: ", ")
            let recipe = box.run.trajectory.recipe
            var phases = recipe.phases
            if let first = phases.first {
                phases += box.run.trajectory.finetunes.map {
                    Phase(name: "finetune", start: $0.start, mixture: first.mixture)
                }
            }
            let title = try options.string(ifPresent: "title") ?? names
            if let measure {
                return try call.returns(
                    PlotBox(
                        RunFigures.curves(
                            records, measure, smooth: smooth, phases: phases, title: title)))
            }
            let evaluations = try runs.map {
                (name: $0.run.name, evaluations: try $0.run.evaluations())
            }
            guard evaluations.contains(where: { !$0.evaluations.isEmpty }) else {
                throw Mistake(
                    "no loss of a corpus was measured on the way; train { evaluate = …, evaluate_every = … } does"
                )
            }
            try call.returns(
                PlotBox(
                    RunFigures.evaluations(
                        evaluations, smooth: smooth, phases: phases, title: title)))
        }
    }

    static var similarityPlotMethod: Method<Similarity> {
        Method(
            "plot", "The matrix as a plot.",
            [.options([.string("title", "What stands above it.").optional])], returns: "plot"
        ) { similarity, call in
            let title = try call.options().string(ifPresent: "title")
            let session = call.interpreter.session
            try call.returns(
                PlotBox(
                    try session.working { try similarity.plot(title: title, stop: session.stop) }))
        }
    }

    private static func figure(_ figure: StudyResult.Figure, _ options: Options) throws -> PlotBox {
        var plot = figure.plot
        if let title = try options.string(ifPresent: "title") { plot.title = title }
        return PlotBox(plot)
    }

    static var resultPlotMethod: Method<ResultBox> {
        Method(
            "plot",
            "One column as a plot: a matrix by two parameters, or bars of every kind of arm. Means over seeds with Student's 95% intervals; with `against`, mean differences to that arm with the same seed.",
            [
                .options([
                    .name("value", of: .corpus, "The column, such as the target's name.").item,
                    .string("rows", "The parameter that runs down, such as \"start\".").optional,
                    .string("columns", "The parameter that runs across, such as \"weight\".")
                        .optional,
                    .string("against", "The reference's name, such as \"control\".").optional,
                    .string("title", "What stands above it.").optional,
                ])
            ], returns: "plot, and a string that says what it shows"
        ) { box, call in
            let options = try call.options()
            let value = try options.string("value")
            let against = try options.string(ifPresent: "against")
            let found: StudyResult.Figure
            switch (
                try options.string(ifPresent: "rows"), try options.string(ifPresent: "columns")
            ) {
            case (let rows?, let columns?):
                found = try box.result.heatMap(
                    rows: rows, columns: columns, value: value, against: against)
            case (nil, nil): found = try box.result.bars(value: value, against: against)
            default: throw call.mistake("options", "rows and columns: give both or none")
            }
            try call.returns(try figure(found, options), found.caption)
        }
    }

    static var resultCurvesMethod: Method<ResultBox> {
        Method(
            "curves",
            "The training loss while finetuning, by kind of arm: mean over seeds, banded by the lowest and highest. With `value`, the valid loss of a corpus over pretraining and midtraining, as `study:run { evaluate_every = … }` measured it.",
            [
                .options([
                    .name("value", of: .corpus, "An evaluated corpus.").item.optional,
                    .string("title", "What stands above it.").optional,
                ])
            ],
            returns: "plot, and a string that says what it shows"
        ) { box, call in
            let options = try call.options()
            let store = try call.interpreter.session.store()
            let found =
                try options.string(ifPresent: "value").map {
                    try box.result.evaluationCurves($0, store)
                } ?? box.result.curves(store)
            try call.returns(try figure(found, options), found.caption)
        }
    }
}
