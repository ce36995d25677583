import Runtime

/// A model's weights at one state, copied so that training goes on without changing them.
final class Network: LuaObject {
    let model: NeoX
    let tokenizer: Tokenizer
    let origin: String

    init(_ model: NeoX, _ tokenizer: Tokenizer, origin: String) {
        self.model = model
        self.tokenizer = tokenizer
        self.origin = origin
    }
}

extension Library {
    static var networks: Library { Library(types: [networkType]) }

    /// What a run can do to show the weights of its present state.
    static var runNetworkMethod: Method<RunBox> {
        Method(
            "model", "The weights of the present state; a copy, which later training leaves alone.",
            returns: "network",
            example: """
                local prose = mt.corpus { "prose", embedded = "prose", bytes = 200000 }
                local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 512 }
                local run = mt.recipe {
                  model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }),
                  steps = 2, batch = 2, mixture = { prose = 1 },
                }:run()
                print(run:model():parameter("gpt_neox.embed_in.weight"):std())
                """
        ) { box, call in
            try call.returns(
                Network(
                    try NeoX(copying: try box.run.model()), box.run.trajectory.recipe.tokenizer,
                    origin: "run \(box.run.name) at step \(box.run.step)"))
        }
    }

    /// What a model's shape can do to make weights.
    static var modelNetworkMethod: Method<ModelShape> {
        Method(
            "initialise", "Fresh weights, as a recipe with this seed starts from.",
            [.options([.integer("seed", "Default: the session's.", in: 0...).optional]).optional],
            returns: "network",
            example: """
                local prose = mt.corpus { "prose", embedded = "prose", bytes = 100000 }
                local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 512 }
                local shape = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 })
                print(shape:initialise({ seed = 1 }):logits(tokens:encode("hello"))[-1]:softmax():topk(3))
                """
        ) { shape, call in
            let seed =
                try call.options().integer(ifPresent: "seed").map { UInt64($0) }
                ?? call.interpreter.session.seed
            try call.returns(
                Network(
                    try NeoX(shape.configuration, seed: seed), shape.tokenizer,
                    origin: "\(shape.name) with fresh weights of seed \(seed)"))
        }
    }

    private static var ids: Parameter {
        .positions(
            "ids",
            "Token ids as `tokenizer:encode` gives them: a list, or lists of equal lengths for a batch; at most `context` each."
        )
    }

    /// Ids as rows, and the shape to give to results.
    private static func batch(_ network: Network, _ call: Call) throws -> (
        ids: [Int32], rows: Int, shape: [Int]
    ) {
        let (ids, shape) = try call.ids("ids", 0..<network.model.configuration.vocabulary)
        guard !ids.isEmpty, shape.count == 1 || shape.count == 2 else {
            throw call.mistake(
                "ids", "a list of ids, or lists of equal lengths, expected, got the shape \(shape)")
        }
        return (ids, shape.count == 2 ? shape[0] : 1, shape)
    }

    private static var networkType: ObjectType {
        ObjectType(
            "network", Network.self,
            "The weights of a GPT-NeoX model at one state, to look inside; they never change.",
            describe: { "network of \($0.origin): \($0.model.parameters.count) parameters" },
            fields: [
                Field("parameters", "integer", "Trained numbers.") { $0.model.parameters.count },
                Field("vocabulary", "integer", "Rows of the embedding.") {
                    $0.model.configuration.vocabulary
                },
                Field("context", "integer", "Tokens it sees at a time.") {
                    $0.model.configuration.context
                },
                Field("layers", "integer", "Blocks.") { $0.model.configuration.layers },
                Field("width", "integer", "Size of the residual stream.") {
                    $0.model.configuration.width
                },
                Field("tokenizer", "tokenizer", "What its text is tokenised with.") {
                    $0.tokenizer
                },
            ],
            methods: [
                Method(
                    "parameter_names", "What its parameters are called, as by Hugging Face.",
                    returns: "list of strings"
                ) { network, call in
                    try call.returns(network.model.parameters.ranges.map(\.name))
                },
                Method(
                    "parameter", "One of its parameters; matrices are [outputs, inputs].",
                    [.string("name", "A name, such as \"gpt_neox.embed_in.weight\".")],
                    returns: "tensor"
                ) { network, call in
                    let name = try call.string("name")
                    let names = network.model.parameters.ranges.map(\.name)
                    guard names.contains(name) else {
                        throw call.mistake(
                            "name",
                            "no parameter is called '\(name)'\(Nearest.hint(name, among: names))")
                    }
                    try call.returns(try network.model.parameters.tensor(named: name))
                },
                Method(
                    "logits", "Scores of the next token at every position, without gradient.",
                    [ids],
                    returns: "tensor [columns, vocabulary], or [rows, columns, vocabulary]"
                ) { network, call in
                    let (ids, rows, shape) = try batch(network, call)
                    try call.returns {
                        let logits = try network.model.logits(ids, rows: rows)
                        return shape.count == 2 ? logits : try logits.squeezed(axis: 0)
                    }
                },
                Method(
                    "hidden_states",
                    "The residual stream before each block and after the last, and then the final norm's output, without gradient.",
                    [ids],
                    returns:
                        "list of `layers + 2` tensors [columns, width], or [rows, columns, width]"
                ) { network, call in
                    let (ids, rows, shape) = try batch(network, call)
                    let states = try network.model.hiddenStates(ids, rows: rows)
                    try call.returns(
                        shape.count == 2 ? states : try states.map { try $0.squeezed(axis: 0) })
                },
            ], closable: true)
    }
}
