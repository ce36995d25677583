import Runtime

extension Library {
    /// What a phase takes, beside where it begins.
    static var branchOptions: [Parameter] {
        [
            MixtureOptions.parameter(
                "Weights of corpora by name, which sum to 1; default: those of the phase before."
            ).optional,
            Parameter(
                "length", .either([.integer(.steps.positive), .string]),
                "Steps, or a part of all steps such as \"10%\", after which the phase before returns; default: to the end."
            ).optional,
            Parameter(
                "tokens_of", .map(.integer(.tokens.positive)),
                "In place of `length`: a corpus and the tokens to read of it in all, such as { code = 1280000 }; then the mixture before returns. Arms with equal tokens have equal exposure whatever their start and weight."
            ).optional,
            .string("name", "What the phase is called.").or("midtrain"),
            .options(
                "optimizer",
                "What changes about the optimizer and the learning rate; what is left out goes on as before.",
                phaseOptimizerOptions
            ).optional,
            .integer("batch", "Sequences in a step from now on.", .count, in: 1...1 << 20)
                .optional,
            .integer(
                "context",
                "Tokens of a sequence from now on. What nobody has read of an epoch is read in the new length; pieces that are too short are joined.",
                .size, in: 2...1 << 24
            ).optional,
            .number(
                "rotary_base", "The base of rotary positions from now on, for a longer context.",
                .base
            ).optional,
            .choice(
                "precision", ["float32", "bfloat16"], "Arithmetic of matrix products from now on."
            ).optional,
            .integer("order_seed", "Seed of the order of the data from now on.", .seed).optional,
        ]
    }

    private static var phaseOptimizerOptions: [Parameter] {
        [
            RateOptions.rate(
                "learning_rate",
                "The highest learning rate of the phase; default: the rate that the step before leads to."
            ).optional,
            RateOptions.rate("minimum", "The learning rate at the end; default: the recipe's.")
                .optional,
            RateOptions.schedule(
                "The course from the highest rate to the lowest; default: the recipe's. A list of segments, or a function of the step from 0, the steps of the phase and the rate before it."
            ).optional,
            RateOptions.steps(
                "warmup", "Steps of a straight rise from the rate before to the highest."
            ).optional,
            RateOptions.steps("decay", "Steps of a wsd schedule's decay.").optional,
            .boolean("reset", "Whether the optimizer forgets its moments.").or(false),
            optimizerKind,
        ] + optimizerSettings
    }

    /// The step that a phase begins at.
    static var fromOption: Parameter {
        Parameter(
            "from", .either([.integer(.steps), .string]),
            "The first step of the phase, counted from 0, or a part of all steps such as \"80%\".")
    }

    /// The recipe with another phase from a step on.
    package static func branch(
        _ recipe: Recipe, from: Int, fraction: Double? = nil, replacing: Bool = false,
        _ options: Options, _ call: Call
    ) throws -> Recipe {
        let session = call.interpreter.session
        let length = try RateOptions.whole(options, "length", of: recipe.steps)?.steps
        if let length, length < 1 {
            throw Mistake("length: at least 1 step expected, got \(length)")
        }
        let steps = max(0, min(length ?? .max, recipe.steps - from))
        let given = try mixture(of: options, after: recipe, from: from, steps: steps)
        let corpora = try options.has("mixture") ? session.corpora(given.mixture) : [:]
        let name = try options.string("name")
        var change = PhaseChange()
        change.startFraction = fraction
        (change.ramp, change.loss) = (given.ramp, given.loss)
        change.settings.batch = try options.integer(ifPresent: "batch")
        change.settings.context = try options.integer(ifPresent: "context")
        change.settings.rotaryBase = try options.number(ifPresent: "rotary_base")
        change.settings.precision = try options.string(ifPresent: "precision").flatMap(
            Precision.init)
        change.settings.orderSeed = try options.integer(ifPresent: "order_seed").map {
            UInt64($0)
        }
        if let optimizer = try options.options(ifPresent: "optimizer") {
            change.resetsOptimizer = try optimizer.boolean("reset")
            var settings = recipe.optimizer(before: from)
            try Self.change(&settings, optimizer)
            if !settings.isEqual(to: recipe.optimizer(before: from)) {
                change.settings.optimizer = settings
            }
            change.rates = try rates(optimizer, recipe, from: from, steps: steps)
        }
        guard let fields = try options.table(ifPresent: "tokens_of")?.fields else {
            return try recipe.switching(
                from: from, mixture: given.mixture, name: name, length: length, corpora: corpora,
                replacing: replacing, change: change)
        }
        guard length == nil else { throw Mistake("length, tokens_of: give one of the two") }
        guard fields.count == 1, let tokens = fields[0].value.integerValue else {
            throw Mistake(
                "tokens_of: one corpus with its tokens expected, got \(fields.count) entries")
        }
        return try recipe.switching(
            from: from, mixture: given.mixture, name: name, reading: fields[0].key, tokens: tokens,
            corpora: corpora, replacing: replacing, change: change)
    }

    /// The mixture that is given, or that of the phase before.
    private static func mixture(
        of options: Options, after recipe: Recipe, from: Int, steps: Int
    ) throws -> MixtureOptions {
        if let value = try options.value("mixture") {
            return try MixtureOptions(value, steps: steps)
        }
        guard let before = recipe.phases.last(where: { $0.start <= from }), before.ramp == nil
        else {
            throw Mistake(
                "mixture: expected, as the weights of the phase before change from step to step")
        }
        return MixtureOptions(before.mixture, loss: before.loss)
    }

    /// What a phase changes about the learning rate.
    private static func rates(
        _ options: Options, _ recipe: Recipe, from: Int, steps: Int
    ) throws -> RateChange? {
        let names = ["learning_rate", "minimum", "schedule", "warmup", "decay"]
        guard names.contains(where: options.has) else { return nil }
        var change = RateChange()
        change.peak = try options.value("learning_rate").map {
            try RateOptions.rate($0, "optimizer.learning_rate")
        }
        change.minimum = try options.value("minimum").map {
            try RateOptions.rate($0, "optimizer.minimum")
        }
        change.warmup =
            try options.value("warmup").map { try RateOptions.steps($0, "optimizer.warmup") } ?? 0
        change.decay = try options.value("decay").map {
            try RateOptions.steps($0, "optimizer.decay")
        }
        change.segments = try RateOptions.segments(options)
        change.sampled = try RateOptions.sampled(
            options, steps: steps, before: try recipe.learningRate(atStep: from))
        if case .string(let name)? = try options.value("schedule") {
            change.kind = LearningRateSchedule.Kind(rawValue: name)
        } else if change.segments != nil || change.sampled != nil,
            let other = names.first(where: { $0 != "schedule" && options.has($0) })
        {
            throw Mistake(
                "optimizer.\(other): segments and functions say everything about the rate themselves; leave it out"
            )
        }
        return change
    }
}
