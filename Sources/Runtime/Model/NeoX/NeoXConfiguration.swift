import RuntimeNumerics
import RuntimeSupport

/// The form of GELU.
public enum Gelu: String, Codable, CaseIterable, Sendable {
    /// With the normal distribution function, as Pythia.
    case exact
    /// The tanh approximation, as GPT-2.
    case tanh
}

/// How weights are drawn at the start.
public enum Initialisation: String, Codable, CaseIterable, Sendable {
    /// Normal with variance `2 / (5 width)`, and `2 / (layers √width)` as the deviation of layers
    /// that write into the residual stream, as Pythia (Nguyen and Salazar 2019, arXiv 1910.05895;
    /// Wang and Komatsuzaki 2021).
    case pythia
    /// Normal with deviation 0.02, divided by `√(2 layers)` in layers that write into the residual
    /// stream, as GPT-2.
    case gpt2
}

/// The shape of a GPT-NeoX model.
///
/// Black et al. 2022, arXiv 2204.06745.
public struct NeoXConfiguration: ModelConfiguration {
    /// What records and Lua call the family.
    public static let family = "neox"
    /// What people call it.
    public static let title = "GPT-NeoX"

    /// Token ids, 0 ..< vocabulary.
    public var vocabulary: Int
    /// The most tokens that a position may look back on, itself included.
    public var context: Int
    /// Transformer blocks.
    public var layers: Int
    /// Numbers in the residual stream.
    public var width: Int
    /// Attention heads, each of `width / heads` numbers.
    public var heads: Int
    /// Width between the two matrices of the feed-forward part.
    public var feedForward: Int
    /// The part of each head that turns with the position; Pythia 0.25.
    public var rotaryFraction: Double = 0.25
    /// The base of rotary wavelengths.
    public var rotaryBase: Double = 10_000
    /// Added to variances in layer norm.
    public var normEpsilon: Double = 1e-5
    /// Whether attention and feed-forward read the same input, as Pythia; else one after the other.
    public var parallelResidual = true
    /// Whether the output head is the embedding itself.
    public var tiedEmbeddings = false
    /// The form of GELU.
    public var gelu = Gelu.exact
    /// How weights are drawn.
    public var initialisation = Initialisation.pythia
    /// Absent unless true, so that the text of other shapes, which their state keys hash, is what it always was.
    private var withoutAttentionBias: Bool?

    /// Whether the two matrices of the attention have biases, as Pythia's do.
    public var attentionBias: Bool {
        get { withoutAttentionBias != true }
        set { withoutAttentionBias = newValue ? nil : true }
    }

    /// Creates a configuration with Pythia's choices for all that is not size.
    ///
    /// - Parameter feedForward: four times the width unless given.
    public init(
        vocabulary: Int, context: Int, layers: Int, width: Int, heads: Int, feedForward: Int? = nil
    ) {
        self.vocabulary = vocabulary
        self.context = context
        self.layers = layers
        self.width = width
        self.heads = heads
        self.feedForward = feedForward ?? (width > Int.max / 8 ? width : 4 * width)
    }

    /// Numbers in one head.
    public var headSize: Int { heads > 0 ? width / heads : 0 }

    /// Leading numbers of a head that turn with the position.
    public var rotated: Int { Int(Double(headSize) * rotaryFraction) }

    /// Checks every field, alone and together.
    ///
    /// - Throws: `InvalidValue` naming the field.
    public func validate() throws {
        func positive(_ name: String, _ value: Int, atMost limit: Int) throws {
            guard value > 0, value <= limit else {
                throw InvalidValue(
                    name, expected: "a whole number from 1 to \(limit)", found: value)
            }
        }
        try positive("vocabulary", vocabulary, atMost: 1 << 24)
        try positive("context", context, atMost: 1 << 20)
        try positive("layers", layers, atMost: 4096)
        try positive("width", width, atMost: 1 << 17)
        try positive("heads", heads, atMost: width)
        try positive("feed_forward", feedForward, atMost: 1 << 20)
        guard width % heads == 0 else {
            throw InvalidValue("heads", expected: "a divisor of the width \(width)", found: heads)
        }
        guard headSize <= Kernels.AttentionShape.largestHead else {
            throw InvalidValue(
                "heads", expected: "heads of at most \(Kernels.AttentionShape.largestHead) numbers",
                found: heads)
        }
        guard rotaryFraction >= 0, rotaryFraction <= 1, rotated % 2 == 0 else {
            throw InvalidValue(
                "rotary_fraction",
                expected: "0 … 1, turning an even part of the \(headSize) numbers of a head",
                found: rotaryFraction)
        }
        guard rotaryBase.isFinite, rotaryBase > 1 else {
            throw InvalidValue("rotary_base", expected: "a number above 1", found: rotaryBase)
        }
        guard normEpsilon.isFinite, normEpsilon > 0, normEpsilon < 1 else {
            throw InvalidValue(
                "norm_epsilon", expected: "a number between 0 and 1", found: normEpsilon)
        }
    }

    /// Names, as Hugging Face's GPTNeoXForCausalLM has them, and shapes of the parameters, in
    /// order.
    public var parameterShapes: [ParameterShape] {
        var result = [
            ParameterShape("gpt_neox.", "embed_in.weight", [vocabulary, width], .embedding)
        ]
        var (prefix, current): (String, Int?) = ("gpt_neox.", nil)
        func add(_ name: String, _ outputs: Int, _ inputs: Int? = nil, bias: Bool = true) {
            result.append(
                ParameterShape(
                    prefix, name + ".weight", inputs.map { [outputs, $0] } ?? [outputs],
                    layer: current))
            if bias {
                result.append(ParameterShape(prefix, name + ".bias", [outputs], layer: current))
            }
        }
        for layer in 0..<layers {
            (prefix, current) = ("gpt_neox.layers.\(layer).", layer)
            add("input_layernorm", width)
            add("post_attention_layernorm", width)
            add("attention.query_key_value", 3 * width, width, bias: attentionBias)
            add("attention.dense", width, width, bias: attentionBias)
            add("mlp.dense_h_to_4h", feedForward, width)
            add("mlp.dense_4h_to_h", width, feedForward)
        }
        (prefix, current) = ("gpt_neox.", nil)
        add("final_layer_norm", width)
        if !tiedEmbeddings {
            result.append(ParameterShape("", "embed_out.weight", [vocabulary, width], .head))
        }
        return result
    }

    /// The same with Pythia's initialisation.
    public var withoutInitialisation: NeoXConfiguration {
        var result = self
        result.initialisation = .pythia
        return result
    }

    /// Writes fresh weights.
    public func initialise(_ parameters: Parameters, seed: UInt64) {
        let width = Double(width)
        let layers = Double(layers)
        let (inner, writing) =
            switch initialisation {
            case .pythia: ((2 / (5 * width)).squareRoot(), 2 / (layers * width.squareRoot()))
            case .gpt2: (0.02, 0.02 / (2 * layers).squareRoot())
            }
        for range in parameters.ranges {
            let tensor = parameters.tensor(range)
            if range.shape.count > 1 {
                let writes =
                    range.name.contains("attention.dense") || range.name.contains("dense_4h_to_h")
                let deviation = writes ? writing : inner
                let stream = RandomStream(seed: seed, "weights/" + range.name)
                tensor.fill { Float(deviation * stream.normal(UInt64($0))) }
            } else if range.name.hasSuffix("norm.weight") {
                tensor.fill { _ in 1 }
            }
        }
    }

    /// A model with these parameters.
    public func model(
        of parameters: Parameters, precision: Precision
    ) throws -> any LanguageModel { try NeoX(self, parameters, precision) }

    /// Numbers that the forward pass keeps for the backward pass.
    ///
    /// Kept in a block, for each token: two norms and their input, q, k, v and what is attended with its normalisers, the
    /// feed-forward part before and after GELU, and mean and deviation of two norms.
    public func keptNumbers(tokens: Int) -> Int {
        let block = 7 * width + 2 * feedForward + heads + 4
        return Int.saturatingProduct(tokens, layers * block + 2 * width + 2)
    }

    /// Gradients of the stream and of the attention's or the feed-forward's inside.
    public func passingNumbers(tokens: Int) -> Int {
        Int.saturatingProduct(tokens, 2 * width + max(2 * feedForward, 7 * width))
    }

    /// The base of rotary wavelengths.
    public var positionBase: Double? {
        get { rotaryFraction > 0 ? rotaryBase : nil }
        set { if let newValue { rotaryBase = newValue } }
    }

    /// Products of matrices, two operations each, and attention to the positions that are seen.
    public func operationsPerToken(columns: Int) -> Double {
        let matrices = Double(4 * width * width + 2 * width * feedForward) * Double(layers)
        let attention = Double(layers * width) * Double(columns + 1)
        return 2 * (matrices + Double(vocabulary * width) + attention)
    }
}
