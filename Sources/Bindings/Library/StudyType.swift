import Runtime

/// A study as Lua holds it.
final class StudyBox: LuaObject {
    let study: Study

    init(_ study: Study) { self.study = study }
}

/// A study's result as Lua holds it.
final class ResultBox: LuaObject {
    let result: StudyResult

    init(_ result: StudyResult) { self.result = result }
}

extension Library {
    static var studies: Library {
        Library(
            functions: [grid, study, metric, bitsPerByte, norm],
            types: [studyType, planType, resultType, metricType])
    }

    private static var grid: Function {
        Function(
            "grid",
            "Every combination of the values of some parameters, in order of the names, `seed` last.",
            [.table("parameters", "Lists of values by name.")], returns: "list of tables",
            example: "assert(#mt.grid { start = { 200, 400 }, weight = { 0.1, 0.2, 0.5 } } == 6)"
        ) { call in
            let table = try call.table("parameters")
            guard table.items.isEmpty else {
                throw call.mistake("parameters", "names expected as keys, got the key 1")
            }
            var parameters: [String: [Value]] = [:]
            for field in table.fields {
                parameters[field.key] =
                    if case .table(let list) = field.value { list.items } else { [field.value] }
            }
            let found = try Grid.combinations(parameters, stop: call.interpreter.session.stop)
            try call.returns(
                Record([], items: found.map { Record($0.map { ($0.name, $0.value) }) }))
        }
    }

    private static var study: Function {
        Function(
            "study",
            "Many recipes that share prefixes. Every distinct segment is trained once; whatever the store has is not trained again.",
            [
                .options([
                    .table("arms", "A list of tables of parameters, such as `mt.grid` makes."),
                    .function("recipe", "Makes an arm's recipe from its table."),
                    .table(
                        "controls",
                        "Recipes by name, or functions of a seed and a table of the parameters that `per` names; a recipe is carried out with every seed of the arms."
                    ).optional,
                    .strings(
                        "per",
                        "Parameters of the arms for each of whose values controls are made, such as a model's size: arms are compared with the control of the same values."
                    ).optional,
                    .string("name", "What the arms are called in tables.").or("midtrained"),
                    Parameter(
                        "finetune", .list(.options(studyFinetuneOptions)),
                        "Finetuning of every arm; the learning rate is chosen on valid. A list finetunes every arm on each set in turn, which the parameter `finetuned_on` tells apart."
                    )
                    .optional,
                    .objects(
                        "evaluate", "corpus",
                        "Corpora whose test loss is reported, before and after finetuning."
                    )
                    .optional,
                    .objects(
                        "tasks", "task",
                        "Tasks whose accuracy is reported, before and after finetuning."
                    ).optional,
                    .objects(
                        "metrics", "metric",
                        "Measures of your own, which `mt.metric` makes, and those of `mt.bits_per_byte` and `mt.norm`, before and after finetuning."
                    ).optional,
                    .integer(
                        "limit",
                        "Windows, examples or questions that an evaluation reads at most.",
                        .count.positive
                    ).optional,
                ])
            ],
            returns: "study", example: Examples.study + "\nprint(study:plan { calibrate = false })"
        ) { call in
            let options = try call.options()
            let table = try options.table(ifPresent: "controls")
            if let item = table?.items.first {
                throw Mistake(
                    "controls: names expected as keys, got \(item.summary) at the key 1")
            }
            let controls = table?.fields ?? []
            let arms = try Control.arms(
                try gridArms(options),
                controls: try controls.map {
                    try control($0.key, $0.value, per: try options.strings(ifPresent: "per") ?? [])
                },
                finetuning: try (options.optionsList(ifPresent: "finetune") ?? []).map {
                    try studyFinetuning($0, call.interpreter.session)
                })
            let corpora = try options.objects(ifPresent: "evaluate", as: Corpus.self) ?? []
            let limit = try options.integer(ifPresent: "limit")
            let tasks = try options.objects(ifPresent: "tasks", as: DownstreamTask.self) ?? []
            let metrics = try options.objects(ifPresent: "metrics", as: Metric.self) ?? []
            try call.returns(
                StudyBox(
                    try Study(
                        arms: arms, evaluate: corpora,
                        measures: tasks.map { TaskAccuracy($0, limit: limit) }
                            + metrics.map(\.measure),
                        evaluationLimit: limit, store: try call.interpreter.session.store())))
        }
    }

    /// The finetuning that a study gives its arms.
    static var studyFinetuneOptions: [Parameter] {
        finetuneOptions + [
            .integers(
                "seeds",
                "Several orders of the examples in place of `seed`: rows of their own, called finetune_seed, which share their trunk. The learning rate is chosen by their mean.",
                .seed
            ).optional
        ]
    }

    /// An arm for each table of `arms`, by the function `recipe`; nothing is finetuned.
    static func gridArms(_ options: Options) throws -> [Arm] {
        let maker = try options.function("recipe")
        let name = try options.string("name")
        return try options.table("arms").items.enumerated().map { index, item in
            guard case .table(let table) = item else {
                throw Mistake("arms[\(index + 1)]: table expected, got \(item.summary)")
            }
            let parameters = try table.fields.map {
                ($0.key, try armValue($0.value, "arms[\(index + 1)].\($0.key)"))
            }
            let results = try maker.call(table)
            return Arm(
                name: name, parameters: seedLast(parameters),
                recipe: try recipe(results.first, "recipe(arms[\(index + 1)])"), finetuning: [])
        }
    }

    /// How a study finetunes its arms.
    static func studyFinetuning(
        _ options: Options, _ session: Session
    ) throws -> FinetuningGrid {
        var grid = try finetuningGrid(options, session)
        grid.seeds = try options.integers(ifPresent: "seeds")?.map { UInt64($0) }
        return grid
    }

    private static func control(
        _ name: String, _ value: Value, per: [String]
    ) throws -> Control {
        let place = "controls.\(name)"
        guard case .function(let function) = value else {
            guard per.isEmpty else {
                throw Mistake(
                    "\(place): a function of the seed and a table of \(per.joined(separator: ", ")) expected, as `per` names them"
                )
            }
            return Control(name, try recipe(value, place))
        }
        return Control(name, per: per) { seed, parameters in
            let table = Table(
                items: [], fields: parameters.map { (key: $0.name, value: Self.value($0.value)) })
            let result = try function.call(seed.map(Self.value) ?? Value.null, table)
            return try recipe(result.first, place)
        }
    }

    private static func seedLast(_ parameters: [(name: String, value: ArmValue)]) -> [(
        name: String, value: ArmValue
    )] {
        parameters.filter { $0.name != "seed" } + parameters.filter { $0.name == "seed" }
    }

    private static func recipe(_ value: Value?, _ place: String) throws -> Recipe {
        if case .object(let reference)? = value, let box = reference.get(RecipeBox.self) {
            return box.recipe
        }
        throw Mistake("\(place): recipe expected, got \(value?.summary ?? "nothing")")
    }

    private static func armValue(_ value: Value, _ place: String) throws -> ArmValue {
        switch value {
        case .integer(let number): return .integer(number)
        case .number(let number):
            guard number.isFinite else {
                throw Mistake("\(place): finite number expected, got \(number)")
            }
            return .number(number)
        case .string(let text): return .text(text)
        case .boolean(let flag): return .flag(flag)
        default: throw Mistake("\(place): number, string or boolean expected, got \(value.summary)")
        }
    }

    private static func value(_ value: ArmValue) -> Value {
        switch value {
        case .integer(let number): .integer(number)
        case .number(let number): .number(number)
        case .text(let text): .string(text)
        case .flag(let flag): .boolean(flag)
        }
    }

    static func studyOptions(_ call: Call) -> StudyOptions {
        let session = call.interpreter.session
        var options = StudyOptions()
        options.progress = session.progress.work
        options.stop = session.stop
        options.onEvent = { event in
            session.progress.study(event)
            return true
        }
        return options
    }

    /// Calls a function after every step of a study.
    private static func observe(_ options: inout StudyOptions, _ callback: Callback) {
        let others = options.onEvent
        var label = ""
        options.onEvent = { event in
            if case .arm(_, of: _, let now, _) = event { label = now }
            let goesOn = try others(event)
            guard case .run(.step(let record, let phase), _) = event else { return goesOn }
            let fields = Record([
                ("step", record.step), ("loss", record.loss),
                ("learning_rate", record.learningRate), ("gradient_norm", record.gradientNorm),
                ("phase", phase), ("arm", label),
            ])
            let results: [Value]
            do { results = try callback.call(fields) } catch is ExitRequest {
                throw Interrupted("the program leaves")
            }
            if case .boolean(false)? = results.first { throw EndedArm(step: record.step) }
            return goesOn
        }
    }

    private static func card(_ study: Study) -> Card {
        var counts: [(name: String, count: Int)] = []
        for arm in study.arms {
            if let index = counts.firstIndex(where: { $0.name == arm.name }) {
                counts[index].count += 1
            } else {
                counts.append((arm.name, 1))
            }
        }
        var rows: [(String, String?)] = []
        let arms = counts.map { "\($0.name) (\($0.count))" }
        rows.append(("arms", arms.joined(separator: ", ")))
        if !study.measures.isEmpty {
            rows.append(("measures", study.measures.map { $0.name }.joined(separator: ", ")))
        }
        if let finetuning = study.arms.first?.finetuning, let first = finetuning.first {
            rows.append(
                (
                    "finetune",
                    "\(first.corpus.name), "
                        + (finetuning.count == 1
                            ? "1 learning rate" : "\(finetuning.count) learning rates")
                ))
        }
        rows.append(("next", "plan() tells what is left to train, run() does it"))
        return Card("study of \(study.arms.count) arms", rows)
    }

    private static var studyType: ObjectType {
        ObjectType(
            "study", StudyBox.self, "Many recipes that share prefixes.",
            describe: { "study of \($0.study.arms.count) arms" },
            show: { box, display in card(box.study).output(display) },
            methods: [
                Method(
                    "plan",
                    "The tree of what is shared, what is left to train, and what it will cost.",
                    [
                        .options([
                            .boolean(
                                "calibrate", "Whether to time a few steps to predict the duration."
                            ).or(true)
                        ]).optional
                    ],
                    returns: "plan"
                ) { box, call in
                    let calibrate =
                        try call.options(ifPresent: "options")?.boolean("calibrate") ?? true
                    try call.returns(
                        PlanBox(
                            try call.interpreter.session.working {
                                try box.study.plan(
                                    calibrate: calibrate, options: studyOptions(call))
                            }))
                },
                Method(
                    "run",
                    "Trains and evaluates whatever the store does not have. Interrupted or killed, it goes on when run again. An arm that fails is named in the result; the others go on.",
                    [
                        .options([
                            .number(
                                "checkpoint_seconds", "Seconds of training that a crash may cost.",
                                .seconds.positive
                            ).or(60.0),
                            .boolean("keep_finetuned", "Whether finetuned states stay on disk.").or(
                                false),
                            .function(
                                "on_step",
                                "Called after every step with a table of step, loss, learning_rate, gradient_norm, phase and arm; returning false ends that arm, which then has no result, and the others go on."
                            ).optional,
                            .integer(
                                "evaluate_every",
                                "Steps between evaluations of the evaluated corpora on valid, for `curves`; arms that are trained already are not measured again.",
                                .steps.positive
                            ).optional, alertOption,
                        ]).optional
                    ],
                    returns: "result"
                ) { box, call in
                    var settings = studyOptions(call)
                    if let given = try call.options(ifPresent: "options") {
                        settings.checkpointSeconds = try given.number("checkpoint_seconds")
                        settings.keepFinetuned = try given.boolean("keep_finetuned")
                        if let callback = try given.function(ifPresent: "on_step") {
                            observe(&settings, callback)
                        }
                        settings.evaluateEvery = try given.integer(ifPresent: "evaluate_every") ?? 0
                        settings.alert = try given.string(ifPresent: "alert").map(
                            StepCondition.init)
                    }
                    let session = call.interpreter.session
                    let result = try session.working { try box.study.run(options: settings) }
                    for row in result.rows {
                        guard let key = row.key else { continue }
                        let steps = (row.chosen?.trajectory ?? row.base)?.steps ?? 0
                        session.note(
                            ReachedState(name: row.arm.label, step: steps, key: key.hex))
                    }
                    try call.returns(ResultBox(result))
                },
            ])
    }

    private static var resultType: ObjectType {
        ObjectType(
            "result", ResultBox.self,
            "What a study found: one row for each arm and seed. `#result` is their number; `a .. b` has the rows of both; what is filtered, sorted or given further columns is a result again, for tables, comparisons, analyses, plots and reports.",
            describe: { $0.result.summary() },
            fields: [
                Field("columns", "list of strings", "The names of the rows' fields.") {
                    $0.result.columns
                },
                Field("trained_steps", "integer", "Steps trained by this call.") {
                    $0.result.trainedSteps
                },
                Field("distinct_steps", "integer", "Steps of all distinct segments.") {
                    $0.result.distinctSteps
                },
                Field("naive_steps", "integer", "Steps if every arm were trained from scratch.") {
                    $0.result.naiveSteps
                },
            ],
            methods: [
                Method(
                    "rows", "The rows, with a field for every column that is known.",
                    returns: "list of tables"
                ) { box, call in
                    let columns = box.result.columns
                    let rows = box.result.records().map { record in
                        Record(zip(columns, record).map { ($0, lua($1)) })
                    }
                    try call.returns(Record([], items: rows))
                },
                Method(
                    "table", "Mean, 95% interval and number of arms of one column, by two others.",
                    [
                        .options([
                            .string(
                                "rows", "The column whose values are the rows, such as \"start\"."),
                            .string(
                                "columns",
                                "The column whose values are the columns, such as \"weight\"."),
                            .name(
                                "value", of: .corpus,
                                "The column to average, such as the target's name."),
                        ])
                    ], returns: "string"
                ) { box, call in
                    let options = try call.options()
                    try call.returns(
                        try box.result.pivotText(
                            rows: try options.string("rows"),
                            columns: try options.string("columns"),
                            value: try options.string("value")))
                },
                Method(
                    "compare",
                    "Differences to a reference arm, paired by seed: mean, 95% interval (Student's t), multiples of the reference's seed noise, p of the exact permutation test (Holm's correction over all that are shown) and number of pairs.",
                    [
                        .options([
                            .strings("arms", "Names of arms.").rest,
                            .string("against", "The reference's name.").or("control"),
                            .strings(
                                "columns",
                                "Columns to compare; default: all that was measured."
                            )
                            .optional,
                        ])
                    ], returns: "string"
                ) { box, call in
                    let options = try call.options()
                    let comparison = try StudyComparison(
                        box.result, names: try options.strings("arms"),
                        against: try options.string("against"),
                        columns: try options.strings(ifPresent: "columns")
                            ?? box.result.measured.map(\.name))
                    try call.returns(comparison.text())
                },
                resultPlotMethod, resultCurvesMethod, resultReportMethod,
                Method(
                    "csv", "Writes the rows as CSV. \(formulas)",
                    [.path("path", "Where to."), .options([rawOption]).optional]
                ) { box, call in
                    try AtomicFile.write(
                        try call.string("path"),
                        text: box.result.csv(raw: try call.options().boolean("raw")))
                },
                Method(
                    "json", "Writes the rows as a JSON array of objects.",
                    [.path("path", "Where to.")]
                ) { box, call in
                    try AtomicFile.write(try call.string("path"), text: try box.result.json())
                },
                Method(
                    "frame", "The rows as a data frame.", returns: "frame",
                    example: "print(#result:frame())"
                ) { box, call in try call.returns(try box.result.frame()) },
            ]
                + rowMethods(
                    of: ResultBox.self, named: "result", frame: { try $0.result.frame() },
                    keeping: { ResultBox($0.result.keeping($1)) },
                    adding: { ResultBox(try $0.result.adding($1)) },
                    joining: {
                        ResultBox(try $0.result.joining($1, on: $2, $3, repeats: $4))
                    })
                + frameMethods(of: ResultBox.self, frame: { try $0.result.frame() })
                + resultAnalyses,
            operators: [
                append("results") { (a: ResultBox, b: ResultBox) in
                    ResultBox(try a.result.appending(b.result))
                }
            ], length: { $0.result.rows.count })
    }
}
