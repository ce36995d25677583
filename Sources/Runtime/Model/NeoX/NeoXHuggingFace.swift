import RuntimeData
import RuntimeSupport

// GPT-NeoX's files as `GPTNeoXForCausalLM` of Hugging Face's transformers has them.

extension NeoXConfiguration {
    /// The `model_type` of Hugging Face's configurations.
    public static let modelType = "gpt_neox"

    private static let head = "embed_out.weight"

    /// The names of a parameter: transformers 5 calls the head `lm_head`.
    public static func storedNames(_ name: String) -> [String] {
        name == head ? [name, "lm_head.weight"] : [name]
    }

    /// Whether a tensor is one of those that are stored but not trained: masks, wavelengths, the head of tied models.
    public func ignores(_ name: String) -> Bool {
        if tiedEmbeddings, Self.storedNames(Self.head).contains(name) { return true }
        return [".attention.bias", ".attention.masked_bias", "rotary_emb.inv_freq"].contains {
            name.hasSuffix($0)
        }
    }

    /// The shape that a configuration describes; fields that are not there have the values that transformers gives them.
    public init(_ file: HuggingFaceConfiguration) throws {
        self.init(
            vocabulary: try file.integer("vocab_size"),
            context: try file.integer("max_position_embeddings", otherwise: 2048),
            layers: try file.integer("num_hidden_layers"), width: try file.integer("hidden_size"),
            heads: try file.integer("num_attention_heads"),
            feedForward: try file.integer("intermediate_size"))
        normEpsilon = try file.number("layer_norm_eps") ?? 1e-5
        parallelResidual = try file.boolean("use_parallel_residual") ?? true
        tiedEmbeddings = try file.boolean("tie_word_embeddings") ?? false
        gelu = try Self.gelu(file)
        attentionBias = try file.boolean("attention_bias") ?? true
        try Self.rotary(&self, file)
    }

    private static func gelu(_ file: HuggingFaceConfiguration) throws -> Gelu {
        switch file["hidden_act"]?.string {
        case "gelu", "gelu_python": .exact
        case "gelu_new", "gelu_fast", "gelu_pytorch_tanh": .tanh
        case nil where file["hidden_act"] == nil: .exact
        default:
            throw file.fail(
                "hidden_act",
                expected: "\"gelu\", \"gelu_new\", \"gelu_fast\" or \"gelu_pytorch_tanh\"")
        }
    }

    /// Newer files have `rope_parameters`, older ones `rotary_pct` and `rotary_emb_base`.
    private static func rotary(
        _ shape: inout NeoXConfiguration, _ file: HuggingFaceConfiguration
    ) throws {
        var fraction = try file.number("rotary_pct") ?? file.number("partial_rotary_factor")
        var base = try file.number("rotary_emb_base") ?? file.number("rope_theta")
        for key in ["rope_scaling", "rope_parameters"] {
            guard let parameters = file[key] else { continue }
            guard case .object = parameters else {
                throw file.fail(key, expected: "an object or null")
            }
            let kind = parameters["rope_type"] ?? parameters["type"]
            guard kind == nil || kind?.string == "default" else {
                throw file.fail("\(key).rope_type", expected: "\"default\"", found: kind)
            }
            let part = parameters["partial_rotary_factor"]
            fraction = try file.number(part, "\(key).partial_rotary_factor") ?? fraction
            base = try file.number(parameters["rope_theta"], "\(key).rope_theta") ?? base
        }
        shape.rotaryFraction = fraction ?? 0.25
        shape.rotaryBase = base ?? 10_000
    }

    /// What is written: names that older and newer versions of transformers read without a warning.
    private struct WrittenFields: Encodable {
        let architectures = ["GPTNeoXForCausalLM"]
        let attention_bias: Bool
        let attention_dropout = 0.0
        let bos_token_id: JSONValue?
        let eos_token_id: JSONValue?
        let hidden_act: String
        let hidden_dropout = 0.0
        let hidden_size: Int
        let initializer_range = 0.02
        let intermediate_size: Int
        let layer_norm_eps: Double
        let max_position_embeddings: Int
        let model_type = "gpt_neox"
        let num_attention_heads: Int
        let num_hidden_layers: Int
        let pad_token_id: JSONValue?
        let rotary_emb_base: Double
        let rotary_pct: Double
        let tie_word_embeddings: Bool
        let torch_dtype: String
        let use_cache = true
        let use_parallel_residual: Bool
        let vocab_size: Int
    }

    /// What a configuration says of the shape.
    public func fields(
        _ ids: (String) -> JSONValue?, storage: StorageFormat
    ) -> any Encodable {
        WrittenFields(
            attention_bias: attentionBias, bos_token_id: ids("bos_token_id"),
            eos_token_id: ids("eos_token_id"), hidden_act: gelu == .exact ? "gelu" : "gelu_new",
            hidden_size: width, intermediate_size: feedForward, layer_norm_eps: normEpsilon,
            max_position_embeddings: context, num_attention_heads: heads,
            num_hidden_layers: layers, pad_token_id: ids("pad_token_id"),
            rotary_emb_base: rotaryBase, rotary_pct: rotaryFraction,
            tie_word_embeddings: tiedEmbeddings, torch_dtype: storage.rawValue,
            use_parallel_residual: parallelResidual, vocab_size: vocabulary)
    }
}
