import RuntimeNumerics

// Forward passes with some parameters replaced: to take gradients, to ablate, to try changed weights.

extension LanguageModel {
    /// Scores of the next token at every position, as `logits(_:rows:)`, with gradients into the
    /// replacements that require them.
    ///
    /// - Parameter replacing: tensors in place of parameters, by name, of the same shapes.
    /// - Throws: `InvalidValue` for tokens that do not fit or an unknown name; `ShapeError`;
    ///   `OutOfMemory`.
    public func logits(_ tokens: [Int32], rows: Int, replacing: [String: Tensor]) throws -> Tensor {
        try checkTokens(tokens, rows: rows)
        let weights = try weights(replacing: replacing)
        return try hidden(tokens, rows: rows, weights) { _ in }
            .linear(head(weights), precision: precision).capped(logitCap)
            .reshaped([rows, tokens.count / rows, configuration.vocabulary])
    }

    /// The residual stream, as `hiddenStates(_:rows:)`, with gradients into the replacements that
    /// require them.
    public func hiddenStates(_ tokens: [Int32], rows: Int, replacing: [String: Tensor]) throws
        -> [Tensor]
    {
        try checkTokens(tokens, rows: rows)
        var states: [Tensor] = []
        let weights = try weights(replacing: replacing)
        let last = try hidden(tokens, rows: rows, weights) { states.append($0) }
        return try (states + [last]).map {
            try $0.reshaped([rows, tokens.count / rows, configuration.width])
        }
    }

    private func weights(replacing: [String: Tensor]) throws -> [Tensor] {
        for (name, tensor) in replacing.sorted(by: { $0.key < $1.key }) {
            let shape = try parameters.tensor(named: name).shape
            guard tensor.shape == shape else {
                throw ShapeError(name, [tensor.shape], expected: "the parameter's shape \(shape)")
            }
        }
        return parameters.ranges.map { replacing[$0.name] ?? parameters.tensor($0) }
    }
}
