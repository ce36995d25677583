import RuntimeData

/// Phi-3: Llama with joint matrices.
///
/// Abdin et al. 2024, arXiv 2404.14219.
public struct Phi3Configuration: DecoderConfiguration {
    /// What records and Lua call the family.
    public static let family = "phi3"
    /// What people call it.
    public static let title = "Phi-3"
    /// The `model_type` of Hugging Face's configurations.
    public static let modelType = "phi3"
    /// The class of transformers.
    public static let architecture = "Phi3ForCausalLM"
    /// Whether small models share keys and values.
    public static let sharesKeys = true
    /// What its files call the weights.
    public static let names = {
        var names = DecoderNames()
        names.attention = ["self_attn.qkv_proj"]
        names.up = ["mlp.gate_up_proj"]
        return names
    }()
    /// What all its models have in common.
    public static let plain = DecoderShape()
    /// What may be set.
    public static let choices: [DecoderChoice] = [.rotary, .rotaryBase, .window, .tied]

    /// The shape.
    public var shape: DecoderShape
    /// A model of the family.
    public init(_ shape: DecoderShape) { self.shape = shape }

    /// The model with the short context.
    public static let published: [DecoderPreset] = [
        DecoderPreset(
            "phi-3-mini-4k", of: plain, vocabulary: 32_064, context: 4096, layers: 32, width: 3072,
            heads: 32, feedForward: 8192
        ) { $0.window = 2047 }
    ]

    /// The shape that a configuration describes.
    public static func read(_ file: DecoderFile) throws -> DecoderShape {
        var shape = plain
        try file.sizes(&shape, context: 4096)
        try file.rotary(&shape)
        if let kind = shape.rotaryScaling?.kind {
            throw file.file.fail(
                "rope_scaling.rope_type", expected: "\"default\"", found: .string(kind.rawValue))
        }
        shape.function = try file.function(otherwise: "silu")
        shape.window = try file.integer(ifPresent: "sliding_window")
        return shape
    }

    /// What a configuration says of the shape.
    public static func written(_ shape: DecoderShape) -> DecoderFields {
        var fields = DecoderFields(sizesOf: shape)
        fields.setRotary(shape)
        if let size = shape.headSize { fields.set("head_dim", size) }
        fields.set("partial_rotary_factor", shape.rotaryFraction ?? 1)
        fields.set("original_max_position_embeddings", shape.context)
        fields.set("sliding_window", shape.window)
        for name in ["embd_pdrop", "resid_pdrop"] { fields[name] = .number(0) }
        return fields
    }
}
