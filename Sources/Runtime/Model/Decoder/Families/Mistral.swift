import RuntimeData

/// Mistral: Llama with a sliding window.
///
/// Jiang et al. 2023, arXiv 2310.06825.
public struct MistralConfiguration: DecoderConfiguration {
    /// What records and Lua call the family.
    public static let family = "mistral"
    /// What people call it.
    public static let title = "Mistral"
    /// The `model_type` of Hugging Face's configurations.
    public static let modelType = "mistral"
    /// The class of transformers.
    public static let architecture = "MistralForCausalLM"
    /// Whether small models share keys and values.
    public static let sharesKeys = true
    /// What its files call the weights.
    public static let names = DecoderNames()
    /// What all its models have in common.
    public static let plain = {
        var shape = DecoderShape()
        shape.window = 4096
        return shape
    }()
    /// What may be set.
    public static let choices: [DecoderChoice] = [.rotaryBase, .window, .tied]

    /// The shape.
    public var shape: DecoderShape
    /// A model of the family.
    public init(_ shape: DecoderShape) { self.shape = shape }

    /// Version 0.1.
    public static let published: [DecoderPreset] = [
        DecoderPreset(
            "mistral-7b", of: plain, vocabulary: 32_000, context: 32_768, layers: 32, width: 4096,
            heads: 32, groups: 8, feedForward: 14_336)
    ]

    /// The shape that a configuration describes.
    public static func read(_ file: DecoderFile) throws -> DecoderShape {
        var shape = plain
        shape.normEpsilon = 1e-6
        shape.keyValueHeads = 8
        try file.sizes(&shape, context: 131_072)
        try file.rotary(&shape)
        shape.function = try file.function(otherwise: "silu")
        // A window that is null is none; one that is not there is the one of version 0.1.
        if file.has("sliding_window") {
            shape.window = try file.integer(ifPresent: "sliding_window")
        }
        return shape
    }

    /// What a configuration says of the shape.
    public static func written(_ shape: DecoderShape) -> DecoderFields {
        var fields = DecoderFields(sizesOf: shape)
        fields.setRotary(shape)
        fields.set("head_dim", shape.size)
        fields.set("sliding_window", shape.window)
        return fields
    }
}
