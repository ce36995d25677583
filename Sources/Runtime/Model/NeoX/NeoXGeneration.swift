import RuntimeNumerics

/// A text in progress: keys and values of its positions in every layer.
final class NeoXGeneration: GenerationSession {
    private let model: NeoX
    private let weights: NeoXWeights
    private let keys: [Tensor]
    private let values: [Tensor]
    private(set) var filled = 0

    init(_ model: NeoX) throws {
        self.model = model
        let tensors = try model.parameters.tensors(gradients: false)
        for tensor in tensors where tensor.rank == 2 { try tensor.prepare(model.precision) }
        weights = NeoXWeights(model.configuration, tensors)
        let shape = [
            model.configuration.heads, model.configuration.context, model.configuration.headSize,
        ]
        keys = try (0..<model.configuration.layers).map { _ in try Tensor(uninitialized: shape) }
        values = try (0..<model.configuration.layers).map { _ in try Tensor(uninitialized: shape) }
    }

    func clear() { filled = 0 }

    func advance(_ tokens: [Int32]) throws -> [Float] {
        let configuration = model.configuration
        return try Tape.withoutGradients {
            var x = try weights.embedding.rows(tokens)
            for (index, layer) in weights.layers.enumerated() {
                let middle = try layer.attention(x, configuration, model.precision) {
                    try attend($0, index)
                }
                x = try layer.finish(x, middle, configuration, model.precision)
            }
            filled += tokens.count
            return try x.sliced(axis: 0, tokens.count - 1..<tokens.count).layerNorm(
                gain: weights.normGain, bias: weights.normBias,
                epsilon: Float(configuration.normEpsilon)
            ).linear(weights.head, precision: model.precision).values()
        }
    }

    private func attend(_ joint: Tensor, _ layer: Int) throws -> Tensor {
        let configuration = model.configuration
        let (heads, size, time) = (configuration.heads, configuration.headSize, joint.shape[0])
        let geometry = Kernels.AttentionShape(
            batch: 1, time: time, heads: heads, size: size, rotated: model.angles.rotated,
            precision: model.precision)
        let q = try Tensor(uninitialized: [heads, time, size])
        let k = try Tensor(uninitialized: [heads, time, size])
        let v = try Tensor(uninitialized: [heads, time, size])
        let out = try Tensor(uninitialized: [time, heads * size])
        let (cosine, sine) = model.angles.from(filled)
        Kernels.splitHeads(geometry, joint, cosine: cosine, sine: sine, q: q, k: k, v: v)
        for (fresh, cache) in [(k, keys[layer]), (v, values[layer])] {
            for head in 0..<heads {
                let count = time * size
                let place = Tensor(
                    cache.storage, shape: [count],
                    offset: (head * configuration.context + filled) * size)
                Kernels.copy(
                    Tensor(fresh.storage, shape: [count], offset: head * count), into: place)
            }
        }
        if time > 1 {
            let lse = try Tensor(uninitialized: [heads, time])
            try Kernels.attend(geometry, q: q, k: k, v: v, into: out, lse: lse)
        } else {
            try Kernels.attendOne(
                heads: heads, size: size, time: filled + 1, capacity: configuration.context, q: q,
                k: keys[layer], v: values[layer], into: out)
        }
        return out
    }
}
