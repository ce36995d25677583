import RuntimeData

/// Gemma 2: norms before and behind, a window in every other layer, capped scores.
///
/// Gemma Team 2024, arXiv 2408.00118.
public struct Gemma2Configuration: DecoderConfiguration {
    /// What records and Lua call the family.
    public static let family = "gemma2"
    /// What people call it.
    public static let title = "Gemma 2"
    /// The `model_type` of Hugging Face's configurations.
    public static let modelType = "gemma2"
    /// The class of transformers.
    public static let architecture = "Gemma2ForCausalLM"
    /// Whether small models share keys and values.
    public static let sharesKeys = true
    /// What its files call the weights.
    public static let names = DecoderNames.gemma
    /// What all its models have in common.
    public static let plain = {
        var shape = DecoderShape.gemma
        (shape.window, shape.fullAttentionEvery) = (4096, 2)
        (shape.attentionCap, shape.logitCap) = (50, 30)
        return shape
    }()
    /// What may be set.
    public static let choices: [DecoderChoice] = [.rotaryBase, .window, .tied]

    /// The shape.
    public var shape: DecoderShape
    /// A model of the family.
    public init(_ shape: DecoderShape) { self.shape = shape }

    /// The smallest model.
    public static let published: [DecoderPreset] = [
        DecoderPreset(
            "gemma-2-2b", of: plain, vocabulary: 256_000, context: 8192, layers: 26, width: 2304,
            heads: 8, groups: 4, feedForward: 9216
        ) { ($0.headSize, $0.queryScalar) = (256, 256) }
    ]

    /// The shape that a configuration describes.
    public static func read(_ file: DecoderFile) throws -> DecoderShape {
        var shape = plain
        try file.gemma(&shape, context: 8192)
        try file.rotary(&shape)
        shape.attentionCap =
            file.has("attn_logit_softcapping")
            ? try file.file.number("attn_logit_softcapping") : 50
        shape.logitCap =
            file.has("final_logit_softcapping")
            ? try file.file.number("final_logit_softcapping") : 30
        shape.fullAttentionEvery = try file.fullAttentionEvery(shape.layers, otherwise: 2)
        return shape
    }

    /// What a configuration says of the shape.
    public static func written(_ shape: DecoderShape) -> DecoderFields {
        var fields = DecoderFields(gemma: shape)
        fields.setRotary(shape)
        fields.set("attn_logit_softcapping", shape.attentionCap)
        fields.set("final_logit_softcapping", shape.logitCap)
        return fields
    }
}

/// Gemma 3 for text: norms of queries and keys, a window in five of six layers.
///
/// Gemma Team 2025, arXiv 2503.19786.
public struct Gemma3Configuration: DecoderConfiguration {
    /// What records and Lua call the family.
    public static let family = "gemma3"
    /// What people call it.
    public static let title = "Gemma 3"
    /// The `model_type` of Hugging Face's configurations.
    public static let modelType = "gemma3_text"
    /// The class of transformers.
    public static let architecture = "Gemma3ForCausalLM"
    /// Whether small models share keys and values.
    public static let sharesKeys = true
    /// What its files call the weights.
    public static let names = DecoderNames.gemma
    /// What all its models have in common.
    public static let plain = {
        var shape = DecoderShape.gemma
        shape.queryKeyNorm = .head
        (shape.window, shape.fullAttentionEvery) = (512, 6)
        (shape.rotaryBase, shape.windowRotaryBase) = (1_000_000, 10_000)
        return shape
    }()
    /// What may be set.
    public static let choices: [DecoderChoice] = [.rotaryBase, .window, .tied]

    /// The shape.
    public var shape: DecoderShape
    /// A model of the family.
    public init(_ shape: DecoderShape) { self.shape = shape }

    /// The models for text alone.
    public static let published: [DecoderPreset] = [
        DecoderPreset(
            "gemma-3-270m", of: plain, vocabulary: 262_144, context: 32_768, layers: 18,
            width: 640, heads: 4, groups: 1, feedForward: 2048
        ) { ($0.headSize, $0.queryScalar) = (256, 256) },
        DecoderPreset(
            "gemma-3-1b", of: plain, vocabulary: 262_144, context: 32_768, layers: 26,
            width: 1152, heads: 4, groups: 1, feedForward: 6912
        ) { ($0.headSize, $0.queryScalar) = (256, 256) },
    ]

    /// The shape that a configuration describes.
    public static func read(_ file: DecoderFile) throws -> DecoderShape {
        var shape = plain
        shape.window = 4096
        try file.gemma(&shape, context: 131_072)
        for name in ["attn_logit_softcapping", "final_logit_softcapping"] { try file.require(name) }
        try file.gemma3Rotary(&shape)
        let pattern = try file.integer(ifPresent: "sliding_window_pattern")
        shape.fullAttentionEvery = try file.fullAttentionEvery(
            shape.layers,
            otherwise: try pattern
                ?? file.integer(ifPresent: "_sliding_window_pattern") ?? 6)
        return shape
    }

    /// What a configuration says of the shape.
    public static func written(_ shape: DecoderShape) -> DecoderFields {
        var fields = DecoderFields(gemma: shape)
        fields.setRotary(shape)
        fields.set("rope_local_base_freq", shape.windowRotaryBase)
        fields.set("sliding_window_pattern", shape.fullAttentionEvery)
        return fields
    }
}

extension DecoderNames {
    fileprivate static let gemma = {
        var names = DecoderNames()
        names.feedForwardNorm = "pre_feedforward_layernorm"
        return names
    }()
}

extension DecoderShape {
    fileprivate static let gemma = {
        var shape = DecoderShape()
        (shape.normPlace, shape.gainsLessOne, shape.normEpsilon) = (.both, true, 1e-6)
        (shape.function, shape.scaledEmbedding, shape.tiedEmbeddings) = (.gelu_tanh, true, true)
        return shape
    }()
}

extension DecoderFile {
    fileprivate func gemma(_ shape: inout DecoderShape, context: Int) throws {
        (shape.headSize, shape.keyValueHeads) = (256, 4)
        try sizes(&shape, context: context)
        shape.function = try function("hidden_activation", otherwise: "gelu_pytorch_tanh")
        shape.queryScalar = try file.number("query_pre_attn_scalar") ?? 256
        if shape.queryScalar == Double(shape.size) { shape.queryScalar = nil }
        if has("sliding_window") { shape.window = try integer(ifPresent: "sliding_window") }
        try require("attention_bias", .boolean(false))
        try require("use_bidirectional_attention", .boolean(false))
    }

    /// Every which layer sees all positions: of `layer_types`, where it is there.
    fileprivate func fullAttentionEvery(_ layers: Int, otherwise standard: Int) throws -> Int {
        guard standard > 0 else {
            throw file.fail(
                "sliding_window_pattern", expected: "a positive whole number",
                found: .number(Double(standard)))
        }
        guard let types = file["layer_types"]?.array else { return standard }
        func fits(_ every: Int) -> Bool {
            types.count == layers
                && types.enumerated().allSatisfy {
                    $1.string
                        == (($0 + 1) % every == 0 ? "full_attention" : "sliding_attention")
                }
        }
        let first = types.firstIndex { $0.string == "full_attention" }.map { $0 + 1 }
        // Without a full layer, any number beyond the layers says so.
        let every = first ?? max(standard, layers + 1)
        guard fits(every) else {
            throw file.fail(
                "layer_types",
                expected: "\"full_attention\" in every so many of \(layers) layers and "
                    + "\"sliding_attention\" in the others")
        }
        return every <= layers ? every : (fits(standard) ? standard : every)
    }

    /// Newer files have an object for each kind of layer, older ones a base for those with a window.
    fileprivate func gemma3Rotary(_ shape: inout DecoderShape) throws {
        guard let kinds = file["rope_parameters"], kinds["full_attention"] != nil else {
            try rotary(&shape)
            shape.windowRotaryBase = try file.number("rope_local_base_freq") ?? 10_000
            return
        }
        for (name, value) in [
            ("full_attention", kinds["full_attention"]),
            ("sliding_attention", kinds["sliding_attention"]),
        ] {
            let key = "rope_parameters.\(name)"
            guard let value else { throw file.fail(key, expected: "an object", found: nil) }
            let base = try file.number(value["rope_theta"], "\(key).rope_theta")
            let scaling = try scaling(value, key, shape)
            if name == "full_attention" {
                (shape.rotaryBase, shape.rotaryScaling) = (base ?? 1_000_000, scaling)
            } else {
                shape.windowRotaryBase = base ?? 10_000
                guard scaling == nil else {
                    throw file.fail(
                        "\(key).rope_type", expected: "\"default\"", found: value["rope_type"])
                }
            }
        }
    }
}

extension DecoderFields {
    fileprivate init(gemma shape: DecoderShape) {
        self.init(sizesOf: shape)
        self["hidden_act"] = nil
        self["hidden_activation"] = .string(shape.function.fileName)
        set("head_dim", shape.size)
        set("query_pre_attn_scalar", shape.queryScalar ?? Double(shape.size))
        set("sliding_window", shape.window)
        self["attention_bias"] = .boolean(false)
        let every = shape.fullAttentionEvery ?? (shape.layers + 1)
        self["layer_types"] = .array(
            (0..<shape.layers).map {
                .string(($0 + 1) % every == 0 ? "full_attention" : "sliding_attention")
            })
    }
}
