import Runtime

/// A measure of a researcher's own, as Lua holds it.
final class Metric: LuaObject {
    let measure: any Measure

    init(_ measure: any Measure) { self.measure = measure }
}

extension Library {
    static var metricType: ObjectType {
        ObjectType(
            "metric", Metric.self, "A measure of your own.",
            describe: { metric in
                "metric \(metric.measure.name)"
                    + ((metric.measure as? FunctionMeasure).map { ", version \($0.version)" } ?? "")
            },
            fields: [
                Field("name", "string", "The name of its column.") { $0.measure.name },
                Field(
                    "version", "string",
                    "Which function of this name it is; empty of those that are built in."
                ) {
                    ($0.measure as? FunctionMeasure)?.version ?? ""
                },
            ])
    }

    static var metric: Function {
        Function(
            "metric",
            "A measure of your own: a function from a network to a number, for the `metrics` of a study. What it returned for a state is kept in the store under its name and version, so give it another version whenever you change what it computes.",
            [
                .options([
                    .string("name", "The name of its column in results.").item,
                    .any(
                        "version", "Which function of this name it is: a string or an integer."),
                    .function(
                        "evaluate",
                        "Called with the network of a state; returns a finite number (or a tensor of one), the same for the same weights whenever it is called."
                    ),
                    .string("unit", "What figures and reports write behind the name.").or(""),
                    .choice("better", ["lower", "higher"], "Which way is better, if either is.")
                        .optional,
                ])
            ],
            returns: "metric",
            example: """
                local prose = mt.corpus { "prose", embedded = "prose", bytes = 120000, valid_fraction = 0.1 }
                local tokens = mt.tokenizer { train_on = prose, vocabulary = 300 }
                local base = mt.recipe {
                  model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32, layers = 1, width = 16, heads = 2 }),
                  steps = 4, batch = 4, mixture = { prose = 1 },
                }
                local spread = mt.metric { "spread", version = 1, better = "lower",
                  evaluate = function(network) return network:parameter("gpt_neox.embed_in.weight"):std() end }
                local result = mt.study { arms = mt.grid { rate = { 1e-3, 3e-3 }, seed = { 1, 2 } },
                  recipe = function(arm)
                    return base:with { seed = arm.seed, optimizer = { learning_rate = arm.rate } }
                  end,
                  metrics = { spread },
                }:run()
                print(result:table { rows = "rate", columns = "arm", value = "spread" })
                """
        ) { call in
            let options = try call.options()
            let name = try options.string("name")
            try checkColumn(name)
            let version: String
            switch try options.value("version") {
            case .integer(let number)?: version = "\(number)"
            case .string(let text)? where !text.isEmpty: version = text
            case let other:
                throw Mistake(
                    "version: string or integer expected, got \(other?.summary ?? "nothing")")
            }
            let function = try options.function("evaluate")
            try call.returns(
                Metric(
                    FunctionMeasure(
                        name: name, version: version, unit: try options.string("unit"),
                        better: try options.string(ifPresent: "better").flatMap(
                            MeasureColumn.Better.init)
                    ) { model, tokenizer in
                        let network = Network(
                            try model.copy(), tokenizer, origin: "a state that \(name) measures")
                        return try number(function.call(network).first)
                    }))
        }
    }

    private static let metricExample = """
        local prose = mt.corpus { "prose", embedded = "prose", bytes = 120000, valid_fraction = 0.1 }
        local tokens = mt.tokenizer { train_on = prose, vocabulary = 300 }
        local base = mt.recipe {
          model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32, layers = 1, width = 16, heads = 2 }),
          steps = 4, batch = 4, mixture = { prose = 1 },
        }

        """

    static var bitsPerByte: Function {
        Function(
            "bits_per_byte",
            "A measure for the `metrics` of a study: the loss on a corpus for each byte of its text, or of its gold answers where it has prompts, which tokenizers do not change. Its column is called CORPUS_bits.",
            [
                .object("corpus", "corpus", "What to read."),
                .options([
                    .choice("split", Split.allCases.map(\.rawValue), "Which part.").or("test"),
                    .integer("limit", "Windows or examples at most; default: all.", .count.positive)
                        .optional,
                ]).optional,
            ], returns: "metric",
            example: metricExample + """
                local result = mt.study {
                  arms = mt.grid { seed = { 1, 2 } }, recipe = function(arm) return base:with { seed = arm.seed } end,
                  metrics = { mt.bits_per_byte(prose, { limit = 4 }) },
                }:run()
                print(result:rows()[1].prose_bits)
                """
        ) { call in
            let options = try call.options()
            try call.returns(Metric(BitsPerByte(try set(call.object("corpus"), options, .test))))
        }
    }

    private static func set(_ corpus: Corpus, _ options: Options, _ standard: Split) throws
        -> EvaluationSet
    {
        EvaluationSet(
            corpus, Split(rawValue: try options.string("split")) ?? standard,
            limit: try options.integer(ifPresent: "limit"))
    }

    static var norm: Function {
        Function(
            "norm",
            "A measure for the `metrics` of a study: how large weights, gradients or activations are, by tensor. Of weights and gradients the Euclidean norm over all tensors whose names match; of activations the root mean square of the residual stream after a layer.",
            [
                .options([
                    .string("name", "The name of its column in results.").item,
                    .choice("of", ["weights", "gradients", "activations"], "What is measured.").or(
                        "weights"),
                    .string(
                        "tensors",
                        "A name, as `network:parameter_names` lists them, or a pattern in which * stands for any characters."
                    ).or("*"),
                    .integer(
                        "layer",
                        "Of activations: 0 after the embedding, 1 … after the blocks, one more after the final norm.",
                        .count
                    ).optional,
                    .object(
                        "corpus", "corpus",
                        "Of gradients, what the mean loss is on; of activations, what is read."
                    ).optional,
                    .choice("split", Split.allCases.map(\.rawValue), "Which part of it.").or(
                        "valid"),
                    .integer("limit", "Windows or examples at most; default: all.", .count.positive)
                        .optional,
                ])
            ], returns: "metric",
            example: metricExample + """
                local result = mt.study {
                  arms = mt.grid { seed = { 1, 2 } }, recipe = function(arm) return base:with { seed = arm.seed } end,
                  metrics = {
                    mt.norm { "embedding", tensors = "*embed_in*" },
                    mt.norm { "gradient", of = "gradients", corpus = prose, limit = 2 },
                    mt.norm { "stream", of = "activations", layer = 1, corpus = prose, limit = 2 },
                  },
                }:run()
                print(result:select { "seed", "embedding", "gradient", "stream" })
                """
        ) { call in
            let options = try call.options()
            let name = try options.string("name")
            try checkColumn(name)
            let subject = try options.string("of")
            let corpus: Corpus? = try options.object(ifPresent: "corpus")
            let layer = try options.integer(ifPresent: "layer")
            let pattern = try options.string("tensors")
            guard (subject == "activations") == (layer != nil) else {
                throw call.mistake(
                    "options",
                    "layer: \(layer == nil ? "an integer expected" : "nothing expected") of \(subject)"
                )
            }
            guard (subject == "weights") == (corpus == nil) else {
                throw call.mistake(
                    "options",
                    "corpus: \(corpus == nil ? "a corpus" : "nothing") expected of \(subject)")
            }
            guard let corpus else {
                return try call.returns(Metric(NormMeasure(name: name, .weights(pattern))))
            }
            let set = try set(corpus, options, .valid)
            try call.returns(
                Metric(
                    NormMeasure(
                        name: name,
                        layer.map { .activations(layer: $0, set) } ?? .gradients(pattern, set))))
        }
    }

    /// Refuses names that columns of results are not called.
    private static func checkColumn(_ name: String) throws {
        guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_.\-]*/) != nil else {
            throw Mistake(
                "name: letters, digits, _, . and - expected, as columns are called, got \"\(name)\""
            )
        }
    }

    /// A number, also as a tensor of one.
    private static func number(_ value: Value?) throws -> Double {
        if let number = value?.numberValue { return number }
        if case .object(let reference)? = value, let tensor = reference.get(Tensor.self),
            tensor.count == 1
        {
            return Double(try tensor.item())
        }
        throw Mistake("number expected from evaluate, got \(value?.summary ?? "nothing")")
    }
}
