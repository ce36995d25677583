import Runtime

/// A recipe as Lua holds it.
package final class RecipeBox: LuaObject {
    package let recipe: Recipe

    init(_ recipe: Recipe) { self.recipe = recipe }
}

extension Library {
    package static var recipes: Library {
        Library(functions: [recipe], types: [recipeType, differenceType])
    }

    private static var optimizerOptions: [Parameter] {
        [
            .number("learning_rate", "The highest learning rate.", .rate.positive).optional,
            RateOptions.rate(
                "minimum", "The learning rate at the end; default: a hundredth of the highest."
            )
            .optional,
            RateOptions.schedule(
                "Its course after warm-up; a list of segments, or a function of the step from 0 and the number of steps, which is called once for every step."
            ).optional,
            RateOptions.steps(
                "warmup", "Steps of linear warm-up; below 1 or as \"10%\", a part of all steps."
            ).optional,
            RateOptions.steps(
                "decay",
                "Steps of a wsd schedule's decay; below 1 or as \"20%\", a part of all steps."
            ).optional,
            optimizerKind,
        ] + optimizerSettings
    }

    private static var seedOptions: [Parameter] {
        [
            .integer("weights", "Of the initial weights; default: as before.", .seed).optional,
            .integer("order", "Of the order of the data; default: that of the weights.", .seed)
                .optional,
            .integer(
                "phase",
                "Of the order of the data in the phases after the first; default: that of the first.",
                .seed
            ).optional,
        ]
    }

    static var optimizerKind: Parameter {
        .choice(
            "kind", Optimizers.all.map(\.kind),
            "Which one: "
                + Optimizers.all.map { "\($0.kind), \($0.help)" }.joined(separator: "; ")
                + ". Another kind begins with its own standard settings."
        ).optional
    }

    /// The settings of all optimizers, each once, with the kinds that have it unless all have.
    static var optimizerSettings: [Parameter] {
        var seen: Set<String> = []
        return Optimizers.all.flatMap(\.descriptions).filter { seen.insert($0.name).inserted }.map {
            setting in
            let having = Optimizers.all.filter { $0.value(setting.name) != nil }
            let standards = having.map {
                "\($0.kind) \(setting.range.text($0.value(setting.name) ?? 0))"
            }
            let help = "\(setting.help.dropLast()), default: \(standards.joined(separator: ", "))."
            return Parameter(setting, help: help).optional
        }
    }

    private static var changeable: [Parameter] {
        [
            .integer(
                "steps",
                "Steps of pretraining and midtraining together; without steps and mixture, the recipe finetunes the model as it is.",
                .steps
            ).optional,
            .integer("batch", "Sequences in a step.", .count, in: 1...1 << 20).optional,
            .integer(
                "accumulate", "Parts a batch is worked through in, to save memory.", .count,
                in: 1...1 << 20
            ).optional,
            Parameter(
                "seed", .either([.integer(.seed), .options(seedOptions)]),
                "Of the initial weights and the order of the data; default: the session's. A table has a seed for each cause."
            ).optional,
            .choice("precision", ["float32", "bfloat16"], "Arithmetic of matrix products.")
                .optional,
            .options(
                "optimizer", "The optimizer and the schedule of its learning rate.",
                optimizerOptions
            ).optional,
            MixtureOptions.parameter("Weights of corpora by name, which sum to 1.").optional,
            .options(
                "as_if",
                "Cuts every source so that it is repeated as often as in a longer run with the same weights: to the part of its tokens that this run has of that one's. Subsets are of whole documents, and nested (arXiv 2606.07597).",
                [
                    .integer("steps", "Steps of the longer run; default: this one's.", .steps)
                        .optional,
                    .integer(
                        "batch", "Sequences in its steps; default: this one's.", .count,
                        in: 1...1 << 24
                    ).optional,
                ]
            ).optional,
            Parameter(
                "repeats", .either([.boolean, .list(.string)]),
                "Sources that may be read more than once, or true for all."
            )
            .optional,
        ]
    }

    private static var recipe: Function {
        Function(
            "recipe",
            "Everything that determines a training run. The mixture names corpora opened before.",
            [
                .options(
                    [
                        .object(
                            "model", "model",
                            "A shape with its tokenizer, made here or by `mt.pretrained`.")
                    ] + changeable)
            ],
            returns: "recipe",
            example: """
                local prose = mt.corpus { "prose", embedded = "prose", bytes = 200000 }
                local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 512 }
                local recipe = mt.recipe {
                  model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 64 }),
                  steps = 10, batch = 4, mixture = { prose = 1 },
                }
                print(recipe)
                """
        ) { call in
            let options = try call.options()
            let session = call.interpreter.session
            let model: ModelShape = try options.object("model")
            let steps = try options.integer(ifPresent: "steps")
            let given = try options.value("mixture").map {
                try MixtureOptions($0, steps: steps ?? 0)
            }
            if steps ?? 0 > 0 || given != nil {
                for name in ["steps", "batch", "mixture"] where !options.has(name) {
                    throw Mistake("\(name): expected, but it is missing")
                }
            }
            var recipe = try Recipe(
                model: model.configuration, weights: model.weights, tokenizer: model.tokenizer,
                corpora: try given.map { try session.corpora($0.mixture) } ?? [:],
                mixture: given?.mixture, steps: steps ?? 0,
                batch: try options.integer(ifPresent: "batch") ?? 1, seed: session.seed)
            if let given {
                try recipe.use(
                    given.mixture, ramp: given.ramp, loss: given.loss, corpora: recipe.corpora)
            }
            try change(&recipe, options.without("mixture"), session)
            try call.returns(RecipeBox(recipe))
        }
    }

    /// Applies the options that are given.
    private static func change(_ recipe: inout Recipe, _ options: Options, _ session: Session)
        throws
    {
        if let steps = try options.integer(ifPresent: "steps"), steps != recipe.steps {
            try recipe.use(steps: steps)
        }
        recipe.batch = try options.integer(ifPresent: "batch") ?? recipe.batch
        recipe.accumulate = try options.integer(ifPresent: "accumulate") ?? recipe.accumulate
        switch try options.value("seed") {
        case .integer(let seed)?:
            (recipe.seed, recipe.orderSeed, recipe.phaseSeed) = (UInt64(seed), nil, nil)
        case .options(let seeds)?:
            if let seed = try seeds.integer(ifPresent: "weights") {
                recipe.orderSeed = recipe.orderSeed ?? recipe.seed
                recipe.seed = UInt64(seed)
            }
            recipe.orderSeed =
                try seeds.integer(ifPresent: "order").map { UInt64($0) } ?? recipe.orderSeed
            recipe.phaseSeed =
                try seeds.integer(ifPresent: "phase").map { UInt64($0) } ?? recipe.phaseSeed
        default: break
        }
        recipe.precision =
            try options.string(ifPresent: "precision").flatMap(Precision.init) ?? recipe.precision
        if let optimizer = try options.options(ifPresent: "optimizer") {
            try change(&recipe.learningRate, optimizer, steps: recipe.steps)
            try change(&recipe.optimizer, optimizer)
        }
        if let longer = try options.options(ifPresent: "as_if") {
            let own = Double(recipe.steps) * Double(recipe.batch)
            let other =
                Double(try longer.integer(ifPresent: "steps") ?? recipe.steps)
                * Double(try longer.integer(ifPresent: "batch") ?? recipe.batch)
            guard own > 0, other >= own else {
                throw Mistake(
                    "as_if: a run of at least \(recipe.steps) steps × \(recipe.batch) sequences expected"
                )
            }
            recipe.dataFraction = own / other
        }
        if let value = try options.value("mixture") {
            let given = try MixtureOptions(value, steps: recipe.steps)
            try recipe.use(
                given.mixture, ramp: given.ramp, loss: given.loss,
                corpora: try session.corpora(given.mixture))
        }
        if let repeats = try options.value("repeats") {
            if case .boolean(let all) = repeats {
                recipe.mayRepeat = all ? nil : []
            } else {
                recipe.mayRepeat = Set(try options.strings("repeats"))
            }
        }
        try recipe.validate()
    }

    private static func change(
        _ settings: inout LearningRateSettings, _ options: Options, steps: Int
    ) throws {
        if let peak = try options.number(ifPresent: "learning_rate") {
            settings = settings.with(peak: peak)
        }
        if let minimum = try options.value("minimum") {
            settings.minimum = try RateOptions.rate(minimum, "optimizer.minimum").rate(
                peak: settings.peak)
        }
        if let warmup = try options.value("warmup") {
            settings.warmup = try RateOptions.steps(warmup, "optimizer.warmup")
        }
        if let decay = try options.value("decay") {
            settings.decay = try RateOptions.steps(decay, "optimizer.decay")
        }
        guard let schedule = try options.value("schedule") else { return }
        settings.segments = try RateOptions.segments(options)
        settings.sampled = try RateOptions.sampled(options, steps: steps, before: 0)
        if case .string(let name) = schedule {
            settings.kind = LearningRateSchedule.Kind(rawValue: name) ?? settings.kind
        } else if let other = ["minimum", "warmup", "decay"].first(where: options.has) {
            throw Mistake(
                "optimizer.\(other): segments and functions say everything about the rate themselves; leave it out"
            )
        }
    }

    static func change(_ optimizer: inout any Optimizer, _ options: Options) throws {
        if let kind = try options.string(ifPresent: "kind"), kind != optimizer.kind {
            optimizer = try Optimizers.named(kind)
        }
        for parameter in optimizerSettings
        where options.has(parameter.name) && optimizer.value(parameter.name) == nil {
            throw Mistake(
                "optimizer.\(parameter.name): \(optimizer.kind) has no such setting; it has "
                    + optimizer.descriptions.map(\.name).joined(separator: ", "))
        }
        optimizer = try optimizer.changed(by: options)
    }

    // MARK: - The type

    private static var recipeType: ObjectType {
        ObjectType(
            "recipe", RecipeBox.self,
            "Everything that determines a training run; every change makes another recipe.",
            describe: { RecipeSummary.text($0.recipe) },
            show: { box, display in RecipeSummary.card(box.recipe).output(display) },
            fields: [
                Field("steps", "integer", "Steps of pretraining and midtraining together.") {
                    $0.recipe.steps
                },
                Field("batch", "integer", "Sequences in a step.") { $0.recipe.batch },
                Field("tokenizer", "tokenizer", "What its text is tokenised with.") {
                    $0.recipe.tokenizer
                },
                Field("seed", "integer", "Of weights and data order.") {
                    Int(truncatingIfNeeded: $0.recipe.seed)
                },
            ],
            methods: [
                Method(
                    "with", "The same recipe with some fields changed.",
                    [
                        .options(
                            [
                                .object(
                                    "model", "model",
                                    "Another shape, with its tokenizer and weights."
                                )
                                .optional
                            ] + changeable)
                    ],
                    returns: "recipe"
                ) { box, call in
                    var recipe = box.recipe
                    let options = try call.options()
                    if let model = try options.object(ifPresent: "model", as: ModelShape.self) {
                        (recipe.model, recipe.weights) = (model.configuration, model.weights)
                        recipe.tokenizer = model.tokenizer
                    }
                    try change(&recipe, options, call.interpreter.session)
                    try call.returns(RecipeBox(recipe))
                },
                Method(
                    "midtrain",
                    "The same recipe with another phase from a step on: another mixture, and whatever else is given. What is left out goes on as before; every source goes on where it was. A mixture of one source is continued pretraining. Phases are added in order of their steps.",
                    [.options([fromOption] + branchOptions)], returns: "recipe",
                    example: Examples.phases
                ) { box, call in
                    let options = try call.options()
                    guard
                        let from = try RateOptions.whole(options, "from", of: box.recipe.steps)
                    else { throw Mistake("from: expected, but it is missing") }
                    try call.returns(
                        RecipeBox(
                            try branch(
                                box.recipe, from: from.steps, fraction: from.fraction, options,
                                call)))
                },
                Method(
                    "upto",
                    "The same recipe that ends early, on the schedule of all its steps: a short branch, which shares every state with the whole one.",
                    [.integer("step", "How many steps it has.", .steps)], returns: "recipe"
                ) { box, call in
                    try call.returns(
                        RecipeBox(try box.recipe.ending(at: try call.integer("step"))))
                },
                Method(
                    "finetune",
                    "The same recipe followed by finetuning on a set, with a fresh optimiser and its own schedule. Several follow one another.",
                    [.options(finetuneOptions)], returns: "recipe"
                ) { box, call in
                    let settings = try finetuningGrid(
                        try call.options(), call.interpreter.session
                    ).settings(for: box.recipe)
                    guard settings.count == 1 else {
                        throw Mistake(
                            "learning_rate: one number expected here; a study chooses among several"
                        )
                    }
                    try call.returns(RecipeBox(try box.recipe.finetuned(settings[0])))
                },
            ] + [batchOfStep] + recipeRunMethods)
    }
}
