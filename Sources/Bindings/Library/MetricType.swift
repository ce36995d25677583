import Runtime

/// A measure of a researcher's own, as Lua holds it.
final class Metric: LuaObject {
    let measure: FunctionMeasure

    init(_ measure: FunctionMeasure) { self.measure = measure }
}

extension Library {
    static var metricType: ObjectType {
        ObjectType(
            "metric", Metric.self, "A measure of your own.",
            describe: { "metric \($0.measure.name), version \($0.measure.version)" },
            fields: [
                Field("name", "string", "The name of its column.") { $0.measure.name },
                Field("version", "string", "Which function of this name it is.") {
                    $0.measure.version
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
            let isName = name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_.\-]*/) != nil
            guard isName else {
                throw Mistake(
                    "name: letters, digits, _, . and - expected, as columns are called, got \"\(name)\""
                )
            }
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
