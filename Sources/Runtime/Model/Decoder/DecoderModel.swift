import RuntimeNumerics
import RuntimeSupport

/// A language model of a family that is a decoder, number for number that of Hugging Face's transformers.
public final class DecoderModel<Configuration: DecoderConfiguration>: LanguageModel {
    /// Its shape.
    public let configuration: Configuration
    /// Its trained numbers.
    public let parameters: Parameters
    /// The arithmetic of its products.
    public var precision: Precision
    private let plan: DecoderPlan

    init(
        _ configuration: Configuration, _ parameters: Parameters, _ precision: Precision
    ) throws {
        self.configuration = configuration
        self.parameters = parameters
        self.precision = precision
        plan = try DecoderPlan(configuration.shape)
    }

    /// What logits are capped at.
    public var logitCap: Float? { plan.shape.logitCap.map { Float($0) } }

    /// The final norm's output, `[tokens, width]`; `observe` sees the residual stream before each block and after the
    /// last.
    public func hidden(
        _ tokens: [Int32], rows: Int, _ weights: [Tensor], observe: (Tensor) -> Void
    ) throws -> Tensor {
        let weights = DecoderWeights(plan, Configuration.names, weights)
        var x = try embedded(tokens, from: 0, columns: tokens.count / rows, weights)
        for layer in weights.layers {
            observe(x)
            x = try layer.apply(x, rows: rows, precision)
        }
        observe(x)
        return try x.normed(weights.norm)
    }

    /// The residual stream at the start of tokens in rows of `columns`, the first of each at a position.
    fileprivate func embedded(
        _ tokens: [Int32], from position: Int, columns: Int, _ weights: DecoderWeights
    ) throws -> Tensor {
        var x = try weights.embedding.rows(tokens)
        if plan.shape.scaledEmbedding == true {
            x = try x.multiplied(by: Tensor.full([], Float(plan.shape.width).squareRoot()))
        }
        if let positions = weights.positions {
            let places = tokens.indices.map { Int32(position + $0 % columns) }
            x = try x.adding(positions.rows(places))
        }
        return x
    }

    /// The embedding itself where they are tied.
    public func head(_ weights: [Tensor]) -> Tensor {
        plan.shape.tiedEmbeddings ? weights[0] : weights[weights.count - 1]
    }

    /// A text to be generated.
    public func generation() throws -> any GenerationSession {
        let tensors = try parameters.tensors(gradients: false)
        return try DecoderGeneration(
            self, DecoderWeights(plan, Configuration.names, tensors))
    }
}

/// A text in progress: keys and values of its positions in every layer.
private final class DecoderGeneration<Configuration: DecoderConfiguration>: GenerationSession {
    private let model: DecoderModel<Configuration>
    private let weights: DecoderWeights
    private let layers: [(layer: DecoderLayer, cache: GroupedCache)]
    private(set) var filled = 0

    init(_ model: DecoderModel<Configuration>, _ weights: DecoderWeights) throws {
        self.model = model
        self.weights = weights
        let precision = model.precision
        layers = try weights.layers.map { (try $0.joined(precision), try $0.cache(precision)) }
        try weights.head.prepare(precision)
    }

    func clear() { filled = 0 }

    func advance(_ tokens: [Int32]) throws -> [Float] {
        try Tape.withoutGradients {
            var x = try model.embedded(tokens, from: filled, columns: tokens.count, weights)
            for (layer, cache) in layers {
                let middle = try layer.attention(x, model.precision) {
                    try cache.attend($0, filled: filled)
                }
                x = try layer.finish(middle, model.precision)
            }
            filled += tokens.count
            let last = try x.sliced(axis: 0, tokens.count - 1..<tokens.count)
            return try last.normed(weights.norm).linear(weights.head, precision: model.precision)
                .capped(model.logitCap).values()
        }
    }
}
