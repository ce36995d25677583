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
            .number(
                "minimum", "The learning rate at the end; default: a hundredth of the highest.",
                .rate
            )
            .optional,
            .choice(
                "schedule", LearningRateSchedule.Kind.allCases.map(\.rawValue),
                "Its course after warm-up."
            ).optional,
            .number(
                "warmup", "Steps of linear warm-up; below 1, a fraction of all steps.",
                .stepsOrFraction
            ).optional,
            .number(
                "decay", "Steps of a wsd schedule's decay; below 1, a fraction of all steps.",
                .stepsOrFraction
            ).optional,
            .choice(
                "kind", Optimizers.all.map(\.kind),
                "Which one: "
                    + Optimizers.all.map { "\($0.kind), \($0.help)" }.joined(separator: "; ")
                    + ". Another kind begins with its own standard settings."
            ).optional,
        ] + optimizerSettings
    }

    /// The settings of all optimizers, each once, with the kinds that have it unless all have.
    private static var optimizerSettings: [Parameter] {
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
            .integer(
                "seed", "Of the initial weights and the order of the data; default: the session's.",
                .seed
            ).optional,
            .choice("precision", ["float32", "bfloat16"], "Arithmetic of matrix products.")
                .optional,
            .options(
                "optimizer", "The optimizer and the schedule of its learning rate.",
                optimizerOptions
            ).optional,
            .weights("mixture", "Weights of corpora by name, which sum to 1.").optional,
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
            let mixture = try options.has("mixture") ? Mixture(options.weights("mixture")) : nil
            if steps ?? 0 > 0 || mixture != nil {
                for name in ["steps", "batch", "mixture"] where !options.has(name) {
                    throw Mistake("\(name): expected, but it is missing")
                }
            }
            var recipe = try Recipe(
                model: model.configuration, weights: model.weights, tokenizer: model.tokenizer,
                corpora: try mixture.map(session.corpora) ?? [:],
                mixture: mixture, steps: steps ?? 0,
                batch: try options.integer(ifPresent: "batch") ?? 1, seed: session.seed)
            try change(&recipe, options, session)
            try call.returns(RecipeBox(recipe))
        }
    }

    /// Applies the options that are given.
    private static func change(_ recipe: inout Recipe, _ options: Options, _ session: Session)
        throws
    {
        recipe.steps = try options.integer(ifPresent: "steps") ?? recipe.steps
        recipe.batch = try options.integer(ifPresent: "batch") ?? recipe.batch
        recipe.accumulate = try options.integer(ifPresent: "accumulate") ?? recipe.accumulate
        recipe.seed = try options.integer(ifPresent: "seed").map { UInt64($0) } ?? recipe.seed
        recipe.precision =
            try options.string(ifPresent: "precision").flatMap(Precision.init) ?? recipe.precision
        if let optimizer = try options.options(ifPresent: "optimizer") {
            try change(&recipe.learningRate, optimizer)
            try change(&recipe.optimizer, optimizer)
        }
        if options.has("mixture") {
            let mixture = try Mixture(try options.weights("mixture"))
            try recipe.use(mixture, corpora: try session.corpora(mixture))
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

    private static func change(_ settings: inout LearningRateSettings, _ options: Options) throws {
        if let peak = try options.number(ifPresent: "learning_rate") {
            settings = settings.with(peak: peak)
        }
        settings.minimum = try options.number(ifPresent: "minimum") ?? settings.minimum
        settings.kind =
            try options.string(ifPresent: "schedule").flatMap(LearningRateSchedule.Kind.init)
            ?? settings.kind
        settings.warmup = try options.number(ifPresent: "warmup") ?? settings.warmup
        settings.decay = try options.number(ifPresent: "decay") ?? settings.decay
    }

    private static func change(_ optimizer: inout any Optimizer, _ options: Options) throws {
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

    static var finetuneOptions: [Parameter] {
        [
            .object(
                "set", "corpus",
                "The corpus whose train split is the set; its templates say what counts."
            ).item,
            .integer("epochs", "Passes over the set.", .count, in: 1...10_000).or(
                FinetuningGrid.standardEpochs),
            .integer("batch", "Examples in a step (windows, when packed).", .count, in: 1...1 << 20)
                .or(FinetuningGrid.standardBatch),
            .numbers(
                "learning_rate", "The highest learning rate; a study chooses among several.",
                .rate.positive),
            .choice(
                "schedule", LearningRateSchedule.Kind.allCases.map(\.rawValue),
                "Its course after warm-up."
            )
            .or(FinetuningGrid.standardSchedule.rawValue),
            .number(
                "minimum_fraction", "The learning rate at the end, as a part of the highest.",
                .fraction
            ).or(FinetuningGrid.standardMinimumFraction),
            .number(
                "warmup", "Steps of linear warm-up; below 1, a fraction of the steps.",
                .stepsOrFraction
            ).or(FinetuningGrid.standardWarmup),
            .number("weight_decay", "Decay of matrices.", .decay).or(
                FinetuningGrid.standardWeightDecay),
            .number("clip", "Largest global gradient norm; 0 for no clipping.", .norm).or(
                FinetuningGrid.standardClip),
            .boolean("packed", "Whether examples share windows without padding.").or(false),
            .integer("seed", "Order of the examples; default: the recipe's seed.", .seed)
                .optional,
        ]
    }

    /// What the options of finetuning say; those of a study also have `seeds`.
    static func finetuningGrid(_ options: Options) throws -> FinetuningGrid {
        var grid = FinetuningGrid(
            try options.object("set"), learningRates: try options.numbers("learning_rate"))
        grid.epochs = try options.integer("epochs")
        grid.batch = try options.integer("batch")
        grid.schedule =
            LearningRateSchedule.Kind(rawValue: try options.string("schedule")) ?? grid.schedule
        grid.minimumFraction = try options.number("minimum_fraction")
        grid.warmup = try options.number("warmup")
        grid.weightDecay = try options.number("weight_decay")
        grid.clip = try options.number("clip")
        grid.packed = try options.boolean("packed")
        grid.seed = try options.integer(ifPresent: "seed").map { UInt64($0) }
        return grid
    }

    /// What a change of the mixture takes, beside where it begins.
    static var branchOptions: [Parameter] {
        [
            .weights("mixture", "Weights of corpora by name, which sum to 1."),
            .integer(
                "length", "Steps until the mixture before returns; default: to the end.",
                .steps.positive
            ).optional,
            Parameter(
                "tokens_of", .map(.integer(.tokens.positive)),
                "In place of `length`: a corpus and the tokens to read of it in all, such as { code = 1280000 }; then the mixture before returns. Arms with equal tokens have equal exposure whatever their start and weight."
            ).optional,
            .string("name", "What the phase is called.").or("midtrain"),
        ]
    }

    /// The recipe with another mixture from a step on.
    package static func branch(
        _ recipe: Recipe, from: Int, replacing: Bool = false, _ options: Options, _ call: Call
    ) throws -> Recipe {
        let mixture = try Mixture(try options.weights("mixture"))
        let corpora = try call.interpreter.session.corpora(mixture)
        let name = try options.string("name")
        let length = try options.integer(ifPresent: "length")
        guard let fields = try options.table(ifPresent: "tokens_of")?.fields else {
            return try recipe.switching(
                from: from, mixture: mixture, name: name, length: length, corpora: corpora,
                replacing: replacing)
        }
        guard length == nil else { throw Mistake("length, tokens_of: give one of the two") }
        guard fields.count == 1, let tokens = fields[0].value.integerValue else {
            throw Mistake(
                "tokens_of: one corpus with its tokens expected, got \(fields.count) entries")
        }
        return try recipe.switching(
            from: from, mixture: mixture, name: name, reading: fields[0].key, tokens: tokens,
            corpora: corpora, replacing: replacing)
    }

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
                Field("seed", "integer", "Of weights and data order.") {
                    Int(truncatingIfNeeded: $0.recipe.seed)
                },
            ],
            methods: [
                Method(
                    "with", "The same recipe with some fields changed.", [.options(changeable)],
                    returns: "recipe"
                ) { box, call in
                    var recipe = box.recipe
                    try change(&recipe, try call.options(), call.interpreter.session)
                    try call.returns(RecipeBox(recipe))
                },
                Method(
                    "midtrain",
                    "The same recipe with another mixture from a step on. Schedule and optimiser state go on unchanged; every source goes on where it was. A mixture of one source is continued pretraining. Phases are added in order of their steps.",
                    [
                        .options(
                            [
                                .integer(
                                    "from", "The first step with the new mixture, counted from 0.",
                                    .steps)
                            ] + branchOptions)
                    ], returns: "recipe"
                ) { box, call in
                    let options = try call.options()
                    try call.returns(
                        RecipeBox(
                            try branch(
                                box.recipe, from: try options.integer("from"), options, call)))
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
                    "The same recipe followed by finetuning on a set, with a fresh optimiser and its own schedule.",
                    [.options(finetuneOptions)], returns: "recipe"
                ) { box, call in
                    let settings = try finetuningGrid(try call.options()).settings(
                        for: box.recipe)
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
