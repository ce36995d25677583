import RuntimeData

/// Qwen 2 and 2.5: Llama with biases on queries, keys and values.
///
/// Yang et al. 2024, arXiv 2412.15115.
public struct Qwen2Configuration: DecoderConfiguration {
    /// What records and Lua call the family.
    public static let family = "qwen2"
    /// What people call it.
    public static let title = "Qwen 2"
    /// The `model_type` of Hugging Face's configurations.
    public static let modelType = "qwen2"
    /// The class of transformers.
    public static let architecture = "Qwen2ForCausalLM"
    /// Whether small models share keys and values.
    public static let sharesKeys = true
    /// What its files call the weights.
    public static let names = DecoderNames()
    /// What all its models have in common.
    public static let plain = {
        var shape = DecoderShape()
        shape.attentionBias = .inputs
        shape.normEpsilon = 1e-6
        shape.rotaryBase = 1_000_000
        return shape
    }()
    /// What may be set.
    public static let choices: [DecoderChoice] = [.rotaryBase, .tied]

    /// The shape.
    public var shape: DecoderShape
    /// A model of the family.
    public init(_ shape: DecoderShape) { self.shape = shape }

    /// Models of version 2.5.
    public static let published: [DecoderPreset] = [
        DecoderPreset(
            "qwen2.5-0.5b", of: plain, vocabulary: 151_936, context: 32_768, layers: 24,
            width: 896, heads: 14, groups: 2, feedForward: 4864
        ) { $0.tiedEmbeddings = true },
        DecoderPreset(
            "qwen2.5-1.5b", of: plain, vocabulary: 151_936, context: 131_072, layers: 28,
            width: 1536, heads: 12, groups: 2, feedForward: 8960
        ) { $0.tiedEmbeddings = true },
        DecoderPreset(
            "qwen2.5-3b", of: plain, vocabulary: 151_936, context: 32_768, layers: 36,
            width: 2048, heads: 16, groups: 2, feedForward: 11_008
        ) { $0.tiedEmbeddings = true },
        DecoderPreset(
            "qwen2.5-7b", of: plain, vocabulary: 152_064, context: 131_072, layers: 28,
            width: 3584, heads: 28, groups: 4, feedForward: 18_944),
    ]

    /// The shape that a configuration describes.
    public static func read(_ file: DecoderFile) throws -> DecoderShape {
        var shape = plain
        try file.qwen(&shape)
        return shape
    }

    /// What a configuration says of the shape.
    public static func written(_ shape: DecoderShape) -> DecoderFields {
        DecoderFields(qwen: shape)
    }
}

/// Qwen 3: norms of queries and keys in place of biases.
///
/// Yang et al. 2025, arXiv 2505.09388.
public struct Qwen3Configuration: DecoderConfiguration {
    /// What records and Lua call the family.
    public static let family = "qwen3"
    /// What people call it.
    public static let title = "Qwen 3"
    /// The `model_type` of Hugging Face's configurations.
    public static let modelType = "qwen3"
    /// The class of transformers.
    public static let architecture = "Qwen3ForCausalLM"
    /// Whether small models share keys and values.
    public static let sharesKeys = true
    /// What its files call the weights.
    public static let names = DecoderNames()
    /// What all its models have in common.
    public static let plain = {
        var shape = DecoderShape()
        shape.queryKeyNorm = .head
        shape.normEpsilon = 1e-6
        shape.rotaryBase = 1_000_000
        return shape
    }()
    /// What may be set.
    public static let choices: [DecoderChoice] = [.rotaryBase, .attentionBias, .tied]

    /// The shape.
    public var shape: DecoderShape
    /// A model of the family.
    public init(_ shape: DecoderShape) { self.shape = shape }

    /// The dense base models.
    public static let published: [DecoderPreset] = [
        DecoderPreset(
            "qwen3-0.6b", of: plain, vocabulary: 151_936, context: 32_768, layers: 28,
            width: 1024, heads: 16, groups: 8, feedForward: 3072
        ) { ($0.tiedEmbeddings, $0.headSize) = (true, 128) },
        DecoderPreset(
            "qwen3-1.7b", of: plain, vocabulary: 151_936, context: 32_768, layers: 28,
            width: 2048, heads: 16, groups: 8, feedForward: 6144
        ) { $0.tiedEmbeddings = true },
        DecoderPreset(
            "qwen3-4b", of: plain, vocabulary: 151_936, context: 32_768, layers: 36, width: 2560,
            heads: 32, groups: 8, feedForward: 9728
        ) { ($0.tiedEmbeddings, $0.headSize) = (true, 128) },
    ]

    /// The shape that a configuration describes.
    public static func read(_ file: DecoderFile) throws -> DecoderShape {
        var shape = plain
        shape.headSize = 128
        try file.qwen(&shape)
        shape.attentionBias = try file.flag("attention_bias", otherwise: false) ? .all : .none
        return shape
    }

    /// What a configuration says of the shape.
    public static func written(_ shape: DecoderShape) -> DecoderFields {
        var fields = DecoderFields(qwen: shape)
        fields.set("head_dim", shape.size)
        fields["attention_bias"] = .boolean(shape.attentionBias != .none)
        return fields
    }
}

extension DecoderFile {
    fileprivate func qwen(_ shape: inout DecoderShape) throws {
        shape.rotaryBase = 10_000
        shape.keyValueHeads = 32
        try sizes(&shape, context: 32_768)
        try rotary(&shape)
        try require("use_sliding_window", .boolean(false))
        if let odd = file["layer_types"]?.array?.first(where: { $0.string != "full_attention" }) {
            throw file.fail("layer_types", expected: "only \"full_attention\"", found: odd)
        }
        shape.function = try function(otherwise: "silu")
    }
}

extension DecoderFields {
    fileprivate init(qwen shape: DecoderShape) {
        self.init(sizesOf: shape)
        setRotary(shape)
        self["use_sliding_window"] = .boolean(false)
        self["sliding_window"] = .null
        set("max_window_layers", shape.layers)
    }
}
