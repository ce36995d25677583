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

/// A language model of some family: how its parameters make hidden states, and those logits.
///
/// Losses, gradients, logits and generation are the same for all families and follow from these.
public protocol LanguageModel: AnyObject {
    /// The family's configurations.
    associatedtype Configuration: ModelConfiguration
    /// Its shape.
    var configuration: Configuration { get }
    /// Its trained numbers.
    var parameters: Parameters { get }
    /// The arithmetic of its products.
    var precision: Precision { get set }

    /// The final norm's output, `[tokens, width]`, of rows of equal length.
    ///
    /// - Parameters:
    ///   - weights: A tensor for each parameter, in the order of `parameterShapes`.
    ///   - observe: Sees the residual stream before each block and after the last.
    func hidden(
        _ tokens: [Int32], rows: Int, _ weights: [Tensor], observe: (Tensor) -> Void
    ) throws -> Tensor
    /// The matrix `[vocabulary, width]` that makes logits of the final norm's output.
    func head(_ weights: [Tensor]) -> Tensor
    /// Logits become `cap · tanh(logit / cap)`; `nil` for no cap.
    var logitCap: Float? { get }
    /// A text to be generated.
    ///
    /// - Throws: `OutOfMemory`.
    func generation() throws -> any GenerationSession
}

/// A text in progress: what a model keeps of its positions, so that one more costs little.
public protocol GenerationSession: AnyObject {
    /// Positions taken.
    var filled: Int { get }
    /// Starts a new text.
    func clear()
    /// Takes more tokens: several at the start of a text, then one at a time; the caller keeps within the context.
    ///
    /// - Returns: the logits of the next token.
    func advance(_ tokens: [Int32]) throws -> [Float]
}

extension LanguageModel {
    /// No cap.
    public var logitCap: Float? { nil }

    /// A model of the same shape with a copy of the weights.
    ///
    /// - Throws: `OutOfMemory`.
    public func copy() throws -> any LanguageModel {
        let copied = try Parameters(configuration.parameterShapes)
        _ = copied.values.update(from: parameters.values)
        return try configuration.model(of: copied, precision: precision)
    }

    /// The loss of a batch, without gradients.
    ///
    /// - Throws: `ShapeError` or `InvalidValue` for a batch that does not fit the model, or in
    ///   which nothing is counted.
    public func loss(_ batch: TokenBatch) throws -> LossSum {
        try check(batch)
        return try Tape.withoutGradients {
            let weights = try parameters.tensors(gradients: false)
            let hidden = try hidden(batch.inputs, rows: batch.rows, weights) { _ in }
            return try hidden.headLoss(
                head(weights), targets: batch.targets, cap: logitCap, precision: precision)
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
            let weights = try parameters.tensors(gradients: false)
            let hidden = try hidden(batch.inputs, rows: batch.rows, weights) { _ in }
            return try parts.map { range in
                let counted = range.filter { batch.targets[$0] >= 0 }
                guard let first = counted.first, let last = counted.last else {
                    throw InvalidValue(
                        "targets", expected: "something that counts in each row",
                        found: "nothing in row \(range.lowerBound / batch.columns)")
                }
                return try hidden.sliced(axis: 0, first..<last + 1).headLoss(
                    head(weights), targets: Array(batch.targets[first...last]),
                    cap: logitCap, precision: precision)
            }
        }
    }

    /// Adds the gradient of `scale · nats` to `parameters.gradients`.
    ///
    /// - Returns: the loss, not scaled.
    /// - Throws: as `loss(_:)`, and `OutOfMemory`; the gradients are then undefined.
    public func accumulateGradients(_ batch: TokenBatch, scale: Float) throws -> LossSum {
        try check(batch)
        let weights = try parameters.tensors(gradients: true)
        let hidden = try hidden(batch.inputs, rows: batch.rows, weights) { _ in }
        let (loss, gradient) = try hidden.headLossAndGradient(
            head(weights), targets: batch.targets, scale: scale, cap: logitCap,
            precision: precision)
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
            let weights = try parameters.tensors(gradients: false)
            let hidden = try hidden(tokens, rows: rows, weights) { _ in }
            return try hidden.linear(head(weights), precision: precision).capped(logitCap)
                .reshaped([rows, tokens.count / rows, configuration.vocabulary])
        }
    }

    /// The residual stream after each block, the embedding first and the final norm last: `layers +
    /// 2` tensors of shape `[rows, columns, width]`.
    public func hiddenStates(_ tokens: [Int32], rows: Int) throws -> [Tensor] {
        try checkTokens(tokens, rows: rows)
        return try Tape.withoutGradients {
            let weights = try parameters.tensors(gradients: false)
            var states: [Tensor] = []
            let last = try hidden(tokens, rows: rows, weights) { states.append($0) }
            return try (states + [last]).map {
                try $0.reshaped([rows, tokens.count / rows, configuration.width])
            }
        }
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
