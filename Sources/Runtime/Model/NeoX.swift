import RuntimeData
import RuntimeNumerics
import RuntimeSupport

/// A sum of cross-entropies.
public struct LossSum: Hashable, Codable, Sendable {
    /// In nats, over counted targets.
    public var nats: Double
    /// Counted targets.
    public var count: Int

    /// Creates a sum, by default of nothing.
    public init(nats: Double = 0, count: Int = 0) {
        self.nats = nats
        self.count = count
    }

    /// Nats for each counted target.
    public var mean: Double { nats / Double(count) }

    /// Adds another sum.
    public static func += (left: inout LossSum, right: LossSum) {
        left.nats += right.nats
        left.count += right.count
    }
}

/// A GPT-NeoX language model, number for number that of Hugging Face's GPTNeoXForCausalLM.
public final class NeoX {
    /// Its shape.
    public let configuration: NeoXConfiguration
    /// Its trained numbers.
    public let parameters: Parameters
    /// The arithmetic of its products.
    public var precision: Precision
    package let angles: RotaryAngles

    /// A model with fresh weights, a function of configuration and seed alone.
    ///
    /// - Throws: `InvalidValue` for a configuration that is not valid; `OutOfMemory`.
    public convenience init(
        _ configuration: NeoXConfiguration, seed: UInt64, precision: Precision = .float32
    ) throws {
        try self.init(configuration, precision: precision) { parameters in
            Self.initialise(parameters, configuration, seed: seed)
        }
    }

    /// A model whose weights, zero at first, `fill` writes.
    ///
    /// - Throws: `InvalidValue` for a configuration that is not valid; `OutOfMemory`; whatever `fill` throws.
    package init(
        _ configuration: NeoXConfiguration, precision: Precision, fill: (Parameters) throws -> Void
    ) throws {
        try configuration.validate()
        self.configuration = configuration
        self.precision = precision
        parameters = try Parameters(configuration.parameterShapes)
        angles = try RotaryAngles(
            rotated: configuration.rotated, positions: configuration.context,
            base: Float(configuration.rotaryBase))
        try fill(parameters)
    }

    /// A model of the same shape with a copy of another's weights.
    ///
    /// - Throws: `OutOfMemory`.
    public init(copying other: NeoX) throws {
        configuration = other.configuration
        precision = other.precision
        angles = other.angles
        parameters = try Parameters(configuration.parameterShapes)
        _ = parameters.values.update(from: other.parameters.values)
    }

    private static func initialise(
        _ parameters: Parameters, _ configuration: NeoXConfiguration, seed: UInt64
    ) {
        let width = Double(configuration.width)
        let layers = Double(configuration.layers)
        let (inner, writing) =
            switch configuration.initialisation {
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

    /// The loss of a batch, without gradients.
    ///
    /// - Throws: `ShapeError` or `InvalidValue` for a batch that does not fit the model, or in
    ///   which nothing is counted.
    public func loss(_ batch: TokenBatch) throws -> LossSum {
        try check(batch)
        return try Tape.withoutGradients {
            let weights = try NeoXWeights(configuration, parameters.tensors(gradients: false))
            let hidden = try hidden(batch.inputs, rows: batch.rows, weights)
            return try hidden.headLoss(weights.head, targets: batch.targets, precision: precision)
        }
    }

    /// The loss of each row of a batch, without gradients; each row must have something that counts.
    ///
    /// - Throws: as `loss(_:)`.
    public func rowLosses(_ batch: TokenBatch) throws -> [LossSum] {
        try check(batch)
        return try losses(
            batch,
            of: (0..<batch.rows).map { $0 * batch.columns..<($0 + 1) * batch.columns })
    }

    /// The loss of some parts of a batch, ranges of its positions row by row, without gradients; each part must have
    /// something that counts.
    ///
    /// - Throws: as `loss(_:)`.
    package func losses(_ batch: TokenBatch, of parts: [Range<Int>]) throws -> [LossSum] {
        try check(batch)
        return try Tape.withoutGradients {
            let weights = try NeoXWeights(configuration, parameters.tensors(gradients: false))
            let hidden = try hidden(batch.inputs, rows: batch.rows, weights)
            return try parts.map { range in
                let counted = range.filter { batch.targets[$0] >= 0 }
                guard let first = counted.first, let last = counted.last else {
                    throw InvalidValue(
                        "targets", expected: "something that counts in each row",
                        found: "nothing in row \(range.lowerBound / batch.columns)")
                }
                return try hidden.sliced(axis: 0, first..<last + 1).headLoss(
                    weights.head, targets: Array(batch.targets[first...last]), precision: precision)
            }
        }
    }

    /// Adds the gradient of `scale · nats` to `parameters.gradients`.
    ///
    /// - Returns: the loss, not scaled.
    /// - Throws: as `loss(_:)`, and `OutOfMemory`; the gradients are then undefined.
    public func accumulateGradients(_ batch: TokenBatch, scale: Float) throws -> LossSum {
        try check(batch)
        let weights = try NeoXWeights(configuration, parameters.tensors(gradients: true))
        let hidden = try hidden(batch.inputs, rows: batch.rows, weights)
        let (loss, gradient) = try hidden.headLossAndGradient(
            weights.head, targets: batch.targets, scale: scale, precision: precision)
        try hidden.backward(gradient)
        return loss
    }

    /// Scores of the next token at every position, shape `[rows, columns, vocabulary]`.
    ///
    /// - Throws: `InvalidValue` for tokens that do not fill `rows` or are not in the vocabulary;
    ///   `OutOfMemory`.
    public func logits(_ tokens: [Int32], rows: Int) throws -> Tensor {
        try checkTokens(tokens, rows: rows)
        return try Tape.withoutGradients {
            let weights = try NeoXWeights(configuration, parameters.tensors(gradients: false))
            let hidden = try hidden(tokens, rows: rows, weights)
            return try hidden.linear(weights.head, precision: precision)
                .reshaped([rows, tokens.count / rows, configuration.vocabulary])
        }
    }

    /// The residual stream after each block, the embedding first and the final norm last: `layers +
    /// 2` tensors of shape `[rows, columns, width]`.
    public func hiddenStates(_ tokens: [Int32], rows: Int) throws -> [Tensor] {
        try checkTokens(tokens, rows: rows)
        return try Tape.withoutGradients {
            let weights = try NeoXWeights(configuration, parameters.tensors(gradients: false))
            var states: [Tensor] = []
            let last = try hidden(tokens, rows: rows, weights) { states.append($0) }
            return try (states + [last]).map {
                try $0.reshaped([rows, tokens.count / rows, configuration.width])
            }
        }
    }

    /// The final layer norm's output, `[tokens, width]`; `observe` sees the residual stream before
    /// each block and after the last.
    package func hidden(
        _ tokens: [Int32], rows: Int, _ weights: NeoXWeights, observe: (Tensor) -> Void = { _ in }
    ) throws -> Tensor {
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

    private func check(_ batch: TokenBatch) throws {
        let (count, overflow) = batch.rows.multipliedReportingOverflow(by: batch.columns)
        guard batch.rows > 0, batch.columns > 0, !overflow, batch.inputs.count == count,
            batch.targets.count == count
        else {
            throw ShapeError(
                "batch",
                [[batch.rows, batch.columns], [batch.inputs.count], [batch.targets.count]],
                expected: "rows · columns inputs and as many targets")
        }
        try checkTokens(batch.inputs, rows: batch.rows)
        var counted = 0
        for (position, target) in batch.targets.enumerated() where target != -1 {
            guard target >= 0, target < configuration.vocabulary else {
                throw InvalidValue(
                    "target \(position)",
                    expected: "-1 or a token id below \(configuration.vocabulary)", found: target)
            }
            counted += 1
        }
        guard counted > 0 else {
            throw InvalidValue(
                "targets", expected: "at least one that is counted", found: "only -1")
        }
    }

    func checkTokens(_ tokens: [Int32], rows: Int) throws {
        guard rows > 0, !tokens.isEmpty, tokens.count % rows == 0 else {
            throw InvalidValue(
                "tokens", expected: "equally many for each of \(rows) rows", found: tokens.count)
        }
        guard tokens.count / rows <= configuration.context else {
            throw InvalidValue(
                "columns", expected: "at most the context of \(configuration.context)",
                found: tokens.count / rows)
        }
        if let position = tokens.firstIndex(where: { $0 < 0 || $0 >= configuration.vocabulary }) {
            throw InvalidValue(
                "token \(position)", expected: "a token id below \(configuration.vocabulary)",
                found: tokens[position])
        }
    }
}
