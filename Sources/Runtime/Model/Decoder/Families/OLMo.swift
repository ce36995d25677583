import RuntimeData

/// OLMo 1: layer norms without weights.
///
/// Groeneveld et al. 2024, arXiv 2402.00838.
public struct OLMoConfiguration: DecoderConfiguration {
    /// What records and Lua call the family.
    public static let family = "olmo"
    /// What people call it.
    public static let title = "OLMo"
    /// The `model_type` of Hugging Face's configurations.
    public static let modelType = "olmo"
    /// The class of transformers.
    public static let architecture = "OlmoForCausalLM"
    /// Whether small models share keys and values.
    public static let sharesKeys = false
    /// What its files call the weights.
    public static let names = DecoderNames()
    /// What all its models have in common.
    public static let plain = {
        var shape = DecoderShape()
        shape.norm = .plainLayer
        return shape
    }()
    /// What may be set.
    public static let choices: [DecoderChoice] = [.rotaryBase, .attentionBias, .tied]

    /// The shape.
    public var shape: DecoderShape
    /// A model of the family.
    public init(_ shape: DecoderShape) { self.shape = shape }

    /// The first models, without the clipping of some of them.
    public static let published: [DecoderPreset] = [
        DecoderPreset(
            "olmo-1b", of: plain, vocabulary: 50_304, context: 2048, layers: 16, width: 2048,
            heads: 16, feedForward: 8192
        ) { $0.tiedEmbeddings = true },
        DecoderPreset(
            "olmo-7b", of: plain, vocabulary: 50_304, context: 2048, layers: 32, width: 4096,
            heads: 32, feedForward: 11_008),
    ]

    /// The shape that a configuration describes.
    public static func read(_ file: DecoderFile) throws -> DecoderShape {
        var shape = plain
        try file.sizes(&shape, context: 2048)
        try file.rotary(&shape)
        try file.require("clip_qkv")
        shape.function = try file.function(otherwise: "silu")
        shape.attentionBias = try file.flag("attention_bias", otherwise: false) ? .all : .none
        return shape
    }

    /// What a configuration says of the shape.
    public static func written(_ shape: DecoderShape) -> DecoderFields {
        var fields = DecoderFields(sizesOf: shape)
        fields.setRotary(shape)
        fields["attention_bias"] = .boolean(shape.attentionBias != .none)
        fields["clip_qkv"] = .null
        return fields
    }
}

/// OLMo 2: RMS norms behind the parts of a block, and of queries and keys.
///
/// OLMo et al. 2025, arXiv 2501.00656.
public struct OLMo2Configuration: DecoderConfiguration {
    /// What records and Lua call the family.
    public static let family = "olmo2"
    /// What people call it.
    public static let title = "OLMo 2"
    /// The `model_type` of Hugging Face's configurations.
    public static let modelType = "olmo2"
    /// The class of transformers.
    public static let architecture = "Olmo2ForCausalLM"
    /// Whether small models share keys and values.
    public static let sharesKeys = false
    /// What its files call the weights.
    public static let names = DecoderNames()
    /// What all its models have in common.
    public static let plain = {
        var shape = DecoderShape()
        shape.normPlace = .after
        shape.queryKeyNorm = .whole
        shape.normEpsilon = 1e-6
        shape.rotaryBase = 500_000
        return shape
    }()
    /// What may be set.
    public static let choices: [DecoderChoice] = [.rotaryBase, .attentionBias, .tied]

    /// The shape.
    public var shape: DecoderShape
    /// A model of the family.
    public init(_ shape: DecoderShape) { self.shape = shape }

    /// The base models.
    public static let published: [DecoderPreset] = [
        DecoderPreset(
            "olmo2-1b", of: plain, vocabulary: 100_352, context: 4096, layers: 16, width: 2048,
            heads: 16, feedForward: 8192),
        DecoderPreset(
            "olmo2-7b", of: plain, vocabulary: 100_352, context: 4096, layers: 32, width: 4096,
            heads: 32, feedForward: 11_008),
    ]

    /// The shape that a configuration describes.
    public static func read(_ file: DecoderFile) throws -> DecoderShape {
        var shape = plain
        (shape.normEpsilon, shape.rotaryBase) = (1e-5, 10_000)
        try file.sizes(&shape, context: 2048)
        try file.rotary(&shape)
        shape.function = try file.function(otherwise: "silu")
        shape.attentionBias = try file.flag("attention_bias", otherwise: false) ? .all : .none
        return shape
    }

    /// What a configuration says of the shape.
    public static func written(_ shape: DecoderShape) -> DecoderFields {
        var fields = DecoderFields(sizesOf: shape)
        fields.setRotary(shape)
        fields["attention_bias"] = .boolean(shape.attentionBias != .none)
        return fields
    }
}
