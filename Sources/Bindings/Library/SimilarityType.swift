import Runtime

extension Similarity: LuaObject {}

/// A ranking of mixtures as Lua holds it.
final class RecommendationBox: LuaObject {
    let recommendation: Recommendation

    init(_ recommendation: Recommendation) { self.recommendation = recommendation }
}

extension Library {
    package static var alignment: Library {
        Library(functions: [similarity, recommend], types: [similarityType, recommendationType])
    }

    private static var measureOptions: [Parameter] {
        [
            .choice(
                "metric", SimilarityMetric.names,
                "What is compared: tokens (0.4 cosine + 0.3 Jaccard + 0.3 / (1 + JSD in nats) of token counts) or its parts, cosine of n-grams of words or characters, 1 − JSD / ln 2 of n-grams of characters, cross_entropy (bits a byte under a model of byte n-grams), compression (1 − NCD by zstd; slow with many documents and resamples), or gradient (cosine of a network's gradients)."
            ).or("tokens"),
            .object(
                "network", "network",
                "What takes gradients, of the first `documents` windows or examples; only the metric gradient needs one."
            ).optional,
            .object("tokenizer", "tokenizer", "What counts tokens; the token metrics need one.")
                .optional,
            .integers(
                "n",
                "Length of n-grams; default: 1 for words, 3 for characters, 1 to 4 for characters_js, 5 for cross_entropy.",
                .count, in: 1...16
            ).optional,
            .integer("documents", "Documents of a corpus at most.", .count, in: 1...10_000_000).or(
                1000),
            .choice(
                "sample", SimilaritySettings.Sampling.allCases.map(\.rawValue),
                "The first documents of the split, or a random sample for one pass over the corpus."
            ).or("first"),
            .choice("split", Split.allCases.map(\.rawValue), "Which part is read.").or("train"),
            .integer("characters", "Characters of a document at most.", .count, in: 1...1 << 28).or(
                10_000),
            .integer("tokens", "Tokens of a document at most.", .tokens, in: 1...1 << 28).or(512),
            .integer(
                "vocabulary", "The most frequent ids of a corpus that count.", .size,
                in: 1...1 << 24
            )
            .or(50_000),
            .integer(
                "bootstrap", "Resamples of the documents for 95% intervals; 0 for none.", .count,
                in: 0...100_000
            ).or(200),
            .integer("seed", "Seed of the resamples.", .seed).or(1),
        ]
    }

    private static func settings(_ options: Options) throws -> SimilaritySettings {
        var result = SimilaritySettings()
        result.metric = SimilarityMetric(rawValue: try options.string("metric")) ?? .tokens
        result.tokenizer = try options.object(ifPresent: "tokenizer")
        result.lengths = try options.integers(ifPresent: "n") ?? []
        result.documents = try options.integer("documents")
        result.sampling = .init(rawValue: try options.string("sample")) ?? .first
        result.split = Split(rawValue: try options.string("split")) ?? .train
        result.characters = try options.integer("characters")
        result.tokens = try options.integer("tokens")
        result.vocabulary = try options.integer("vocabulary")
        result.bootstrap = try options.integer("bootstrap")
        result.seed = UInt64(try options.integer("seed"))
        return result
    }

    /// What takes gradients, if it was given.
    private static func probe(_ options: Options, _ session: Session) throws -> Similarity.Probe? {
        try options.object(ifPresent: "network", as: Network.self).map {
            Similarity.Probe(
                model: $0.model, tokenizer: $0.tokenizer, store: try session.store())
        }
    }

    private static let example = """
        local prose = mt.corpus { "prose", embedded = "prose", bytes = 60000 }
        local code = mt.corpus { "code", embedded = "code", bytes = 60000 }
        local tasks = mt.corpus { "tasks", embedded = "code-tasks", bytes = 20000 }

        """

    private static var similarity: Function {
        Function(
            "similarity",
            "Counts what is in some corpora and says how alike they are, before anything is trained. Mixtures are weighted exactly; nothing is drawn from them.",
            [
                .options(
                    [.objects("corpora", "corpus", "At least two corpora.").rest] + measureOptions)
            ],
            returns: "similarity",
            example: example + """
                local close = mt.similarity { prose, code, tasks, metric = "words", bootstrap = 20 }
                print(close)
                print(close:proximity { mix = { prose = 0.8, code = 0.2 }, general = "prose", target = "tasks" }.value)
                """
        ) { call in
            let options = try call.options()
            let session = call.interpreter.session
            try call.returns(
                try session.working {
                    try Similarity(
                        try options.objects("corpora"), try settings(options),
                        probe: try probe(options, session), progress: session.progress.work,
                        stop: session.stop)
                })
        }
    }

    private static var recommend: Function {
        Function(
            "recommend",
            "Ranks mixtures of a general corpus and candidates by how much closer to a target they are than the general corpus alone, and says what that rests on.",
            [
                .options(
                    [
                        .object("general", "corpus", "What is trained on otherwise."),
                        .objects("candidates", "corpus", "Specialised corpora to mix in."),
                        .object("target", "corpus", "What the model is meant for."),
                        .numbers(
                            "weights", "Weights of a candidate; the rest is general.", .fraction),
                        .objects(
                            "results", "result",
                            "Results of finished studies: gains are predicted from theirs, with the error of leaving one out."
                        ).optional,
                        .string("against", "The reference's name in the results.").or("control"),
                        .numbers(
                            "starts",
                            "When the mixture begins, as parts of training, to rank as well; needs results of studies with several starts.",
                            .fraction
                        ).optional,
                    ] + measureOptions)
            ],
            returns: "recommendation",
            example: example + """
                print(mt.recommend { general = prose, candidates = code, target = tasks, weights = { 0.1, 0.3 },
                  metric = "characters", bootstrap = 20 })
                """
        ) { call in
            let options = try call.options()
            let session = call.interpreter.session
            let general: Corpus = try options.object("general")
            let candidates: [Corpus] = try options.objects("candidates")
            let target: Corpus = try options.object("target")
            let results = try options.objects(ifPresent: "results", as: ResultBox.self) ?? []
            let reference = try options.string("against")
            let starts = try options.numbers(ifPresent: "starts") ?? []
            let corpora = try union([general] + candidates + [target], results.map(\.result))
            try call.returns(
                try session.working {
                    let similarity = try Similarity(
                        corpora, try settings(options), probe: try probe(options, session),
                        progress: session.progress.work, stop: session.stop)
                    let model =
                        results.isEmpty
                        ? nil
                        : try GainModel(
                            try results.flatMap { box in
                                try box.result.proximityPoints(
                                    similarity, targets: box.result.targets, arms: nil,
                                    against: reference, general: nil, relative: true,
                                    stop: session.stop)
                            }, usesStart: !starts.isEmpty)
                    return RecommendationBox(
                        try Recommendation(
                            similarity, general: general.name, candidates: candidates.map(\.name),
                            target: target.name, weights: try options.numbers("weights"),
                            model: model, starts: starts, stop: session.stop))
                })
        }
    }

    /// The corpora and those that studies mixed or finetuned on.
    private static func union(_ corpora: [Corpus], _ results: [StudyResult]) throws -> [Corpus] {
        var all = corpora
        for arm in results.flatMap({ $0.rows.map(\.arm) }) {
            let names = Set(arm.recipe.phases.flatMap { $0.mixture.parts.map(\.name) })
            let used =
                names.sorted().compactMap { arm.recipe.corpora[$0] } + arm.finetuning.map(\.corpus)
            for corpus in used {
                guard let known = all.first(where: { $0.name == corpus.name }) else {
                    all.append(corpus)
                    continue
                }
                guard known === corpus else {
                    throw Mistake(
                        "results: a study has another corpus called '\(corpus.name)'; give them different names"
                    )
                }
            }
        }
        return all
    }

    /// A corpus' name, or weights by name.
    private static func mixture(_ fields: some Fields, _ name: String) throws -> Mixture {
        if case .string(let text)? = try fields.value(name) { return Mixture(only: text) }
        return try Mixture(try fields.weights(name))
    }

    private static func mixtureParameter(_ name: String, _ help: String) -> Parameter {
        Parameter(name, .either([.string, .map(.number(.weight))]), help)
    }

    private static func limits(_ interval: Interval) -> [(String, (any LuaConvertible)?)] {
        [("value", interval.value), ("low", interval.low), ("high", interval.high)]
    }

    private static func advantage(
        _ proximity: ProximityAdvantage, _ more: [(String, (any LuaConvertible)?)] = []
    ) -> Record {
        var fields = more + limits(proximity.advantage)
        fields.append(("mixed", proximity.mixed))
        fields.append(("general", proximity.general))
        return Record(fields)
    }

    private static var similarityType: ObjectType {
        ObjectType(
            "similarity", Similarity.self, "How alike some corpora are.",
            describe: { (try? $0.text()) ?? "similarity of \($0.names.count) corpora" },
            fields: [
                Field("names", "list of strings", "The corpora in order.") { $0.names },
                Field("metric", "string", "What is compared.") { $0.settings.metric.rawValue },
            ],
            methods: [
                Method(
                    "matrix", "The values of all pairs.",
                    returns:
                        "list of rows of tables with value, low and high (of the 95% interval)"
                ) { similarity, call in
                    let session = call.interpreter.session
                    let rows = try session.working { try similarity.matrix(stop: session.stop) }
                    try call.returns(
                        Record([], items: rows.map { row in row.map { Record(limits($0)) } }))
                },
                similarityPlotMethod,
                Method(
                    "value",
                    "The value of two corpora or mixtures. Of cross_entropy: bits a byte of the first under a model of the second.",
                    [
                        mixtureParameter("first", "A corpus' name, or weights by name."),
                        mixtureParameter("second", "A corpus' name, or weights by name."),
                    ], returns: "number, and a table with value, low and high"
                ) { similarity, call in
                    let session = call.interpreter.session
                    let value = try session.working {
                        try similarity.value(
                            try mixture(call, "first"), try mixture(call, "second"),
                            stop: session.stop)
                    }
                    try call.returns(value.value, Record(limits(value)))
                },
                Method(
                    "parts", "Cosine, Jaccard and Jensen–Shannon divergence of a pair.",
                    [
                        mixtureParameter("first", "A corpus' name, or weights by name."),
                        mixtureParameter("second", "A corpus' name, or weights by name."),
                    ], returns: "table with cosine, jaccard and divergence (nats)"
                ) { similarity, call in
                    let parts = try similarity.parts(
                        try mixture(call, "first"), try mixture(call, "second"))
                    try call.returns(
                        Record([
                            ("cosine", parts.cosine), ("jaccard", parts.jaccard),
                            ("divergence", parts.divergence),
                        ]))
                },
                Method(
                    "proximity",
                    "The proximity advantage of a mixture: similarity(mix, target) − similarity(general, target); of cross_entropy, the bits a byte that it saves. Positive is closer.",
                    [
                        .options([
                            mixtureParameter("mix", "A corpus' name, or weights by name."),
                            mixtureParameter("general", "What it is compared with."),
                            mixtureParameter("target", "What the model is meant for."),
                        ])
                    ],
                    returns:
                        "table with value, low and high (of the 95% interval), mixed and general (the two similarities)"
                ) { similarity, call in
                    let options = try call.options()
                    let session = call.interpreter.session
                    let found = try session.working {
                        try similarity.proximity(
                            of: [try mixture(options, "mix")],
                            general: try mixture(options, "general"),
                            target: try mixture(options, "target"), stop: session.stop)
                    }
                    try call.returns(advantage(found[0]))
                },
            ])
    }

    private static var recommendationType: ObjectType {
        ObjectType(
            "recommendation", RecommendationBox.self,
            "Mixtures ranked by proximity advantage, before anything is trained.",
            describe: { $0.recommendation.text() },
            methods: [
                Method(
                    "ranking", "The mixtures, the closest to the target first.",
                    returns:
                        "list of tables with candidate, weight, value, low and high (of the advantage), mixed, general, tied (with the first), start, predicted (gain: value, low, high)"
                ) { box, call in
                    try call.returns(
                        Record(
                            [],
                            items: box.recommendation.lines.map { line in
                                advantage(
                                    line.proximity,
                                    [
                                        ("candidate", line.candidate), ("weight", line.weight),
                                        ("tied", line.isTied), ("start", line.start),
                                        ("predicted", line.predicted.map { Record(limits($0)) }),
                                    ])
                            }))
                }
            ])
    }
}
