import RuntimeData
import RuntimeSupport

/// A `config.json` or index of a Hugging Face folder that cannot be used: which file, which field, what it has.
public struct ModelFolderError: RuntimeError {
    /// The file or folder.
    public let path: String
    /// What is wrong and what was expected.
    public let reason: String

    /// `PATH: REASON`.
    public var message: String { "\(path): \(reason)" }
}

/// The `config.json` of a GPT-NeoX model, as `GPTNeoXConfig` of Hugging Face's transformers reads and writes it.
package struct HuggingFaceConfiguration {
    package static let file = "config.json"

    private let path: String
    private let root: JSONValue

    /// Reads the file.
    ///
    /// - Throws: `FileError`; `TextError` with line and column.
    package init(_ path: String) throws {
        self.path = path
        root = try JSONValue.read(path, limit: 1 << 20)
    }

    /// The model's shape; fields that are not there have the values that transformers gives them.
    ///
    /// - Throws: `ModelFolderError` naming the field, its value and what was expected.
    package func model() throws -> NeoXConfiguration {
        guard case .object = root else { throw fail("expected an object") }
        guard root["model_type"]?.string == "gpt_neox" else {
            throw fail("model_type", expected: "\"gpt_neox\"")
        }
        var shape = NeoXConfiguration(
            vocabulary: try integer("vocab_size"),
            context: try integer("max_position_embeddings", otherwise: 2048),
            layers: try integer("num_hidden_layers"), width: try integer("hidden_size"),
            heads: try integer("num_attention_heads"),
            feedForward: try integer("intermediate_size"))
        shape.normEpsilon = try number("layer_norm_eps") ?? 1e-5
        shape.parallelResidual = try boolean("use_parallel_residual") ?? true
        shape.tiedEmbeddings = try boolean("tie_word_embeddings") ?? false
        shape.gelu = try gelu()
        shape.attentionBias = try boolean("attention_bias") ?? true
        try rotary(&shape)
        do {
            try shape.validate()
        } catch let error as InvalidValue {
            throw fail(error.message)
        }
        return shape
    }

    private func gelu() throws -> Gelu {
        switch root["hidden_act"]?.string {
        case "gelu", "gelu_python": .exact
        case "gelu_new", "gelu_fast", "gelu_pytorch_tanh": .tanh
        case nil where root["hidden_act"] == nil: .exact
        default:
            throw fail(
                "hidden_act",
                expected: "\"gelu\", \"gelu_new\", \"gelu_fast\" or \"gelu_pytorch_tanh\"")
        }
    }

    /// Newer files have `rope_parameters`, older ones `rotary_pct` and `rotary_emb_base`.
    private func rotary(_ shape: inout NeoXConfiguration) throws {
        var fraction = try number("rotary_pct") ?? number("partial_rotary_factor")
        var base = try number("rotary_emb_base") ?? number("rope_theta")
        for key in ["rope_scaling", "rope_parameters"] {
            guard let parameters = root[key] else { continue }
            guard case .object = parameters else { throw fail(key, expected: "an object or null") }
            let kind = parameters["rope_type"] ?? parameters["type"]
            guard kind == nil || kind?.string == "default" else {
                throw fail("\(key).rope_type", expected: "\"default\"", found: kind)
            }
            let part = parameters["partial_rotary_factor"]
            fraction = try number(part, "\(key).partial_rotary_factor") ?? fraction
            base = try number(parameters["rope_theta"], "\(key).rope_theta") ?? base
        }
        shape.rotaryFraction = fraction ?? 0.25
        shape.rotaryBase = base ?? 10_000
    }

    // MARK: - Fields

    private func integer(_ key: String, otherwise standard: Int? = nil) throws -> Int {
        if let value = root[key]?.integer { return value }
        guard root[key] == nil, let standard else { throw fail(key, expected: "a whole number") }
        return standard
    }

    private func number(_ key: String) throws -> Double? { try number(root[key], key) }

    private func number(_ value: JSONValue?, _ key: String) throws -> Double? {
        guard let value else { return nil }
        guard case .number(let number) = value else {
            throw fail(key, expected: "a number", found: value)
        }
        return number
    }

    private func boolean(_ key: String) throws -> Bool? {
        guard let value = root[key] else { return nil }
        guard let flag = value.boolean else { throw fail(key, expected: "true or false") }
        return flag
    }

    private func fail(_ key: String, expected: String) -> ModelFolderError {
        fail(key, expected: expected, found: root[key])
    }

    private func fail(_ key: String, expected: String, found: JSONValue?) -> ModelFolderError {
        fail("\(key): expected \(expected), found \(found?.words ?? "nothing")")
    }

    private func fail(_ reason: String) -> ModelFolderError {
        ModelFolderError(path: path, reason: reason)
    }
}

extension HuggingFaceConfiguration {
    /// What is written: names that older and newer versions of transformers read without a warning.
    private struct Fields: Encodable {
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

    /// The text of the file for a model with a tokenizer, whose end-of-text begins and ends documents unless the
    /// tokenizer came with a `config.json`.
    package static func text(
        _ shape: NeoXConfiguration, _ tokenizer: Tokenizer, storage: StorageFormat
    ) throws -> String {
        let end = JSONValue.number(Double(tokenizer.endOfText))
        let ids =
            tokenizer.extras.configurationIds ?? [("bos_token_id", end), ("eos_token_id", end)]
        func id(_ key: String) -> JSONValue? { ids.first { $0.key == key }?.value }
        return try CanonicalJSON.text(
            Fields(
                attention_bias: shape.attentionBias, bos_token_id: id("bos_token_id"),
                eos_token_id: id("eos_token_id"),
                hidden_act: shape.gelu == .exact ? "gelu" : "gelu_new",
                hidden_size: shape.width, intermediate_size: shape.feedForward,
                layer_norm_eps: shape.normEpsilon, max_position_embeddings: shape.context,
                num_attention_heads: shape.heads, num_hidden_layers: shape.layers,
                pad_token_id: id("pad_token_id"), rotary_emb_base: shape.rotaryBase,
                rotary_pct: shape.rotaryFraction,
                tie_word_embeddings: shape.tiedEmbeddings, torch_dtype: storage.rawValue,
                use_parallel_residual: shape.parallelResidual, vocab_size: shape.vocabulary),
            pretty: true) + "\n"
    }
}
