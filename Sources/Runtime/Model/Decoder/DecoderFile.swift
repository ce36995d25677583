import RuntimeData
import RuntimeSupport

/// A `config.json` with the fields that families have in common.
public struct DecoderFile {
    let file: HuggingFaceConfiguration

    init(_ file: HuggingFaceConfiguration) { self.file = file }

    /// Refuses a field that has another value than those that are supported; where it is not there, or null, it is fine.
    func require(_ key: String, _ values: JSONValue...) throws {
        guard let found = file[key] else { return }
        guard !values.contains(where: { $0.text == found.text }) else { return }
        let expected = (values.map(\.text) + ["null"]).joined(separator: " or ")
        throw file.fail(key, expected: "\(expected): other values are not supported")
    }

    func flag(_ key: String, otherwise standard: Bool) throws -> Bool {
        try file.boolean(key) ?? standard
    }

    /// Whether a field is there, be it null.
    func has(_ key: String) -> Bool { file.has(key) }

    func integer(ifPresent key: String) throws -> Int? {
        file[key] == nil ? nil : try file.integer(key)
    }

    /// Sizes, biases aside, under the names that most families give them.
    func sizes(_ shape: inout DecoderShape, context: Int, feedForward: Int? = nil) throws {
        shape.vocabulary = try file.integer("vocab_size")
        shape.context = try file.integer("max_position_embeddings", otherwise: context)
        shape.layers = try file.integer("num_hidden_layers")
        shape.width = try file.integer("hidden_size")
        shape.heads = try file.integer("num_attention_heads")
        shape.feedForward = try file.integer("intermediate_size", otherwise: feedForward)
        // Null is not the same as nothing: what follows from other sizes, not the family's default.
        if has("num_key_value_heads") {
            shape.keyValueHeads = try integer(ifPresent: "num_key_value_heads")
        }
        if shape.keyValueHeads == shape.heads { shape.keyValueHeads = nil }
        if has("head_dim") { shape.headSize = try integer(ifPresent: "head_dim") }
        if let size = shape.headSize, size > 0, shape.width / size == shape.heads,
            shape.width % size == 0
        {
            shape.headSize = nil
        }
        if shape.norm == .rms {
            shape.normEpsilon = try file.number("rms_norm_eps") ?? shape.normEpsilon
        }
        shape.tiedEmbeddings =
            try file.boolean("tie_word_embeddings") ?? shape.tiedEmbeddings
    }

    /// The function of the feed-forward part.
    func function(_ key: String = "hidden_act", otherwise standard: String) throws
        -> DecoderShape.Function
    {
        let name = file[key] == nil ? standard : file[key]?.string
        switch name {
        case "silu", "swish": return .silu
        case "gelu": return .gelu
        case "gelu_new", "gelu_fast", "gelu_pytorch_tanh": return .gelu_tanh
        case "relu": return .relu
        case "relu2": return .relu2
        default:
            throw file.fail(
                key,
                expected: ["silu", "gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "relu2"].map {
                    "\"\($0)\""
                }.joined(separator: ", "))
        }
    }

    /// Rotary positions: newer files have `rope_parameters`, older ones `rope_theta` and `rope_scaling`.
    func rotary(_ shape: inout DecoderShape) throws {
        shape.rotaryBase = try file.number("rope_theta") ?? shape.rotaryBase
        var fraction = try file.number("partial_rotary_factor")
        for key in ["rope_scaling", "rope_parameters"] {
            guard let parameters = file[key] else { continue }
            guard case .object = parameters else {
                throw file.fail(key, expected: "an object or null")
            }
            shape.rotaryBase =
                try file.number(parameters["rope_theta"], "\(key).rope_theta") ?? shape.rotaryBase
            fraction =
                try file.number(
                    parameters["partial_rotary_factor"], "\(key).partial_rotary_factor") ?? fraction
            shape.rotaryScaling = try scaling(parameters, key, shape) ?? shape.rotaryScaling
        }
        shape.rotaryFraction = fraction == 1 ? nil : fraction
    }

    /// The scaling that an object describes; `nil` for none.
    func scaling(
        _ parameters: JSONValue, _ key: String, _ shape: DecoderShape
    ) throws -> RotaryScaling? {
        let name = parameters["rope_type"] ?? parameters["type"]
        if name == nil || name?.string == "default" { return nil }
        guard let kind = name?.string.flatMap(RotaryScaling.Kind.init(rawValue:)) else {
            let kinds = ["default"] + RotaryScaling.Kind.allCases.map(\.rawValue)
            throw file.fail(
                "\(key).rope_type",
                expected: kinds.map { "\"\($0)\"" }.joined(separator: " or "), found: name)
        }
        func number(_ name: String) throws -> Double? {
            try file.number(parameters[name], "\(key).\(name)")
        }
        guard let factor = try number("factor") else {
            throw file.fail("\(key).factor", expected: "a number", found: nil)
        }
        var result = RotaryScaling(kind, factor: factor)
        switch kind {
        case .linear: break
        case .dynamic: result.originalContext = shape.context
        case .llama3:
            result.low = try number("low_freq_factor") ?? 1
            result.high = try number("high_freq_factor") ?? 4
        case .yarn:
            result.low = try number("beta_slow") ?? 1
            result.high = try number("beta_fast") ?? 32
            result.attentionFactor = try number("attention_factor")
            for name in ["mscale", "mscale_all_dim"] where parameters[name] != nil {
                throw file.fail("\(key).\(name)", expected: "null", found: parameters[name])
            }
            if let truncate = parameters["truncate"] {
                guard let flag = truncate.boolean else {
                    throw file.fail(
                        "\(key).truncate", expected: "true or false", found: truncate)
                }
                result.rounds = flag ? nil : false
            }
        }
        if kind == .llama3 || kind == .yarn {
            let field = "original_max_position_embeddings"
            guard let original = parameters[field]?.integer else {
                throw file.fail(
                    "\(key).\(field)", expected: "a whole number", found: parameters[field])
            }
            result.originalContext = original
        }
        return result
    }
}

/// What a `config.json` says, by field.
public struct DecoderFields {
    private var members: [String: JSONValue] = [:]

    subscript(_ key: String) -> JSONValue? {
        get { members[key] }
        set { members[key] = newValue }
    }

    /// All of it, by name.
    var object: JSONValue {
        .object(members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }

    mutating func set(_ key: String, _ value: Int?) {
        members[key] = value.map { .number(Double($0)) } ?? .null
    }

    mutating func set(_ key: String, _ value: Double?) {
        members[key] = value.map { .number($0) } ?? .null
    }

    /// Sizes under the names that most families give them.
    init(sizesOf shape: DecoderShape) {
        set("max_position_embeddings", shape.context)
        set("num_hidden_layers", shape.layers)
        set("hidden_size", shape.width)
        set("num_attention_heads", shape.heads)
        set("num_key_value_heads", shape.groups)
        set("intermediate_size", shape.feedForward)
        self["attention_dropout"] = .number(0)
        self["hidden_act"] = .string(shape.function.fileName)
        if shape.norm == .rms { set("rms_norm_eps", shape.normEpsilon) }
    }

    init() {}

    /// Rotary positions under the names that older and newer versions of transformers read.
    mutating func setRotary(_ shape: DecoderShape) {
        set("rope_theta", shape.rotaryBase)
        self["rope_scaling"] = shape.rotaryScaling?.written ?? .null
    }
}

extension DecoderShape.Function {
    var fileName: String {
        switch self {
        case .silu: "silu"
        case .gelu: "gelu"
        case .gelu_tanh: "gelu_pytorch_tanh"
        case .relu: "relu"
        case .relu2: "relu2"
        }
    }
}

extension RotaryScaling {
    /// The object of a `config.json`.
    var written: JSONValue {
        var members: [(key: String, value: JSONValue)] = [
            ("rope_type", .string(kind.rawValue)), ("factor", .number(factor)),
        ]
        func add(_ key: String, _ value: Double?) {
            if let value { members.append((key, .number(value))) }
        }
        if kind == .llama3 || kind == .yarn {
            add("original_max_position_embeddings", originalContext.map { Double($0) })
        }
        switch kind {
        case .linear, .dynamic: break
        case .llama3:
            add("low_freq_factor", low)
            add("high_freq_factor", high)
        case .yarn:
            add("beta_slow", low)
            add("beta_fast", high)
            add("attention_factor", attentionFactor)
            if rounds == false { members.append(("truncate", .boolean(false))) }
        }
        return .object(members)
    }
}
