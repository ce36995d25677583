import RuntimeNumerics

/// The parameters of a model, by role.
package struct NeoXWeights {
    package let embedding: Tensor
    package let layers: [NeoXLayer]
    let normGain: Tensor
    let normBias: Tensor
    package let head: Tensor

    /// Takes tensors in the order of `NeoXConfiguration.parameterShapes`.
    init(_ configuration: NeoXConfiguration, _ tensors: [Tensor]) {
        var rest = tensors[...]
        func next() -> Tensor { rest.removeFirst() }
        func affine(bias: Bool = true) -> Affine {
            Affine(weight: next(), bias: bias ? next() : nil)
        }
        embedding = next()
        layers = (0..<configuration.layers).map { _ in
            NeoXLayer(
                inputGain: next(), inputBias: next(), postGain: next(), postBias: next(),
                qkv: affine(bias: configuration.attentionBias),
                dense: affine(bias: configuration.attentionBias), up: affine(), down: affine())
        }
        normGain = next()
        normBias = next()
        head = configuration.tiedEmbeddings ? embedding : next()
    }
}

/// One transformer block.
package struct NeoXLayer {
    let inputGain, inputBias, postGain, postBias: Tensor
    package let qkv, dense, up, down: Affine

    /// The block on a residual stream `[tokens, width]`.
    package func apply(
        _ x: Tensor, rows: Int, _ configuration: NeoXConfiguration, _ angles: RotaryAngles,
        _ precision: Precision
    ) throws -> Tensor {
        let middle = try x.attentionBlock(
            inputNorm(configuration), qkv: qkv, dense: dense, rows: rows,
            heads: configuration.heads, angles: angles, adding: x, precision: precision)
        return try finish(x, middle, configuration, precision)
    }

    private func inputNorm(_ configuration: NeoXConfiguration) -> NormWeights {
        NormWeights(
            gain: inputGain, bias: inputBias, epsilon: Float(configuration.normEpsilon))
    }

    /// The attention part with the residual sum, around a function from joint queries, keys and values
    /// to what is attended.
    package func attention(
        _ x: Tensor, _ configuration: NeoXConfiguration, _ precision: Precision,
        _ attend: (Tensor) throws -> Tensor
    ) throws -> Tensor {
        let joint = try x.normed(inputNorm(configuration))
            .linear(qkv.weight, bias: qkv.bias, precision: precision)
        return try x.adding(
            try attend(joint).linear(dense.weight, bias: dense.bias, precision: precision))
    }

    /// The feed-forward part, from the block's input and `middle`, its sum with what was attended.
    package func finish(
        _ x: Tensor, _ middle: Tensor, _ configuration: NeoXConfiguration, _ precision: Precision
    ) throws -> Tensor {
        let source = configuration.parallelResidual ? x : middle
        return try source.feedForward(
            NormWeights(
                gain: postGain, bias: postBias, epsilon: Float(configuration.normEpsilon)),
            up: up, down: down, Activation(configuration.gelu == .tanh ? .geluTanh : .gelu),
            adding: middle,
            precision: precision)
    }
}
