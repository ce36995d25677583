import RuntimeData

/// Llama 1 to 3.2 and what has its shape: TinyLlama, SmolLM 1 and 2.
///
/// Touvron et al. 2023, arXiv 2302.13971.
public struct LlamaConfiguration: DecoderConfiguration {
    /// What records and Lua call the family.
    public static let family = "llama"
    /// What people call it.
    public static let title = "Llama"
    /// The `model_type` of Hugging Face's configurations.
    public static let modelType = "llama"
    /// The class of transformers.
    public static let architecture = "LlamaForCausalLM"
    /// Whether small models share keys and values.
    public static let sharesKeys = true
    /// What its files call the weights.
    public static let names = DecoderNames()
    /// What all its models have in common.
    public static let plain = DecoderShape()
    /// What may be set.
    public static let choices: [DecoderChoice] = [
        .rotaryBase, .attentionBias, .feedForwardBias, .tied,
    ]

    /// The shape.
    public var shape: DecoderShape
    /// A model of the family.
    public init(_ shape: DecoderShape) { self.shape = shape }

    /// SmolLM 2, TinyLlama and Llama.
    ///
    /// Allal et al. 2025, arXiv 2502.02737; Zhang et al. 2024, arXiv 2401.02385; Touvron et al. 2023, arXiv 2307.09288;
    /// Grattafiori et al. 2024, arXiv 2407.21783.
    public static let published: [DecoderPreset] = [
        DecoderPreset(
            "smollm2-135m", of: plain, vocabulary: 49_152, context: 8192, layers: 30, width: 576,
            heads: 9, groups: 3, feedForward: 1536
        ) { ($0.tiedEmbeddings, $0.rotaryBase) = (true, 100_000) },
        DecoderPreset(
            "smollm2-360m", of: plain, vocabulary: 49_152, context: 8192, layers: 32, width: 960,
            heads: 15, groups: 5, feedForward: 2560
        ) { ($0.tiedEmbeddings, $0.rotaryBase) = (true, 100_000) },
        DecoderPreset(
            "tinyllama-1.1b", of: plain, vocabulary: 32_000, context: 2048, layers: 22,
            width: 2048, heads: 32, groups: 4, feedForward: 5632),
        DecoderPreset(
            "llama-3.2-1b", of: plain, vocabulary: 128_256, context: 131_072, layers: 16,
            width: 2048, heads: 32, groups: 8, feedForward: 8192
        ) { $0.stretchAsLlama3(factor: 32, tied: true) },
        DecoderPreset(
            "smollm2-1.7b", of: plain, vocabulary: 49_152, context: 8192, layers: 24, width: 2048,
            heads: 32, feedForward: 8192
        ) { ($0.tiedEmbeddings, $0.rotaryBase) = (true, 130_000) },
        DecoderPreset(
            "llama-3.2-3b", of: plain, vocabulary: 128_256, context: 131_072, layers: 28,
            width: 3072, heads: 24, groups: 8, feedForward: 8192
        ) { $0.stretchAsLlama3(factor: 32, tied: true) },
        DecoderPreset(
            "llama-2-7b", of: plain, vocabulary: 32_000, context: 4096, layers: 32, width: 4096,
            heads: 32, feedForward: 11_008),
        DecoderPreset(
            "llama-3.1-8b", of: plain, vocabulary: 128_256, context: 131_072, layers: 32,
            width: 4096, heads: 32, groups: 8, feedForward: 14_336
        ) { $0.stretchAsLlama3(factor: 8, tied: false) },
    ]

    /// The shape that a configuration describes.
    public static func read(_ file: DecoderFile) throws -> DecoderShape {
        var shape = plain
        shape.normEpsilon = 1e-6
        try file.sizes(&shape, context: 2048)
        try file.rotary(&shape)
        try file.require("pretraining_tp", .number(1))
        shape.function = try file.function(otherwise: "silu")
        shape.attentionBias = try file.flag("attention_bias", otherwise: false) ? .all : .none
        shape.feedForwardBias = try file.flag("mlp_bias", otherwise: false)
        return shape
    }

    /// What a configuration says of the shape.
    public static func written(_ shape: DecoderShape) -> DecoderFields {
        var fields = DecoderFields(sizesOf: shape)
        fields.setRotary(shape)
        fields.set("head_dim", shape.size)
        fields["attention_bias"] = .boolean(shape.attentionBias != .none)
        fields["mlp_bias"] = .boolean(shape.feedForwardBias)
        fields["pretraining_tp"] = .number(1)
        return fields
    }
}

extension DecoderShape {
    fileprivate mutating func stretchAsLlama3(factor: Double, tied: Bool) {
        rotaryBase = 500_000
        rotaryScaling = RotaryScaling(
            .llama3, factor: factor, originalContext: 8192, low: 1, high: 4)
        tiedEmbeddings = tied
    }
}
