import Runtime

extension Library {
    /// Looking into models: representations, weights and gradients.
    package static var representation: Library {
        Library(functions: [cka, distortion, conflict, losses])
    }

    private static let example = """
        local prose = mt.corpus { "prose", embedded = "prose", bytes = 120000, valid_fraction = 0.1 }
        local code = mt.corpus { "code", embedded = "code", bytes = 60000, valid_fraction = 0.1 }
        local tokens = mt.tokenizer { train_on = { prose, code }, vocabulary = 300 }
        local recipe = mt.recipe {
          model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32, layers = 2, width = 16, heads = 2 }),
          steps = 4, batch = 4, mixture = { prose = 1 },
        }
        local early = recipe:upto(2):run():model()
        local run = recipe:run()
        local late = run:model()

        """

    private static func network(_ fields: some Fields, _ name: String) throws -> Network {
        try fields.object(name)
    }

    private static var splitOption: Parameter {
        .choice("split", Split.allCases.map(\.rawValue), "Which part is read.").or("valid")
    }

    private static var resampling: [Parameter] {
        [
            .integer(
                "bootstrap", "Resamples for 95% intervals; 0 for none.", .count, in: 0...100_000
            ).or(
                200),
            .integer("seed", "Seed of the resamples.", .seed).or(1),
        ]
    }

    private static func split(_ options: Options) throws -> Split {
        Split(rawValue: try options.string("split")) ?? .valid
    }

    private static var cka: Function {
        Function(
            "cka",
            "Linear centred kernel alignment of two networks, layer by layer: how alike their hidden states of the same documents are, up to rotation and scale (Kornblith et al. 2019). The paper's probe of what finetuning changes: compare a state before with one after.",
            [
                .object("first", "network", "Such as `run:model()` at one state."),
                .object("second", "network", "Another, of as many layers."),
                .object("corpus", "corpus", "The probe."),
                .options(
                    [
                        splitOption,
                        .integer(
                            "documents", "Documents of the split at most.", .count, in: 3...20_000
                        ).or(
                            200),
                        .integer(
                            "tokens", "Tokens of a document at most.", .tokens, in: 1...1 << 20
                        ).or(
                            512),
                    ] + resampling
                ).optional,
            ], returns: "finding with layer, cka and unbiased",
            example: example + """
                print(mt.cka(early, late, prose, { documents = 10, bootstrap = 20 }))
                """
        ) { call in
            let (first, second) = (try network(call, "first"), try network(call, "second"))
            let options = try call.options()
            let session = call.interpreter.session
            let found = try session.working {
                try LayerAlignment(
                    (first.model, first.tokenizer), (second.model, second.tokenizer),
                    corpus: try call.object("corpus"), split: try split(options),
                    documents: try options.integer("documents"),
                    tokens: try options.integer("tokens"),
                    replicates: try options.integer("bootstrap"),
                    seed: UInt64(try options.integer("seed")), stop: session.stop)
            }
            try call.returns(FindingBox(found.finding(first.origin, second.origin)))
        }
    }

    private static var distortion: Function {
        Function(
            "distortion",
            "How far every parameter moved from one network to another: ‖W₁ − W₀‖ and the same over ‖W₀‖, by layer and kind, for whole layers and in all.",
            [
                .object("first", "network", "The state before."),
                .object("second", "network", "The state after, of the same shape."),
            ], returns: "finding with layer, kind, change, relative and before",
            example: example + """
                print(mt.distortion(early, late).values.relative > 0)
                """
        ) { call in
            let (first, second) = (try network(call, "first"), try network(call, "second"))
            let found = try LayerDistortion(from: first.model, to: second.model)
            try call.returns(FindingBox(found.finding(first.origin, second.origin)))
        }
    }

    private static var conflict: Function {
        Function(
            "conflict",
            "The cosine of the gradients of two corpora along a run, in all and by layer: above 0 they help each other, below 0 they conflict. It reads the states whose checkpoints the store has, state 0 among them.",
            [
                .object("run", "run", "The run."),
                .options(
                    [
                        .object("general", "corpus", "Such as what it is pretrained on."),
                        .object("target", "corpus", "Such as the finetuning set."),
                        .integers(
                            "steps", "Which states; default: all that the store has.", .steps
                        ).optional, splitOption,
                        .integer(
                            "limit", "Windows or examples of a corpus at most.", .count,
                            in: 1...1 << 28
                        ).or(64),
                        .integer(
                            "blocks",
                            "Blocks of them, each a gradient in memory, for the intervals.", .count,
                            in: 1...256
                        ).or(8),
                    ] + resampling),
            ], returns: "finding with step, layer, cosine, general_loss and target_loss",
            example: example + """
                print(mt.conflict(run, { general = prose, target = code, limit = 8, blocks = 4, bootstrap = 20 }))
                """
        ) { call in
            let box: RunBox = try call.object("run")
            let options = try call.options()
            let session = call.interpreter.session
            let general: Corpus = try options.object("general")
            let target: Corpus = try options.object("target")
            let limit = try options.integer("limit")
            let split = try split(options)
            let found = try session.working {
                try GradientConflict(
                    box.run.trajectory, store: try session.store(),
                    steps: try options.integers(ifPresent: "steps"),
                    general: EvaluationSet(general, split, limit: limit),
                    target: EvaluationSet(target, split, limit: limit),
                    blocks: try options.integer("blocks"),
                    replicates: try options.integer("bootstrap"),
                    seed: UInt64(try options.integer("seed")), progress: session.progress.work,
                    stop: session.stop)
            }
            try call.returns(
                FindingBox(found.finding(general: general.name, target: target.name)))
        }
    }

    private static var losses: Function {
        Function(
            "losses",
            "The loss of some corpora under a network, with intervals: which texts a model already knows.",
            [
                .object("network", "network", "Such as `run:model()` or `shape:initialise()`."),
                .options(
                    [
                        .objects("corpora", "corpus", "What it reads.").rest, splitOption,
                        .integer(
                            "limit", "Windows or examples of a corpus at most; default: all.",
                            .count, in: 1...1 << 28
                        ).optional,
                    ] + resampling),
            ], returns: "finding with corpus, loss, bits_per_byte and tokens",
            example: example + """
                print(mt.losses(late, { prose, code, limit = 8 }))
                """
        ) { call in
            let network = try network(call, "network")
            let options = try call.options()
            let session = call.interpreter.session
            let limit = try options.integer(ifPresent: "limit")
            let split = try split(options)
            let found = try session.working {
                try LossesUnderModel(
                    network.model, network.tokenizer,
                    try options.objects("corpora", as: Corpus.self).map {
                        EvaluationSet($0, split, limit: limit)
                    }, store: try session.store(), replicates: try options.integer("bootstrap"),
                    seed: UInt64(try options.integer("seed")), stop: session.stop)
            }
            try call.returns(FindingBox(found.finding(network.origin)))
        }
    }
}
