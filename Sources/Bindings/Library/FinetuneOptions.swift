import Runtime

extension Library {
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
            RateOptions.schedule(
                "Its course after warm-up, or a list of segments, whose rates may be parts of the highest, such as \"0.1 of peak\".",
                isFunction: false
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
            .number(
                "decay",
                "Steps of a wsd schedule's decay; below 1, a fraction of the steps.",
                .stepsOrFraction
            ).or(FinetuningGrid.standardDecay),
            .number("weight_decay", "Decay of matrices.", .decay).or(
                FinetuningGrid.standardWeightDecay),
            .number("clip", "Largest global gradient norm; 0 for no clipping.", .norm).or(
                FinetuningGrid.standardClip),
            .boolean("packed", "Whether examples share windows without padding.").or(false),
            .integer("seed", "Order of the examples; default: the recipe's seed.", .seed)
                .optional,
            .options(
                "replay",
                "Windows of text that are read beside the examples, so that it is not forgotten; every source goes on where the phases left it.",
                [
                    .weights("mixture", "Weights of corpora by name, which sum to 1."),
                    .number(
                        "share", "The part of a step's rows and of its loss that they are.",
                        .fraction),
                ]
            ).optional,
        ]
    }

    /// What the options of finetuning say; those of a study also have `seeds`.
    static func finetuningGrid(
        _ options: Options, _ session: Session
    ) throws -> FinetuningGrid {
        var grid = FinetuningGrid(
            try options.object("set"), learningRates: try options.numbers("learning_rate"))
        grid.epochs = try options.integer("epochs")
        grid.batch = try options.integer("batch")
        if case .string(let name)? = try options.value("schedule") {
            grid.schedule = LearningRateSchedule.Kind(rawValue: name) ?? grid.schedule
        }
        grid.segments = try RateOptions.segments(options)
        grid.minimumFraction = try options.number("minimum_fraction")
        grid.warmup = try options.number("warmup")
        grid.decay = try options.number("decay")
        if let replay = try options.options(ifPresent: "replay") {
            let mixture = try Mixture(try replay.weights("mixture"))
            let share = try replay.number("share")
            guard share > 0, share < 1 else {
                throw Mistake(
                    "replay.share: a part above 0 and below 1 expected, got \(share)")
            }
            grid.replay = Replay(
                mixture: mixture, corpora: try session.corpora(mixture), share: share)
        }
        grid.weightDecay = try options.number("weight_decay")
        grid.clip = try options.number("clip")
        grid.packed = try options.boolean("packed")
        grid.seed = try options.integer(ifPresent: "seed").map { UInt64($0) }
        return grid
    }
}
