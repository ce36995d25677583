/// The parameters of a model, by role.
struct NeoXWeights {
    let embedding: Tensor
    let layers: [NeoXLayer]
    let normGain: Tensor
    let normBias: Tensor
    let head: Tensor

    /// Takes tensors in the order of `NeoXConfiguration.parameterShapes`.
    init(_ configuration: NeoXConfiguration, _ tensors: [Tensor]) {
        var rest = tensors[...]
        func next() -> Tensor { rest.removeFirst() }
        embedding = next()
        layers = (0..<configuration.layers).map { _ in
            NeoXLayer(
                inputGain: next(), inputBias: next(), postGain: next(), postBias: next(),
                qkv: next(), qkvBias: next(),
                dense: next(), denseBias: next(), up: next(), upBias: next(), down: next(),
                downBias: next())
        }
        normGain = next()
        normBias = next()
        head = configuration.tiedEmbeddings ? embedding : next()
    }
}

/// One transformer block.
struct NeoXLayer {
    let inputGain, inputBias, postGain, postBias: Tensor
    let qkv, qkvBias, dense, denseBias: Tensor
    let up, upBias, down, downBias: Tensor

    /// The block on a residual stream `[tokens, width]`.
    func apply(
        _ x: Tensor, rows: Int, _ configuration: NeoXConfiguration, _ angles: RotaryAngles,
        _ precision: Precision
    ) throws -> Tensor {
        let attended = try attention(x, configuration, precision) {
            try $0.causalAttention(
                rows: rows, heads: configuration.heads, angles: angles, precision: precision)
        }
        return try finish(x, attended, configuration, precision)
    }

    /// The attention part, around a function from joint queries, keys and values to what is
    /// attended.
    func attention(
        _ x: Tensor, _ configuration: NeoXConfiguration, _ precision: Precision,
        _ attend: (Tensor) throws -> Tensor
    ) throws -> Tensor {
        let joint = try x.layerNorm(
            gain: inputGain, bias: inputBias, epsilon: Float(configuration.normEpsilon)
        )
        .linear(qkv, bias: qkvBias, precision: precision)
        return try attend(joint).linear(dense, bias: denseBias, precision: precision)
    }

    /// The feed-forward part and the residual sums.
    func finish(
        _ x: Tensor, _ attended: Tensor, _ configuration: NeoXConfiguration, _ precision: Precision
    ) throws -> Tensor {
        let middle = try x.adding(attended)
        let source = configuration.parallelResidual ? x : middle
        let fed = try source.layerNorm(
            gain: postGain, bias: postBias, epsilon: Float(configuration.normEpsilon)
        )
        .linear(up, bias: upBias, precision: precision)
        .gelu(tanhForm: configuration.gelu == .tanh)
        .linear(down, bias: downBias, precision: precision)
        return try middle.adding(fed)
    }
}
