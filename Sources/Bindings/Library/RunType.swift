import Runtime

extension Library {
    package static var runs: Library { Library(types: [runType]) }

    static var trainOptions: [Parameter] {
        [
            .integer("to", "The state to stop at; default: the last.", .steps).optional,
            .objects("evaluate", "corpus", "Corpora whose valid loss is measured at intervals.")
                .optional,
            .integer("evaluate_every", "Steps between evaluations.", .steps.positive).optional,
            .integer(
                "limit", "Windows or examples that an evaluation reads at most.", .count.positive
            )
            .optional,
            .function(
                "on_step",
                "Called after every step with a table of step, loss, learning_rate, gradient_norm, tokens_per_second and phase, and after an evaluation of evaluations, the valid losses by corpus; returning false stops the run at that step."
            ).optional,
            alertOption,
            .integers(
                "keep", "States whose checkpoints stay, beside the last.", .steps
            ).optional,
            .number(
                "checkpoint_seconds", "Seconds of training that a crash may cost.",
                .seconds.positive
            )
            .or(60.0),
        ]
    }

    static var alertOption: Parameter {
        .string(
            "alert",
            "A condition that ends training with an error, such as \"loss > mean + 6 sd\": over step, loss, gradient_norm, learning_rate, tokens, and mean and sd of the losses of up to 100 steps before, which are known from the 20th on. The state is saved."
        ).optional
    }

    package static func trajectory(_ recipe: Recipe, _ call: Call) throws -> Trajectory {
        let session = call.interpreter.session
        return try session.working {
            try Trajectory(
                recipe, store: try session.store(), progress: session.progress.work,
                stop: session.stop)
        }
    }

    package static func open(_ box: RecipeBox, name: String, _ call: Call) throws -> RunBox {
        RunBox(
            Run(
                try trajectory(box.recipe, call), store: try call.interpreter.session.store(),
                name: name))
    }

    /// What the options of training say, except `to` and `on_step`.
    static func runOptions(_ options: Options, _ session: Session) throws -> RunOptions {
        var settings = RunOptions()
        settings.keep = Set(try options.integers(ifPresent: "keep") ?? [])
        settings.checkpointSeconds = try options.number("checkpoint_seconds")
        settings.evaluateEvery = try options.integer(ifPresent: "evaluate_every") ?? 0
        settings.alert = try options.string(ifPresent: "alert").map(StepCondition.init)
        let limit = try options.integer(ifPresent: "limit")
        settings.evaluate = try (options.objects(ifPresent: "evaluate", as: Corpus.self) ?? [])
            .map { EvaluationSet($0, .valid, limit: limit) }
        if settings.evaluateEvery > 0 && settings.evaluate.isEmpty {
            throw Mistake("evaluate: a list of corpora expected with evaluate_every")
        }
        settings.progress = session.progress.work
        settings.stop = session.stop
        return settings
    }

    /// Checks the states that are to be kept, and keeps those that the run has passed.
    static func keepEarlier(_ run: Run, _ settings: RunOptions, _ session: Session) throws {
        for step in settings.keep.sorted() {
            guard step <= run.trajectory.steps else {
                throw Mistake(
                    "keep: states of a run of \(run.trajectory.steps) steps expected, got \(step)")
            }
            guard step > 0, step <= run.step else { continue }
            let key = run.trajectory.keys[step]
            let manifest: CheckpointManifest?
            do { manifest = try session.store().manifest(key) } catch is CheckpointError {
                continue  // what is damaged is trained again
            }
            if manifest == nil {
                session.progress.work(
                    WorkProgress(
                        notice: "keep: the run has passed state \(step), which has no checkpoint; "
                            + "a run from the beginning in another store would keep it"))
            } else {
                try session.store().keep(key)
            }
        }
    }

    package static func train(_ box: RunBox, _ options: Options, _ call: Call) throws {
        let session = call.interpreter.session
        try box.checkIdle()
        var settings = try runOptions(options, session)
        // What `background` was given has none.
        let callback = try options.parameter("on_step").flatMap {
            try options.function(ifPresent: $0.name)
        }
        let trajectory = box.run.trajectory
        try keepEarlier(box.run, settings, session)
        var isStopping = false
        let target = try options.integer(ifPresent: "to")
        // A step that is evaluated is reported when all corpora are.
        let (every, sets) = (settings.evaluateEvery, settings.evaluate.count)
        var step: (record: StepRecord, phase: String)?
        var losses: [(String, (any LuaConvertible)?)] = []
        settings.onEvent = { event in
            session.progress.run(event, trajectory, to: target)
            guard let callback else { return true }
            switch event {
            case .step(let record, let phase):
                (step, losses) = ((record, phase), [])
                if every > 0, record.step % every == 0 { return true }
            case .evaluated(let name, _, let evaluation, _):
                losses.append((name, evaluation.loss))
                if losses.count < sets { return true }
            default: return true
            }
            guard let (record, phase) = step else { return true }
            let fields = Record([
                ("step", record.step), ("loss", record.loss),
                ("learning_rate", record.learningRate), ("gradient_norm", record.gradientNorm),
                ("tokens_per_second", Double(record.tokens) / max(record.seconds, 1e-9)),
                ("phase", phase), ("evaluations", losses.isEmpty ? nil : Record(losses)),
            ])
            let results: [Value]
            do { results = try callback.call(fields) } catch is ExitRequest {
                // Leaving within a callback, by os.exit or a signal, interrupts the run as leaving outside of it does.
                throw Interrupted("the program leaves")
            }
            if case .boolean(false)? = results.first { isStopping = true }
            return !isStopping
        }
        box.options = options
        defer { session.note(box.run) }
        try session.working {
            do {
                try box.run.train(to: target, options: settings)
            } catch is Interrupted where isStopping {
                // What the callback asked for is not an error: the run stays at its step.
            }
        }
    }

    static func recordsTable(_ records: [StepRecord]) -> Record {
        Record(
            [],
            items: records.map { record in
                Record([
                    ("step", record.step), ("loss", record.loss),
                    ("learning_rate", record.learningRate),
                    ("gradient_norm", record.gradientNorm), ("tokens", record.tokens),
                    ("seconds", record.seconds),
                ])
            })
    }

    static func exposureTable(_ ledger: ExposureLedger) -> Record {
        let items = ledger.phases.flatMap { phase in
            let whole = max(1, phase.exposure.entries.values.reduce(0) { $0 + $1.counted })
            return phase.exposure.entries.sorted { $0.key < $1.key }.map { name, entry in
                Record([
                    ("phase", phase.name), ("source", name), ("tokens", entry.tokens),
                    ("epochs", entry.epochs), ("loss_share", entry.counted / whole),
                ])
            }
        }
        return Record([], items: items)
    }

    private static func evaluationTable(_ evaluation: Evaluation) -> Record {
        Record([
            ("loss", evaluation.loss), ("bits_per_byte", evaluation.bitsPerByte),
            ("perplexity", evaluation.perplexity), ("tokens", evaluation.tokens),
            ("bytes", evaluation.bytes),
        ])
    }

    private static func card(_ box: RunBox) -> Card {
        let (run, trajectory) = (box.run, box.run.trajectory)
        var rows: [(String, String?)] = [("state", run.key.short)]
        if run.step < trajectory.steps {
            let next = "\(trajectory.phaseName(run.step)): \(trajectory.mixtureText(run.step))"
            rows.append(("next", next))
        }
        if run.step > 0, let last = try? run.records().last {
            rows.append(("loss", Progress.decimals(last.loss, 4)))
        }
        if let now = box.underWay?.now {
            var text = "step \(now.step) of \(now.target)"
            if let record = now.record {
                text += ", loss \(Progress.decimals(record.loss, 4)), "
                text += "\(Progress.count(now.tokensPerSecond)) tokens/s"
            }
            rows.append(("background", text))
        }
        return Card("run \(run.name): step \(run.step) of \(trajectory.steps)", rows)
    }

    private static var runType: ObjectType {
        ObjectType(
            "run", RunBox.self,
            "A recipe being carried out: it can be interrupted, resumed, evaluated and asked for text.",
            describe: { box in
                "run \(box.run.name): step \(box.run.step) of \(box.run.trajectory.steps), "
                    + "state \(box.run.key.short)"
                    + (box.underWay.map { ", in the background at step \($0.now.step)" } ?? "")
            },
            show: { box, display in card(box).output(display) },
            fields: [
                Field("name", "string", "Its name.") { $0.run.name },
                Field("step", "integer", "Steps done.") { $0.run.step },
                Field("steps", "integer", "Steps in all, finetuning included.") {
                    $0.run.trajectory.steps
                },
                Field("recipe", "recipe", "What it carries out.") {
                    RecipeBox($0.run.trajectory.recipe)
                },
                Field(
                    "trained", "integer",
                    "Steps that this object trained itself, rather than found in the store."
                ) {
                    $0.run.trained
                },
                Field("key", "string", "The key of its present state.") { $0.run.key.hex },
                Field("finished", "boolean", "Whether all steps are done.") {
                    $0.run.step == $0.run.trajectory.steps
                },
            ],
            methods: [
                runNetworkMethod, runAverageMethod,
                Method(
                    "train", "Trains to a state, starting from the latest that the store has.",
                    [.options(trainOptions).optional]
                ) { box, call in try train(box, try call.options(), call) },
                Method("resume", "Goes on to the last state, with the options of the last `train`.")
                { box, call in
                    let options =
                        try box.options
                        ?? Options(
                            Table(), trainOptions, path: "", interpreter: call.interpreter)
                    try train(box, options.without("to"), call)
                },
                Method(
                    "evaluate",
                    "The loss of the present state on a corpus: every token of plain text, or the responses of a corpus with prompts.",
                    [
                        .object("corpus", "corpus", "What to read."),
                        .options([
                            .choice("split", Split.allCases.map(\.rawValue), "Which part.").or(
                                "valid"),
                            .integer(
                                "limit", "Windows or examples at most; default: all.",
                                .count.positive
                            ).optional,
                        ]).optional,
                    ],
                    returns:
                        "table with loss (nats a token), bits_per_byte, perplexity, tokens, bytes"
                ) { box, call in
                    let session = call.interpreter.session
                    let options = try call.options(ifPresent: "options")
                    let set = EvaluationSet(
                        try call.object("corpus"),
                        Split(rawValue: try options?.string("split") ?? "valid") ?? .valid,
                        limit: try options?.integer(ifPresent: "limit"))
                    var settings = RunOptions()
                    settings.progress = session.progress.work
                    settings.stop = session.stop
                    try call.returns(
                        evaluationTable(try session.working { try box.run.evaluate(set, settings) })
                    )
                },
                Method(
                    "generate", "Text that the present state continues a prompt with.",
                    [
                        .options([
                            .bytes(
                                "prompt",
                                "What it continues; empty for the beginning of a document."
                            ).or("").item,
                            .boolean(
                                "parse_special",
                                "Whether special tokens written out in the prompt become their ids; otherwise they are plain text."
                            ).or(false),
                            .integer("tokens", "Tokens at most.", .tokens, in: 0...1 << 20).or(64),
                            .number(
                                "temperature", "Divides the logits; 0 takes the most likely token.",
                                .temperature
                            )
                            .or(1.0),
                            .integer(
                                "top_k", "Draw among the k most likely; 0 for no limit.", .count
                            ).or(0),
                            .number(
                                "top_p", "Draw among the most likely that reach this probability.",
                                .fraction
                            )
                            .or(1.0),
                            .integer("seed", "Of the draws.", .seed).or(0),
                        ]).optional
                    ],
                    returns: "string, without the prompt"
                ) { box, call in
                    let options = try call.options()
                    let tokenizer = box.run.trajectory.recipe.tokenizer
                    let prompt =
                        [tokenizer.endOfText] + tokenizer.opening
                        + tokenizer.encode(
                            try options.bytes("prompt"),
                            special: try options.boolean("parse_special") ? .parsed : .plain)
                    let sampling = Sampling(
                        temperature: try options.number("temperature"),
                        topK: try options.integer("top_k"),
                        topP: try options.number("top_p"), seed: UInt64(try options.integer("seed"))
                    )
                    let ids = try box.run.model().generate(
                        prompt: prompt, count: try options.integer("tokens"), sampling: sampling,
                        endOfText: tokenizer.endOfText, vocabulary: tokenizer.vocabularySize,
                        stop: call.interpreter.session.stop)
                    try call.returns(
                        Bytes(try tokenizer.decode(ids.filter { $0 != tokenizer.endOfText })))
                },
                Method(
                    "records", "What every step so far measured, whoever trained it.",
                    returns:
                        "list of tables with step, loss, learning_rate, gradient_norm, tokens, seconds"
                ) { box, call in
                    try call.returns(recordsTable(try box.run.records()))
                },
                Method(
                    "evaluations",
                    "The losses of corpora that were measured on the way, by `evaluate_every` or `evaluate`, whoever trained it.",
                    returns:
                        "frame with step, corpus, split, loss (nats a token), bits_per_byte, tokens and bytes",
                    example: """
                        run:train { evaluate = { prose, code }, evaluate_every = 1, limit = 2 }
                        print(run:evaluations():pivot { rows = "step", columns = "corpus", value = "loss" })
                        print(run:plot { value = "evaluations" })
                        """
                ) { box, call in
                    try call.returns(try box.run.evaluations().frame())
                },
                runPlotMethod,
                Method(
                    "csv", "Writes the records of every step so far as CSV.",
                    [.path("path", "Where to.")]
                ) { box, call in
                    try AtomicFile.write(
                        try call.string("path"), text: StepRecord.csv(try box.run.records()))
                },
                Method(
                    "exposure", "Tokens and epochs seen of each source so far, by phase.",
                    returns:
                        "list of tables with phase, source, tokens, epochs and loss_share, the part of the phase's loss"
                ) { box, call in
                    try call.returns(
                        exposureTable(box.run.trajectory.exposure(at: box.run.step)))
                },
                Method(
                    "fork",
                    "A run of the same recipe with another mixture from the present step on. Its states up to here are this run's, which are kept, so that nothing is trained twice; `train` goes on from here.",
                    [
                        .options(
                            branchOptions + [
                                .string("run_name", "A name for people; default: the phase's.")
                                    .optional
                            ])
                    ], returns: "run",
                    example: """
                        local prose = mt.corpus { "prose", embedded = "prose", bytes = 200000 }
                        local code = mt.corpus { "code", embedded = "code", bytes = 100000 }
                        local tokens = mt.tokenizer { train_on = { prose, code }, vocabulary = 512 }
                        local run = mt.recipe {
                          model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }),
                          steps = 6, batch = 2, mixture = { prose = 1 },
                        }:open()
                        run:train { to = 3 }
                        local branch = run:fork { mixture = { prose = 0.5, code = 0.5 } }
                        branch:train()
                        print(branch.step, branch.trained, run.step)
                        """
                ) { box, call in
                    let options = try call.options()
                    let recipe = try branch(
                        try box.run.recipeForBranching(), from: box.run.step, replacing: true,
                        options,
                        call)
                    if box.run.step > 0 { try box.run.save() }
                    let name =
                        try options.string(ifPresent: "run_name") ?? options.string("name")
                    try call.returns(try open(RecipeBox(recipe), name: name, call))
                },
                Method(
                    "profile",
                    "Times the kernels of a few training steps on fresh weights and the run's first batch; the run does not change.",
                    [
                        .options([.integer("steps", "Steps to time.", .count, in: 1...1000).or(5)])
                            .optional
                    ],
                    returns:
                        "table of text: a line a kernel and shape with calls, milliseconds, share, GF/s and GB/s a step"
                ) { box, call in
                    let session = call.interpreter.session
                    let options = try call.options(ifPresent: "options")
                    let breakdown = try Calibration.breakdown(
                        box.run.trajectory, steps: try options?.integer("steps") ?? 5,
                        stop: session.stop)
                    try call.returns(breakdown.text())
                },
                runScoreMethod,
                Method(
                    "export_metrics",
                    "Writes what every step so far measured, and the recorded losses on the way, for other programs; an earlier export there is replaced.",
                    [
                        .path("folder", "Where to."),
                        .options([
                            .choice(
                                "format", RunMetrics.Format.allCases.map(\.rawValue),
                                "steps and evaluations as .csv or .jsonl files, or an event file of TensorBoard's."
                            ).or("csv"), rawOption,
                        ]).optional,
                    ], returns: "list of the files"
                ) { box, call in
                    let format = RunMetrics.Format(rawValue: try call.options().string("format"))
                    let files = try box.run.metrics().write(
                        to: try call.string("folder"), format: format ?? .csv,
                        raw: try call.options().boolean("raw"))
                    try call.returns(Record([], items: files))
                },
                Method("export", exportHelp, exportParameters) { box, call in
                    let (storage, shardBytes) = try exportOptions(call)
                    try box.run.export(
                        to: try call.string("folder"), storage: storage, shardBytes: shardBytes,
                        stop: call.interpreter.session.stop)
                },
                Method("save", "Writes the present state to the store, to stay there.") {
                    box, call in
                    try box.run.save()
                },
            ] + backgroundMethods)
    }
}
