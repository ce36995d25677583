import Runtime

extension Library {
    static var microanneals: Library { Library(functions: [microanneal]) }

    private static var microanneal: Function {
        Function(
            "microanneals",
            "A study of short decays from one trunk, each on a share of a candidate corpus and the trunk's own mixture for the rest: which corpus is worth midtraining on. A control that decays on the trunk's mixture alone is added unasked, and arms are compared with it.",
            [
                .options([
                    .object(
                        "recipe", "recipe", "The trunk; its learning rate should still be high."),
                    .objects("candidates", "corpus", "The corpora to try."),
                    .numbers(
                        "share",
                        "The candidates' share of the mixture, 0.3 by default; several are an axis.",
                        .fraction.positive
                    ).optional,
                    fromOption,
                    Parameter(
                        "steps", .either([.integer(.steps.positive), .string]),
                        "Steps of a decay, or a part of all steps; default: to the end."
                    ).optional,
                    RateOptions.rate("minimum", "The learning rate that decays end with.").optional,
                    .choice(
                        "schedule",
                        LearningRateSchedule.Kind.allCases.map(\.rawValue),
                        "The course of the decay."
                    ).or("linear"),
                    .integers("seeds", "Seeds of the trunk; default: the recipe's.", .seed)
                        .optional,
                    Parameter(
                        "finetune", .list(.options(studyFinetuneOptions)),
                        "Finetuning of every arm; see mt.study."
                    ).optional,
                    .objects(
                        "evaluate", "corpus", "Corpora whose test loss is reported."
                    ).optional,
                    .integer(
                        "limit", "Windows or examples that an evaluation reads at most.",
                        .count.positive
                    ).optional,
                ])
            ],
            returns: "study; its control is called base",
            example: """
                local prose = mt.corpus { "prose", embedded = "prose", bytes = 120000, valid_fraction = 0.1 }
                local code = mt.corpus { "code", embedded = "code", bytes = 60000, valid_fraction = 0.1 }
                local sums = mt.corpus { "sums", embedded = "arithmetic", bytes = 60000, valid_fraction = 0.1 }
                local tokens = mt.tokenizer { train_on = { prose, code }, vocabulary = 300 }
                local trunk = mt.recipe {
                  model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }), steps = 10, batch = 4,
                  mixture = { prose = 1 }, optimizer = { schedule = "constant", warmup = 2 },
                }
                local study = mt.microanneals {
                  recipe = trunk, candidates = { code, sums }, from = "60%", minimum = 0, evaluate = { prose, code }, limit = 4,
                }
                print(study:run():compare { "candidate", against = "base", columns = { "code" } })
                """
        ) { call in
            let options = try call.options()
            let session = call.interpreter.session
            let box: RecipeBox = try options.object("recipe")
            let candidates: [Corpus] = try options.objects("candidates")
            let shares = try options.numbers(ifPresent: "share") ?? [0.3]
            let trunk = box.recipe
            guard let from = try RateOptions.whole(options, "from", of: trunk.steps) else {
                throw Mistake("from: expected, but it is missing")
            }
            let steps = try RateOptions.whole(options, "steps", of: trunk.steps)?.steps
            var change = RateChange()
            change.kind = LearningRateSchedule.Kind(rawValue: try options.string("schedule"))
            change.minimum = try options.value("minimum").map {
                try RateOptions.rate($0, "minimum")
            }
            let design = Microanneals(
                trunk: trunk, from: from.steps, steps: steps, rates: change,
                candidates: candidates, shares: shares,
                seeds: try options.integers(ifPresent: "seeds") ?? [])
            let finetuning = try (options.optionsList(ifPresent: "finetune") ?? []).map {
                try studyFinetuning($0, session)
            }
            try call.returns(
                StudyBox(
                    try Study(
                        arms: try design.arms(finetuning: finetuning),
                        evaluate: try options.objects(ifPresent: "evaluate") ?? [],
                        evaluationLimit: try options.integer(ifPresent: "limit"),
                        store: try session.store())))
        }
    }
}
