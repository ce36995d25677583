import Runtime

extension Library {
    static var averages: Library { Library(functions: [average]) }

    private static let prepared = """
        local prose = mt.corpus { "prose", embedded = "prose", bytes = 120000, valid_fraction = 0.1 }
        local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 300 }
        local recipe = mt.recipe {
          model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }),
          steps = 6, batch = 2, mixture = { prose = 1 },
        }

        """

    private static var average: Function {
        Function(
            "average",
            "The weighted mean of the weights of several runs in their present states (a soup), as a model: a recipe of it without steps evaluates, finetunes or exports it. It is kept in the store by its ingredients.",
            [
                .options([
                    .objects("runs", "run", "Runs with models of one shape.").rest,
                    .numbers(
                        "weights",
                        "One for each run; they are divided by their sum. Default: all the same.",
                        .weight
                    ).optional,
                ])
            ],
            returns: "model",
            example: prepared + """
                local one = recipe:with { seed = { weights = 1, order = 1 } }:run()
                local two = recipe:with { seed = { weights = 1, order = 2 } }:run()
                local soup = mt.average { one, two }
                local run = mt.recipe { model = soup }:open()
                print(run:evaluate(prose, { limit = 4 }).loss)
                """
        ) { call in
            let options = try call.options()
            let runs: [RunBox] = try options.objects("runs")
            for run in runs { try run.checkIdle() }
            let weights =
                try options.numbers(ifPresent: "weights") ?? runs.map { _ in 1 }
            guard weights.count == runs.count else {
                throw Mistake(
                    "weights: \(runs.count) numbers expected, one for each run, got \(weights.count)"
                )
            }
            // A state that only memory holds has to be in the store.
            for box in runs where box.run.step > 0 { try box.run.save() }
            let terms = zip(runs, weights).map {
                Average.Term($0.run.trajectory, state: $0.run.step, weight: $1)
            }
            try call.returns(try averaged(terms, "average of \(runs.count) runs", call))
        }
    }

    /// What a run can do to average its states.
    static var runAverageMethod: Method<RunBox> {
        Method(
            "average",
            "The mean of the weights of several states of this run, as a model: a recipe of it without steps evaluates, finetunes or exports it. States whose checkpoints were not kept are trained again in memory, which is said.",
            [
                .options([
                    .integers("states", "Which states; in place of `last` and `every`.", .steps)
                        .optional,
                    .integer(
                        "last", "How many states, the present one being the last; default: 5.",
                        .count.positive
                    ).optional,
                    .integer(
                        "every", "Steps from one state to the next; default: 1.", .steps.positive
                    ).optional,
                    .numbers(
                        "weights",
                        "One for each state, in the order of `states`; they are divided by their sum.",
                        .weight
                    ).optional,
                    .number(
                        "decay",
                        "In place of `weights`: an exponential moving average, in which every state keeps this part of the ones before.",
                        .fraction
                    ).optional,
                ])
            ],
            returns: "model",
            example: prepared + """
                local run = recipe:run { keep = { 2, 4 } }
                local mean = run:average { states = { 2, 4, 6 } }
                local moving = run:average { last = 6, decay = 0.9 }
                print(mean, moving)
                print(mt.recipe { model = mean }:open():evaluate(prose, { limit = 4 }).loss)
                """
        ) { box, call in
            let options = try call.options()
            try box.checkIdle()
            let run = box.run
            var states = try options.integers(ifPresent: "states")
            if states != nil, let other = ["last", "every"].first(where: options.has) {
                throw Mistake("states, \(other): give one of the two")
            }
            let last = try options.integer(ifPresent: "last") ?? 5
            let every = try options.integer(ifPresent: "every") ?? 1
            if states == nil {
                guard (last - 1) * every <= run.step else {
                    throw Mistake(
                        "last: \(last) states every \(every) steps expected before step \(run.step), where the run is"
                    )
                }
                states = (0..<last).map { run.step - (last - 1 - $0) * every }
            }
            let given = states ?? []
            // An exponential average is one in the order of the steps.
            let chosen = options.has("decay") ? given.sorted() : given
            guard let highest = chosen.max(), highest <= run.step else {
                throw Mistake(
                    "states: states up to step \(run.step), where the run is, expected, got \(chosen.max().map { "\($0)" } ?? "none")"
                )
            }
            var weights = try options.numbers(ifPresent: "weights")
            if let decay = try options.number(ifPresent: "decay") {
                guard weights == nil else { throw Mistake("weights, decay: give one of the two") }
                weights = Average.exponential(chosen.count, decay: decay)
            }
            let used = weights ?? chosen.map { _ in 1 }
            guard used.count == chosen.count else {
                throw Mistake(
                    "weights: \(chosen.count) numbers expected, one for each state, got \(used.count)"
                )
            }
            if run.step > 0 { try run.save() }
            let terms = zip(chosen, used).sorted { $0.0 < $1.0 }.map {
                Average.Term(run.trajectory, state: $0, weight: $1)
            }
            try call.returns(
                try averaged(terms, "average of \(chosen.count) states of \(run.name)", call))
        }
    }

    private static func averaged(
        _ terms: [Average.Term], _ name: String, _ call: Call
    ) throws -> ModelShape {
        let session = call.interpreter.session
        let store = try session.store()
        let missing = Average.missing(terms, store: store)
        if !missing.isEmpty {
            session.progress.work(
                WorkProgress(
                    notice:
                        "\(name): \(missing.count) of \(terms.count) states have no checkpoint; "
                        + "the steps to them are trained again in memory"))
        }
        var options = RunOptions()
        options.progress = session.progress.work
        options.stop = session.stop
        let weights = try session.working {
            try PretrainedModel(
                try Average.folder(of: terms, store: store, options: options),
                stop: session.stop)
        }
        return ModelShape(
            name: name, configuration: weights.configuration, weights: weights,
            tokenizer: terms[0].trajectory.recipe.tokenizer)
    }
}
