import Runtime

/// A model's weights at one state, copied so that training goes on without changing them.
final class Network: LuaObject {
    let model: any LanguageModel
    let tokenizer: Tokenizer
    let origin: String

    init(_ model: any LanguageModel, _ tokenizer: Tokenizer, origin: String) {
        self.model = model
        self.tokenizer = tokenizer
        self.origin = origin
    }

    /// Refuses a name that no parameter has.
    func check(_ name: String, _ call: Call, _ argument: String, _ place: String = "") throws {
        let names = model.parameters.ranges.map(\.name)
        guard names.contains(name) else {
            throw call.mistake(
                argument,
                "\(place)no parameter is called '\(name)'\(NearestName.hint(name, among: names, listing: true))"
            )
        }
    }
}

extension Fields {
    /// Tensors by name, if given.
    fileprivate func tensors(ifPresent name: String) throws -> [String: Tensor]? {
        try table(ifPresent: name).map { table in
            try Dictionary(
                uniqueKeysWithValues: table.fields.map { key, value in
                    guard case .object(let reference) = value,
                        let tensor = reference.get(Tensor.self)
                    else { throw UnknownName(name: name) }
                    return (key, tensor)
                })
        }
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
                    try box.run.model().copy(), box.run.trajectory.recipe.tokenizer,
                    origin: "run \(box.run.name) at step \(box.run.step)"))
        }
    }

    /// What a model's shape can do to make weights.
    static var modelNetworkMethod: Method<ModelShape> {
        Method(
            "initialise",
            "The weights that a recipe starts from: of `mt.pretrained` its own, otherwise fresh ones of a seed.",
            [
                .options([
                    .integer("seed", "Default: the session's.", .seed).optional,
                    .choice(
                        "precision", Precision.allCases.map(\.rawValue),
                        "Arithmetic of matrix products."
                    ).or("float32"),
                ]).optional
            ],
            returns: "network",
            example: """
                local prose = mt.corpus { "prose", embedded = "prose", bytes = 100000 }
                local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 512 }
                local shape = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 })
                print(shape:initialise({ seed = 1 }):logits(tokens:encode("hello"))[-1]:softmax():topk(3))
                """
        ) { shape, call in
            let options = try call.options()
            let precision = Precision(rawValue: try options.string("precision")) ?? .float32
            if let weights = shape.weights {
                let stop = call.interpreter.session.stop
                let model = try weights.model(
                    shape.configuration, precision: precision, stop: stop)
                return try call.returns(
                    Network(model, shape.tokenizer, origin: "\(shape.name), as it is stored"))
            }
            let seed =
                try options.integer(ifPresent: "seed").map { UInt64($0) }
                ?? call.interpreter.session.seed
            try call.returns(
                Network(
                    try shape.configuration.model(seed: seed, precision: precision),
                    shape.tokenizer,
                    origin: "\(shape.name) with fresh weights of seed \(seed)"))
        }
    }

    private static var ids: Parameter {
        .positions(
            "ids",
            "Token ids as `tokenizer:encode` gives them: a list, or lists of equal lengths for a batch; at most `context` each."
        )
    }

    private static var replacement: Parameter {
        .options([
            Parameter(
                "replace", .map(.object(["tensor"])),
                "Tensors in place of parameters, by name and of the same shapes: changed ones, or leaves whose gradients are wanted.",
                isOptional: true)
        ]).optional
    }

    /// What a forward pass reads.
    private struct Batch {
        let ids: [Int32]
        let rows: Int
        let isFlat: Bool
        let replacing: [String: Tensor]?

        init(_ network: Network, _ call: Call) throws {
            let (ids, shape) = try call.ids("ids", 0..<network.model.configuration.vocabulary)
            guard !ids.isEmpty, shape.count == 1 || shape.count == 2 else {
                throw call.mistake(
                    "ids",
                    "a list of ids, or lists of equal lengths, expected, got the shape \(shape)")
            }
            self.ids = ids
            isFlat = shape.count == 1
            rows = isFlat ? 1 : shape[0]
            replacing = try call.options().tensors(ifPresent: "replace")
            for name in (replacing ?? [:]).keys.sorted() {
                try network.check(name, call, "options", "replace: ")
            }
        }

        func flattened(_ tensor: Tensor) throws -> Tensor {
            isFlat ? try tensor.squeezed(axis: 0) : tensor
        }
    }

    private static var networkType: ObjectType {
        ObjectType(
            "network", Network.self,
            "The weights of a model at one state, to look inside; they never change.",
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
                    try network.check(name, call, "name")
                    try call.returns(try network.model.parameters.tensor(named: name))
                },
                Method(
                    "logits", "Scores of the next token at every position.", [ids, replacement],
                    returns: "tensor [columns, vocabulary], or [rows, columns, vocabulary]",
                    example: """
                        local prose = mt.corpus { "prose", embedded = "prose", bytes = 100000 }
                        local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 512 }
                        local network = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }):initialise()
                        local name, ids = "gpt_neox.embed_in.weight", tokens:encode("the house")
                        local leaf = network:parameter(name):requires_grad()
                        local logits = network:logits(ids, { replace = { [name] = leaf } })
                        logits:slice(1, -2):cross_entropy(mt.tensor(ids):slice(2)):backward()
                        print(leaf.grad:norm())
                        """
                ) { network, call in
                    let batch = try Batch(network, call)
                    try call.returns {
                        guard let replacing = batch.replacing else {
                            return try batch.flattened(
                                try network.model.logits(batch.ids, rows: batch.rows))
                        }
                        return try batch.flattened(
                            try network.model.logits(
                                batch.ids, rows: batch.rows, replacing: replacing))
                    }
                },
                Method(
                    "export", exportHelp, exportParameters
                ) { network, call in
                    let (storage, shardBytes) = try exportOptions(call)
                    try ModelExport.write(
                        try call.string("folder"), network.model.configuration,
                        network.model.parameters, network.tokenizer, storage: storage,
                        shardBytes: shardBytes, stop: call.interpreter.session.stop)
                },
                networkScoreMethod,
                Method(
                    "hidden_states",
                    "The residual stream before each block and after the last, and then the final norm's output.",
                    [ids, replacement],
                    returns:
                        "list of `layers + 2` tensors [columns, width], or [rows, columns, width]"
                ) { network, call in
                    let batch = try Batch(network, call)
                    let states = try Parallel.stoppable(
                        call.interpreter.session.stop, "interrupted in hidden_states"
                    ) {
                        if let replacing = batch.replacing {
                            try network.model.hiddenStates(
                                batch.ids, rows: batch.rows, replacing: replacing)
                        } else {
                            try network.model.hiddenStates(batch.ids, rows: batch.rows)
                        }
                    }
                    try call.returns(try states.map(batch.flattened))
                },
            ], closable: true)
    }
}
