import RuntimeNumerics
import RuntimeSupport

/// A GPT-NeoX language model, number for number that of Hugging Face's GPTNeoXForCausalLM.
public final class NeoX: LanguageModel {
    /// Its shape.
    public let configuration: NeoXConfiguration
    /// Its trained numbers.
    public let parameters: Parameters
    /// The arithmetic of its products.
    public var precision: Precision
    let angles: RotaryAngles

    init(
        _ configuration: NeoXConfiguration, _ parameters: Parameters, _ precision: Precision
    ) throws {
        self.configuration = configuration
        self.parameters = parameters
        self.precision = precision
        angles = try RotaryAngles(
            rotated: configuration.rotated, positions: configuration.context,
            base: Float(configuration.rotaryBase))
    }

    /// The final layer norm's output, `[tokens, width]`; `observe` sees the residual stream before
    /// each block and after the last.
    public func hidden(
        _ tokens: [Int32], rows: Int, _ weights: [Tensor], observe: (Tensor) -> Void
    ) throws -> Tensor {
        let weights = NeoXWeights(configuration, weights)
        var x = try weights.embedding.rows(tokens)
        for layer in weights.layers {
            observe(x)
            x = try layer.apply(x, rows: rows, configuration, angles, precision)
        }
        observe(x)
        return try x.layerNorm(
            gain: weights.normGain, bias: weights.normBias,
            epsilon: Float(configuration.normEpsilon))
    }

    /// The embedding itself where they are tied.
    public func head(_ weights: [Tensor]) -> Tensor {
        configuration.tiedEmbeddings ? weights[0] : weights[weights.count - 1]
    }

    /// A text to be generated.
    public func generation() throws -> any GenerationSession { try NeoXGeneration(self) }
}
