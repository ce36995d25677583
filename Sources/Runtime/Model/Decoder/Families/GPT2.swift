import RuntimeData

/// GPT-2: learned positions, layer norms, GELU, biases everywhere.
///
/// Radford et al. 2019.
public struct GPT2Configuration: DecoderConfiguration {
    /// What records and Lua call the family.
    public static let family = "gpt2"
    /// What people call it.
    public static let title = "GPT-2"
    /// The `model_type` of Hugging Face's configurations.
    public static let modelType = "gpt2"
    /// The class of transformers.
    public static let architecture = "GPT2LMHeadModel"
    /// Whether small models share keys and values.
    public static let sharesKeys = false
    /// What its files call the weights.
    public static let names = {
        var names = DecoderNames()
        (names.prefix, names.layers, names.finalNorm) = ("transformer.", "h.", "ln_f")
        (names.embedding, names.positions) = ("wte.weight", "wpe.weight")
        (names.attentionNorm, names.feedForwardNorm) = ("ln_1", "ln_2")
        (names.attention, names.dense) = (["attn.c_attn"], "attn.c_proj")
        (names.up, names.down) = (["mlp.c_fc"], "mlp.c_proj")
        return names
    }()
    /// What all its models have in common.
    public static let plain = {
        var shape = DecoderShape()
        (shape.norm, shape.function, shape.isGated) = (.layer, .gelu_tanh, false)
        (shape.attentionBias, shape.feedForwardBias) = (.all, true)
        shape.learnedPositions = 0
        shape.tiedEmbeddings = true
        shape.initialisation = .gpt2
        return shape
    }()
    /// What may be set.
    public static let choices: [DecoderChoice] = [.tied]

    /// The shape.
    public var shape: DecoderShape
    /// A model of the family.
    public init(_ shape: DecoderShape) { self.shape = shape }

    /// The four models.
    public static let published: [DecoderPreset] = [
        ("gpt2", 12, 768, 12), ("gpt2-medium", 24, 1024, 16), ("gpt2-large", 36, 1280, 20),
        ("gpt2-xl", 48, 1600, 25),
    ].map { name, layers, width, heads in
        DecoderPreset(
            name, of: plain, vocabulary: 50_257, context: 1024, layers: layers, width: width,
            heads: heads, feedForward: 4 * width)
    }

    /// The shape that a configuration describes.
    public static func read(_ file: DecoderFile) throws -> DecoderShape {
        var shape = plain
        let fields = file.file
        shape.vocabulary = try fields.integer("vocab_size", otherwise: 50_257)
        shape.context = try fields.integer("n_positions", otherwise: 1024)
        shape.learnedPositions = shape.context
        shape.layers = try fields.integer("n_layer", otherwise: 12)
        shape.width = try fields.integer("n_embd", otherwise: 768)
        shape.heads = try fields.integer("n_head", otherwise: 12)
        shape.feedForward =
            try file.integer(ifPresent: "n_inner") ?? Int.saturatingProduct(4, shape.width)
        shape.normEpsilon = try fields.number("layer_norm_epsilon") ?? 1e-5
        shape.tiedEmbeddings = try file.flag("tie_word_embeddings", otherwise: true)
        shape.function = try file.function("activation_function", otherwise: "gelu_new")
        try file.require("scale_attn_weights", .boolean(true))
        try file.require("scale_attn_by_inverse_layer_idx", .boolean(false))
        try file.require("add_cross_attention", .boolean(false))
        return shape
    }

    /// What a configuration says of the shape.
    public static func written(_ shape: DecoderShape) -> DecoderFields {
        var fields = DecoderFields()
        fields.set("n_positions", shape.positionRows)
        fields.set("n_layer", shape.layers)
        fields.set("n_embd", shape.width)
        fields.set("n_head", shape.heads)
        fields.set("n_inner", shape.feedForward)
        fields.set("layer_norm_epsilon", shape.normEpsilon)
        fields["activation_function"] = .string(
            shape.function == .gelu_tanh ? "gelu_new" : shape.function.fileName)
        for name in ["attn_pdrop", "embd_pdrop", "resid_pdrop"] { fields[name] = .number(0) }
        return fields
    }

    /// The names of a parameter: the first files had no prefix.
    public static func storedNames(_ name: String) -> [String] {
        name.hasPrefix(names.prefix)
            ? [name, String(name.dropFirst(names.prefix.count))] : [name]
    }

    /// Whether files have a matrix as `[inputs, outputs]`.
    public static func isTransposed(_ name: String) -> Bool {
        name.contains(".c_") && name.hasSuffix(".weight")
    }

    /// Whether a tensor is one of those that are stored but not trained: masks, the head of tied models.
    public func ignores(_ name: String) -> Bool {
        name.hasSuffix(".attn.bias") || name.hasSuffix(".attn.masked_bias")
            || (shape.tiedEmbeddings && name == Self.names.head)
    }
}
