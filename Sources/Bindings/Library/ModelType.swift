import Runtime

/// A model's shape with the tokenizer it is for, and the weights that it starts from if they are given.
final class ModelShape: LuaObject {
    let name: String
    let configuration: any ModelConfiguration
    let weights: PretrainedModel?
    let tokenizer: Tokenizer

    init(
        name: String, configuration: any ModelConfiguration, weights: PretrainedModel? = nil,
        tokenizer: Tokenizer
    ) {
        self.weights = weights
        self.name = name
        self.configuration = configuration
        self.tokenizer = tokenizer
    }
}

extension Library {
    static var models: Library {
        Library(
            functions: ModelFamilies.all.map { constructor($0) } + [pretrained], types: [modelType])
    }

    /// The function that makes the shapes of a family.
    private static func constructor<Family: ModelConfiguration>(_: Family.Type) -> Function {
        Function(
            Family.family,
            "The shape of a \(Family.title) model: a preset, with any field changed. The vocabulary is the tokenizer's.",
            [
                .choice(
                    "preset", Family.presetNames, "Where layers, width and heads come from."),
                .options(
                    [
                        .object("tokenizer", "tokenizer", "What its text is tokenised with."),
                        .integer(
                            "context", "Tokens it sees at a time; default: the preset's.", .size,
                            in: 1...1 << 20
                        ).optional,
                        .integer(
                            "vocabulary", "Rows of the embedding; default: the tokenizer's size.",
                            .size, in: 1...1 << 24
                        ).optional,
                    ] + Family.settings.map { Parameter($0.description).optional }),
            ],
            returns: "model",
            example: """
                local prose = mt.corpus { "prose", embedded = "prose", bytes = 100000 }
                local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 512 }
                print(mt.\(Family.family)("\(Family.presetNames[0])", { tokenizer = tokens, context = 64 }).parameters)
                """
        ) { call in
            let name = try call.string("preset")
            let options = try call.options()
            let tokenizer: Tokenizer = try options.object("tokenizer")
            var shape = try Family.preset(name)
            shape.vocabulary =
                try options.integer(ifPresent: "vocabulary") ?? tokenizer.vocabularySize
            shape.context = try options.integer(ifPresent: "context") ?? shape.context
            shape = try shape.changed(by: options)
            try shape.validate()
            guard shape.vocabulary >= tokenizer.vocabularySize else {
                throw Mistake(
                    "vocabulary: expected at least the tokenizer's \(tokenizer.vocabularySize), got \(shape.vocabulary)"
                )
            }
            try call.returns(ModelShape(name: name, configuration: shape, tokenizer: tokenizer))
        }
    }

    private static var pretrained: Function {
        Function(
            "pretrained",
            "A model with its weights, from a Hugging Face folder of a family that mtrepl has (\(ModelFamilies.all.map { $0.title }.joined(separator: ", "))): config.json and model.safetensors or its shards. A recipe with it starts from these weights instead of fresh ones.",
            [
                .path("folder", "Where the files are."),
                .options([
                    .object(
                        "tokenizer", "tokenizer",
                        "What text is tokenised with; default: the folder's tokenizer.json, or its vocab.json and merges.txt."
                    ).optional,
                    .integer(
                        "context", "Tokens it sees at a time; default: the folder's.", .size,
                        in: 1...1 << 20
                    ).optional,
                ]).optional,
            ],
            returns: "model",
            example: """
                local prose = mt.corpus { "prose", embedded = "prose", bytes = 100000 }
                local tokens = mt.tokenizer { train_on = { prose }, vocabulary = 512 }
                local shape = mt.neox("micro-0.1m", { tokenizer = tokens, context = 64 })
                local folder = os.tmpname() .. ".model"
                shape:initialise({ seed = 1 }):export(folder)
                print(mt.pretrained(folder, { context = 32 }))
                """
        ) { call in
            let folder = try call.string("folder")
            let options = try call.options()
            let session = call.interpreter.session
            let weights = try session.working {
                try PretrainedModel(folder, stop: session.stop)
            }
            let given = try options.object(ifPresent: "tokenizer", as: Tokenizer.self)
            let tokenizer = try given ?? weights.tokenizer()
            if given == nil {
                for notice in tokenizer.notices {
                    session.progress.work(WorkProgress(notice: "\(folder): \(notice)"))
                }
            }
            var shape = weights.configuration
            shape.context = try options.integer(ifPresent: "context") ?? shape.context
            guard shape.vocabulary >= tokenizer.vocabularySize else {
                throw Mistake(
                    "tokenizer: expected at most the \(shape.vocabulary) tokens of the model, got \(tokenizer.vocabularySize)"
                )
            }
            try call.returns(
                ModelShape(
                    name: folder, configuration: shape, weights: weights, tokenizer: tokenizer))
        }
    }

    private static var modelType: ObjectType {
        ObjectType(
            "model", ModelShape.self,
            "The shape of a model, and of `mt.pretrained` its weights; a recipe trains one.",
            describe: { model in
                let shape = model.configuration
                return
                    "model \(model.name): \(shape.layers) layers, width \(shape.width), \(shape.heads) heads, "
                    + "context \(shape.context), vocabulary \(shape.vocabulary), \(shape.parameterCount) parameters"
                    + (model.weights.map { ", weights \($0.digest.short)" } ?? "")
            },
            show: { model, display in
                let shape = model.configuration
                return Card(
                    "model \(model.name)",
                    [
                        ("parameters", "\(shape.parameterCount)"),
                        (
                            "shape",
                            "\(shape.layers) layers, width \(shape.width), \(shape.heads) heads, context \(shape.context)"
                        ),
                        ("vocabulary", "\(shape.vocabulary)"),
                        ("weights", model.weights.map { $0.digest.short } ?? "fresh, by the seed"),
                    ]
                ).output(display)
            },
            fields: [
                Field("parameters", "integer", "Trained numbers.") {
                    $0.configuration.parameterCount
                },
                Field("vocabulary", "integer", "Rows of the embedding.") {
                    $0.configuration.vocabulary
                },
                Field("context", "integer", "Tokens it sees at a time.") {
                    $0.configuration.context
                },
                Field("layers", "integer", "Blocks.") { $0.configuration.layers },
                Field("width", "integer", "Size of the residual stream.") {
                    $0.configuration.width
                },
                Field("heads", "integer", "Attention heads.") { $0.configuration.heads },
                Field(
                    "weights", "string",
                    "SHA-256 of the weights that it starts from; nil if they are fresh."
                ) { $0.weights?.digest.hex },
                Field("tokenizer", "tokenizer", "What its text is tokenised with.") {
                    $0.tokenizer
                },
            ], methods: [modelNetworkMethod])
    }
}
