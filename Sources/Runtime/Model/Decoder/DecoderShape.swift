/// The shape of a decoder: what the families of today choose among.
///
/// Fields that are `nil` are not in records, so that a choice that comes later leaves the keys of others as they were.
public struct DecoderShape: Codable, Hashable, Sendable {
    /// What norms the residual stream.
    public enum Norm: String, Codable, Sendable {
        /// RMS norm with a gain.
        case rms
        /// Layer norm with gain and bias.
        case layer
        /// Layer norm without weights.
        case plainLayer
    }

    /// Where a block's two parts are normed.
    public enum NormPlace: String, Codable, Sendable {
        /// What a part reads.
        case before
        /// What a part adds to the residual stream.
        case after
        /// Both, by norms of their own.
        case both
    }

    /// How queries and keys are normed before they turn.
    public enum QueryKeyNorm: String, Codable, Sendable {
        /// Each head by itself, with one gain for all.
        case head
        /// All heads together.
        case whole
    }

    /// Which matrices of the attention have biases.
    public enum AttentionBias: String, Codable, Sendable {
        case none
        /// Those of queries, keys and values.
        case inputs
        /// These and the one behind the heads.
        case all
    }

    /// The function of the feed-forward part.
    public enum Function: String, Codable, CaseIterable, Sendable {
        /// `x · sigmoid(x)`.
        case silu
        /// With the normal distribution function.
        case gelu
        /// GELU's tanh approximation.
        case gelu_tanh
        case relu
        /// The square of ReLU.
        case relu2
    }

    /// How weights are drawn at the start.
    public enum Initialisation: String, Codable, CaseIterable, Sendable {
        /// Normal with deviation 0.02.
        case normal
        /// The same, divided by `√(2 layers)` in layers that write into the residual stream, as GPT-2.
        case gpt2
    }

    /// Token ids, 0 ..< vocabulary.
    public var vocabulary = 0
    /// The most tokens that a position may look back on, itself included.
    public var context = 0
    /// Transformer blocks.
    public var layers = 0
    /// Numbers in the residual stream.
    public var width = 0
    /// Heads of queries.
    public var heads = 0
    /// Heads of keys and values, each for several of queries; `nil` for as many as those.
    public var keyValueHeads: Int?
    /// Numbers in a head; `nil` for `width / heads`.
    public var headSize: Int?
    /// Width between the matrices of the feed-forward part.
    public var feedForward = 0

    /// What norms the residual stream.
    public var norm = Norm.rms
    /// Where a block's parts are normed.
    public var normPlace = NormPlace.before
    /// Added to variances and mean squares in norms.
    public var normEpsilon = 1e-5
    /// Whether gains of RMS norms are kept less 1, as Gemma's.
    public var gainsLessOne: Bool?
    /// How queries and keys are normed; `nil` where they are not.
    public var queryKeyNorm: QueryKeyNorm?

    /// Rows of a table of learned positions, which is added to the embedding: 0 for as many as the context, which those of
    /// a file may be more than; `nil` for rotary positions.
    public var learnedPositions: Int?
    /// The part of each head that turns with the position; `nil` for all of it.
    public var rotaryFraction: Double?
    /// The base of rotary wavelengths.
    public var rotaryBase = 10_000.0
    /// How wavelengths were stretched for a longer context.
    public var rotaryScaling: RotaryScaling?
    /// Every layer of a multiple of this number knows no positions; `nil` for none.
    public var withoutPositionsEvery: Int?

    /// Positions that a query sees, its own included; `nil` for all.
    public var window: Int?
    /// Every layer of a multiple of this number sees all positions in spite of the window; `nil` for none.
    public var fullAttentionEvery: Int?
    /// The base of rotary wavelengths, not stretched, in layers with a window; `nil` where it is that of the others.
    public var windowRotaryBase: Double?
    /// Scores of attention become `cap · tanh(score / cap)`.
    public var attentionCap: Double?
    /// Logits become `cap · tanh(logit / cap)`.
    public var logitCap: Double?
    /// Scores are divided by this number's root; `nil` for the size of a head.
    public var queryScalar: Double?

    /// Which matrices of the attention have biases.
    public var attentionBias = AttentionBias.none
    /// Whether the matrices of the feed-forward part have biases.
    public var feedForwardBias = false
    /// The function of the feed-forward part.
    public var function = Function.silu
    /// Whether the function multiplies a second product of its input.
    public var isGated = true

    /// Whether the output head is the embedding itself.
    public var tiedEmbeddings = false
    /// Whether the embedding is multiplied by `√width`, as Gemma's.
    public var scaledEmbedding: Bool?
    /// How weights are drawn.
    public var initialisation = Initialisation.normal

    /// A shape without sizes and with Llama's choices.
    public init() {}

    /// Heads of keys and values.
    public var groups: Int { keyValueHeads ?? heads }

    /// Numbers in a head.
    public var size: Int { headSize ?? (heads > 0 ? width / heads : 0) }

    /// Rows of the table of learned positions; `nil` without one.
    public var positionRows: Int? { learnedPositions.map { $0 == 0 ? context : $0 } }

    /// Leading numbers of a head that turn with the position.
    public var rotated: Int {
        learnedPositions == nil ? Int(Double(size) * (rotaryFraction ?? 1)) : 0
    }

    /// Whether a layer, from 0, knows positions.
    public func knowsPositions(_ layer: Int) -> Bool {
        withoutPositionsEvery.map { (layer + 1) % $0 != 0 } ?? true
    }

    /// Whether a layer, from 0, attends within the window.
    public func isWindowed(_ layer: Int) -> Bool {
        guard window != nil else { return false }
        return fullAttentionEvery.map { (layer + 1) % $0 != 0 } ?? true
    }
}
