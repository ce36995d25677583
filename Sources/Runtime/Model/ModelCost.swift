import RuntimeNumerics

/// The memory of a training step, in bytes.
public struct MemoryEstimate: Hashable, Codable, Sendable {
    /// Trained numbers.
    public var parameters: Int
    /// Their gradients.
    public var gradients: Int
    /// What the optimizer keeps between steps: AdamW's two moments.
    public var moments: Int
    /// What the forward pass keeps for the backward pass.
    public var activations: Int
    /// The most that is needed for a moment beside the activations: logits, or gradients within a
    /// block.
    public var temporary: Int

    package init(parameters: Int, gradients: Int, moments: Int, activations: Int, temporary: Int) {
        self.parameters = parameters
        self.gradients = gradients
        self.moments = moments
        self.activations = activations
        self.temporary = temporary
    }

    /// All together.
    public var total: Int {
        Int.saturatingSum(parameters, gradients, moments, activations, temporary)
    }
}

extension ModelConfiguration {
    /// The memory of a training step on `rows · columns` tokens; evaluation alone needs parameters
    /// and temporaries.
    public func memory(
        rows: Int, columns: Int, optimizer: any Optimizer = AdamW()
    ) -> MemoryEstimate {
        let ranges = ParameterRange.ranges(of: parameterShapes)
        let tokens = Int.saturatingProduct(rows, columns)
        let parameters = Int.saturatingProduct(4, parameterCount)
        let activations = Int.saturatingProduct(4, keptNumbers(tokens: tokens))
        let chunk = min(tokens, Tensor.headRows(vocabulary: vocabulary))
        let head = Int.saturatingSum(
            Int.saturatingProduct(chunk, vocabulary), Int.saturatingProduct(tokens, width))
        return MemoryEstimate(
            parameters: parameters, gradients: parameters,
            moments: optimizer.stateBytes(for: ranges), activations: activations,
            // A step of the optimizer comes when the activations are gone.
            temporary: max(
                Int.saturatingProduct(4, max(head, passingNumbers(tokens: tokens))),
                optimizer.workspaceBytes(for: ranges) - activations))
    }

    /// Floating-point operations of one training token: forward and backward, at sequences of
    /// `columns` tokens.
    ///
    /// Products of matrices only, two operations each; the backward pass counts twice the forward
    /// pass, and attention only positions that are seen (Kaplan et al. 2020, arXiv 2001.08361,
    /// section 2.1, but causal).
    public func trainingOperationsPerToken(columns: Int) -> Double {
        3 * operationsPerToken(columns: columns)
    }
}
