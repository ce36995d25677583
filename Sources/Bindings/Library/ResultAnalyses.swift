import Runtime

extension Library {
    /// A small finished study, for examples.
    static let studyExample = """
        local prose = mt.corpus { "prose", embedded = "prose", bytes = 120000, valid_fraction = 0.1 }
        local code = mt.corpus { "code", embedded = "code", bytes = 60000, valid_fraction = 0.1 }
        local tasks = mt.corpus { "tasks", embedded = "code-tasks", bytes = 8000, valid_fraction = 0.2, test_fraction = 0.2 }
        local tokens = mt.tokenizer { train_on = { prose, code }, vocabulary = 300 }
        local base = mt.recipe {
          model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 128, layers = 1, width = 16, heads = 2 }),
          steps = 6, batch = 4, mixture = { prose = 1 },
        }
        local result = mt.study {
          arms = mt.grid { start = { 2, 4 }, weight = { 0.2, 0.6 }, seed = { 1, 2 } },
          recipe = function(arm)
            return base:with { seed = arm.seed }:midtrain {
              from = arm.start, mixture = { prose = 1 - arm.weight, code = arm.weight },
            }
          end,
          controls = { control = base }, evaluate = { prose, code, tasks }, limit = 4,
        }:run()

        """

    private static var armOptions: [Parameter] {
        [
            .string("against", "The reference's name.").or("control"),
            .strings("arms", "Names of arms; default: all but the reference.").optional,
        ]
    }

    /// What a study's result can say beyond tables of means.
    static var resultAnalyses: [Method<ResultBox>] {
        [correlate, interaction, variance, withRate, rates, efficiency]
    }

    /// `studyExample`, with finetuning.
    private static let finetunedExample = studyExample.replacing(
        "controls = { control = base },",
        with:
            "controls = { control = base }, finetune = { tasks, batch = 8, learning_rate = { 1e-3, 3e-3 } },"
    )

    /// A study of several lengths, one of which trains on code as well.
    private static let lengthsExample =
        String(studyExample.split(separator: "local result")[0]) + """
            local lengths = mt.study {
              arms = mt.grid { steps = { 16, 32, 64, 128 }, weight = { 0, 0.5 }, seed = { 1, 2 } },
              recipe = function(arm)
                local plain = base:with {
                  seed = arm.seed, steps = arm.steps, optimizer = { learning_rate = 1e-2, schedule = "constant" },
                }
                if arm.weight == 0 then return plain end
                return plain:midtrain { from = 2, mixture = { prose = 1 - arm.weight, code = arm.weight } }
              end,
              evaluate = { prose, code }, limit = 4,
            }:run { evaluate_every = 16 }

            """

    private static var efficiency: Method<ResultBox> {
        Method(
            "efficiency",
            "How many times a reference's tokens, or floating-point operations, a design is worth. The reference is trained for at least three lengths with each seed; a power law is fitted to its values, and read backwards at the design's value with the same seed: geometric mean over seeds with interval, and nothing beyond the reference's lengths. With `steps_to`, the first step at which the mean valid loss of a corpus is below a loss with confidence, from what `study:run { evaluate_every = … }` measured.",
            [
                .options([
                    .string(
                        "value",
                        "A column of what was measured, such as the name of an evaluated corpus."),
                    Parameter(
                        "against", .either([.object(["result"]), .list(.string)]),
                        "The reference: names of arms, or rows of this result such as `result:where { weight = 0 }`; not with steps_to.",
                        isOptional: true),
                    .choice(
                        "unit", Efficiency.Unit.allCases.map(\.rawValue),
                        "Tokens of pretraining and midtraining, or the floating-point operations that they take."
                    ).or("tokens"),
                    .number("steps_to", "A loss in nats a token to be reached.", .measured)
                        .optional,
                    .number(
                        "confidence", "That the mean is below `steps_to`.", .confidence
                    ).or(0.95),
                ])
            ],
            returns:
                "finding with arm, tokens or flops, the value, times (an interval), seeds and outside (why there are no times), and the laws among its values; or with arm, step, mean, limit, seeds and outside",
            example: lengthsExample + """
                print(lengths:efficiency { value = "prose", steps_to = 4.2 })
                local one = lengths:where { steps = 64 } .. lengths:where { weight = 0 }
                print(one:efficiency { value = "prose", against = lengths:where { weight = 0 } })
                """
        ) { box, call in
            let options = try call.options()
            let value = try options.string("value")
            let notes = box.result.exclusions.map { "excluded: \($0)" }
            if let goal = try options.number(ifPresent: "steps_to") {
                guard !options.has("against") else {
                    throw call.mistake(
                        "options", "against: not with steps_to, which looks at every arm by itself")
                }
                let confidence = try options.number("confidence")
                let found = try StepsTo(
                    box.result, corpus: value, goal: goal, confidence: confidence,
                    store: try call.interpreter.session.store())
                return try call.returns(FindingBox(found.finding(notes: notes)))
            }
            let (reference, name) = try reference(box.result, options, call)
            let found = try Efficiency(
                box.result, against: reference, column: value,
                in: Efficiency.Unit(rawValue: try options.string("unit")) ?? .tokens)
            try call.returns(FindingBox(found.finding(reference: name, notes: notes)))
        }
    }

    /// The arms that a design is compared with, and what they are called.
    private static func reference(_ result: StudyResult, _ options: Options, _ call: Call) throws
        -> (
            StudyResult, String
        )
    {
        switch try options.value("against") {
        case .object(let reference)?:
            let box: ResultBox? = reference.get()
            return (box?.result ?? result, "the reference")
        case .table(let list)?:
            let names = list.items.compactMap(\.stringValue)
            let known = Set(result.rows.map(\.arm.name))
            for name in names where !known.contains(name) {
                throw call.mistake(
                    "options",
                    "against: no arm is called \(name)"
                        + NearestName.hint(name, among: known.sorted(), listing: true))
            }
            let places = result.rows.indices.filter { names.contains(result.rows[$0].arm.name) }
            return (result.keeping(places), names.joined(separator: ", "))
        default:
            throw call.mistake(
                "options", "against: names of arms or a result expected, or steps_to")
        }
    }

    private static var withRate: Method<ResultBox> {
        Method(
            "with_rate",
            "The same result with one learning rate of finetuning for every arm and seed, in place of the best one for each. What a rate forgets is then no difference of arms.",
            [
                .number(
                    "rate",
                    "One of those that were tried; if left out, that of the lowest mean loss on valid over all arms.",
                    .rate.positive
                ).optional
            ], returns: "result",
            example: finetunedExample + """
                local one = result:with_rate()
                assert(one:rows()[1].learning_rate == one:rows()[2].learning_rate)
                """
        ) { box, call in
            try call.returns(ResultBox(try box.result.with(rate: call.number(ifPresent: "rate"))))
        }
    }

    private static var rates: Method<ResultBox> {
        Method(
            "rates",
            "How far effects depend on the learning rate of finetuning: paired differences at every rate that was tried, beside those at each arm's own, and which rates were chosen. A rate at the end of the grid is named: a better one may lie outside.",
            [
                .options([
                    .string(
                        "value",
                        "A column of what was measured, such as the name of an evaluated corpus."),
                    .string("against", "The reference's name.").or("control"),
                ])
            ],
            returns:
                "finding with arm, chosen, the differences, and values lowest, highest (choices at the ends), choices and common",
            example: finetunedExample + """
                print(result:rates { value = "tasks" })
                """
        ) { box, call in
            let options = try call.options()
            try call.returns(
                FindingBox(
                    try box.result.rates(
                        value: try options.string("value"),
                        against: try options.string("against"))))
        }
    }

    private static var correlate: Method<ResultBox> {
        Method(
            "correlate",
            "Whether arms gain more on a target the closer their mixture is to it: proximity advantage with gain over the reference, paired by seed, for every arm and target. Pearson's r, Spearman's rho, the line, intervals over points and over targets, a permutation test within targets, every target left out in turn, and a mixed model with an intercept for each target.",
            [
                .options(
                    [
                        .object(
                            "similarity", "similarity",
                            "Of the corpora in the mixtures and the targets."),
                        .objects(
                            "others", "result",
                            "Results of other studies, such as those of other targets, to take in."
                        ).optional,
                        .strings(
                            "targets",
                            "Evaluated corpora; default: what each study was finetuned on."
                        ).optional,
                        .string(
                            "general",
                            "What mixtures are compared with; default: the first mixture of the reference."
                        ).optional,
                        .choice(
                            "gain", ["relative", "nats"],
                            "Loss saved as a part of the reference's loss, or in nats a token."
                        ).or("relative"),
                        .integer("seed", "Seed of the resamples.", .seed).or(1),
                    ] + armOptions)
            ],
            returns:
                "finding; its values have pearson, spearman, pearson_by_target, within_target_p, slope, mixed_slope, pearson_without_TARGET and others",
            example: studyExample + """
                local close = mt.similarity { prose, code, tasks, metric = "characters", bootstrap = 20 }
                local found = result:correlate { similarity = close, targets = { "tasks", "code" } }
                print(found)
                assert(found.values.points == #found.rows and found.values.pearson.value <= 1)
                """
        ) { box, call in
            let options = try call.options()
            let session = call.interpreter.session
            let similarity: Similarity = try options.object("similarity")
            let others = try options.objects(ifPresent: "others", as: ResultBox.self) ?? []
            let results = [box.result] + others.map(\.result)
            let relative = try options.string("gain") == "relative"
            let given = try options.strings(ifPresent: "targets")
            let points = try session.working {
                try results.flatMap { result in
                    let targets = given ?? result.targets
                    guard !targets.isEmpty else {
                        throw Mistake(
                            "targets: names of evaluated corpora expected, as nothing was finetuned"
                        )
                    }
                    return try result.proximityPoints(
                        similarity, targets: targets,
                        arms: try options.strings(ifPresent: "arms"),
                        against: try options.string("against"),
                        general: try options.string(ifPresent: "general").map {
                            Mixture(only: $0)
                        }, relative: relative, stop: session.stop)
                }
            }
            if points.count < 3, let failed = results.flatMap(\.exclusions).first {
                throw Mistake(
                    "at least three arms and targets with results expected, got \(points.count); excluded: \(failed)"
                )
            }
            let found = try ProximityGain(
                points, isRelative: relative, seed: UInt64(try options.integer("seed")))
            try call.returns(
                FindingBox(
                    found.finding(
                        [similarity.settings.metric.label + ". " + similarity.basis]
                            + results.flatMap(\.exclusions).map { "excluded: \($0)" })))
        }
    }

    private static var interaction: Method<ResultBox> {
        Method(
            "interaction",
            "Whether two settings, such as start and weight, act together: two-way analysis of variance of the effects against the reference, seeds as blocks, and how much the change over one setting differs between the ends of the other, with intervals over seeds. Give it arms of equal exposure (`tokens_of`) to take exposure out.",
            [
                .options(
                    [
                        .string("rows", "A numeric parameter.").or("start"),
                        .string("columns", "Another.").or("weight"),
                        .string(
                            "value",
                            "A column of what was measured, such as the name of an evaluated corpus."
                        ),
                        .integer("seed", "Seed of the resamples.", .seed).or(1),
                    ] + armOptions)
            ],
            returns:
                "finding; its values have interaction_f, interaction_p, interaction_change and others",
            example: studyExample + """
                local found = result:interaction { value = "tasks" }
                print(found)
                assert(found.values.interaction_df == 1 and found.values.residual_df == 3)
                """
        ) { box, call in
            let options = try call.options()
            let (rows, columns) = (try options.string("rows"), try options.string("columns"))
            let value = try options.string("value")
            let reference = try options.string("against")
            let found = try box.result.twoWay(
                rows: rows, columns: columns, value: value,
                arms: try options.strings(ifPresent: "arms"), against: reference,
                seed: UInt64(try options.integer("seed")))
            try call.returns(
                FindingBox(
                    found.finding(
                        "Effect on \(value) against \(reference), by \(rows) and \(columns)",
                        rows: rows, columns: columns,
                        notes: box.result.exclusions.map { "excluded: \($0)" })))
        }
    }

    private static var variance: Method<ResultBox> {
        Method(
            "variance",
            "How much a measured value spreads over trunk seeds and, apart from them, over finetuning seeds (`finetune = { seeds = … }`), with intervals.",
            [
                .options([
                    .string(
                        "value",
                        "A column of what was measured, such as the name of an evaluated corpus."),
                    .string(
                        "against",
                        "A reference: then of the differences from it with the same seeds."
                    ).optional,
                ])
            ],
            returns: "finding with arm, mean, trunk_sd, finetuning_sd, trunks and values",
            example: studyExample + """
                print(result:variance { value = "tasks" })
                """
        ) { box, call in
            let options = try call.options()
            let value = try options.string("value")
            let reference = try options.string(ifPresent: "against")
            try call.returns(
                FindingBox(
                    VarianceComponents.finding(
                        "Spread of \(value)"
                            + (reference.map { " minus that of \($0)" } ?? ""),
                        try box.result.variances(of: value, against: reference),
                        notes: box.result.exclusions.map { "excluded: \($0)" })))
        }
    }
}
