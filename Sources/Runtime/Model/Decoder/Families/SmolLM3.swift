import RuntimeData

/// SmolLM 3: Llama with layers that know no positions.
///
/// Bakouch et al. 2025; layers without positions are those of Yang et al. 2025, arXiv 2501.18795.
public struct SmolLM3Configuration: DecoderConfiguration {
    /// What records and Lua call the family.
    public static let family = "smollm3"
    /// What people call it.
    public static let title = "SmolLM 3"
    /// The `model_type` of Hugging Face's configurations.
    public static let modelType = "smollm3"
    /// The class of transformers.
    public static let architecture = "SmolLM3ForCausalLM"
    /// Whether small models share keys and values.
    public static let sharesKeys = true
    /// What its files call the weights.
    public static let names = DecoderNames()
    /// What all its models have in common.
    public static let plain = {
        var shape = DecoderShape()
        (shape.normEpsilon, shape.rotaryBase) = (1e-6, 5_000_000)
        shape.withoutPositionsEvery = 4
        shape.tiedEmbeddings = true
        return shape
    }()
    /// What may be set.
    public static let choices: [DecoderChoice] = [
        .rotaryBase, .attentionBias, .feedForwardBias, .tied,
    ]

    /// The shape.
    public var shape: DecoderShape
    /// A model of the family.
    public init(_ shape: DecoderShape) { self.shape = shape }

    /// The one model.
    public static let published: [DecoderPreset] = [
        DecoderPreset(
            "smollm3-3b", of: plain, vocabulary: 128_256, context: 65_536, layers: 36, width: 2048,
            heads: 16, groups: 4, feedForward: 11_008)
    ]

    /// The shape that a configuration describes.
    public static func read(_ file: DecoderFile) throws -> DecoderShape {
        var shape = plain
        (shape.rotaryBase, shape.keyValueHeads) = (2_000_000, 4)
        try file.sizes(&shape, context: 32_768)
        try file.rotary(&shape)
        try file.require("use_sliding_window", .boolean(false))
        shape.function = try file.function(otherwise: "silu")
        shape.attentionBias = try file.flag("attention_bias", otherwise: false) ? .all : .none
        shape.feedForwardBias = try file.flag("mlp_bias", otherwise: false)
        let interval = try file.integer(ifPresent: "no_rope_layer_interval") ?? 4
        shape.withoutPositionsEvery = try file.withoutPositionsEvery(
            shape.layers, otherwise: interval)
        return shape
    }

    /// What a configuration says of the shape.
    public static func written(_ shape: DecoderShape) -> DecoderFields {
        var fields = DecoderFields(sizesOf: shape)
        fields.setRotary(shape)
        if let size = shape.headSize { fields.set("head_dim", size) }
        fields["attention_bias"] = .boolean(shape.attentionBias != .none)
        fields["mlp_bias"] = .boolean(shape.feedForwardBias)
        fields["use_sliding_window"] = .boolean(false)
        let every = shape.withoutPositionsEvery ?? (shape.layers + 1)
        fields.set("no_rope_layer_interval", every)
        fields["no_rope_layers"] = .array(
            (0..<shape.layers).map { .number(($0 + 1) % every == 0 ? 0 : 1) })
        return fields
    }
}

extension DecoderFile {
    /// Every which layer knows no positions: of `no_rope_layers`, where it is there; `nil` for none.
    fileprivate func withoutPositionsEvery(_ layers: Int, otherwise standard: Int) throws -> Int? {
        guard let flags = file["no_rope_layers"]?.array else { return standard }
        // Without a 0, an interval beyond the layers says so too.
        let every =
            flags.firstIndex { $0.integer == 0 }.map { $0 + 1 }
            ?? (standard > layers ? standard : nil)
        let fits =
            flags.count == layers
            && flags.enumerated().allSatisfy { place, flag in
                flag.integer == (every.map { (place + 1) % $0 == 0 } == true ? 0 : 1)
            }
        guard fits else {
            throw file.fail(
                "no_rope_layers",
                expected: "0 in every so many of \(layers) layers and 1 in the others")
        }
        return every
    }
}
