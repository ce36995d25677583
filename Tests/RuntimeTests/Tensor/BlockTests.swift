import Runtime
import Testing

/// Blocks against the operations that they are made of: the same bits, values and gradients.
@Suite("Blocks")
struct BlockTests {
    /// Tensors of a block: norm, first and second matrix with or without biases.
    struct Weights {
        let gain, bias: Tensor
        let first, second: Affine

        init(width: Int, middle: Int, inner: Int, biases: Bool = true) throws {
            func leaf(_ shape: [Int], _ seed: UInt64) throws -> Tensor {
                try Tensor.uniform(shape, low: -0.3, high: 0.3, seed: seed).requiringGradient()
            }
            (gain, bias) = (try leaf([width], 1), try leaf([width], 2))
            first = Affine(
                weight: try leaf([middle, width], 3), bias: biases ? try leaf([middle], 4) : nil)
            second = Affine(
                weight: try leaf([width, inner], 5), bias: biases ? try leaf([width], 6) : nil)
        }

        var norm: NormWeights { NormWeights(gain: gain, bias: bias, epsilon: 1e-5) }
        var leaves: [Tensor] {
            [gain, bias, first.weight, first.bias, second.weight, second.bias].compactMap(\.self)
        }
    }

    /// The bits of a result and of all gradients, for an input of `rows` and another residual or itself.
    private func bits(
        rows: Int, width: Int, sameResidual: Bool, _ weights: Weights,
        _ body: (Tensor, Tensor) throws -> Tensor
    ) throws -> [[UInt32]] {
        let x = try Tensor.uniform([rows, width], low: -1, high: 1, seed: 7).requiringGradient()
        let other = try Tensor.uniform([rows, width], low: -1, high: 1, seed: 8)
            .requiringGradient()
        let y = try body(x, sameResidual ? x : other)
        try y.backward(try Tensor.uniform([rows, width], low: -1, high: 1, seed: 9))
        let gradients = (weights.leaves + [x] + (sameResidual ? [] : [other])).map(\.gradient)
        defer { weights.leaves.forEach { $0.clearGradient() } }
        return try ([y] + gradients.map { try #require($0) }).map {
            try $0.values().map(\.bitPattern)
        }
    }

    @Test(
        "the feed-forward part is its operations", arguments: Precision.allCases, [1, 65, 128])
    func feedForward(precision: Precision, rows: Int) throws {
        let weights = try Weights(width: 48, middle: 272, inner: 272)
        for (tanhForm, same) in [(false, false), (true, true)] {
            let composed = try bits(rows: rows, width: 48, sameResidual: same, weights) {
                let fed = try $0.layerNorm(gain: weights.gain, bias: weights.bias)
                    .linear(weights.first.weight, bias: weights.first.bias, precision: precision)
                    .gelu(tanhForm: tanhForm)
                    .linear(weights.second.weight, bias: weights.second.bias, precision: precision)
                return try $1.adding(fed)
            }
            let fused = try bits(rows: rows, width: 48, sameResidual: same, weights) {
                try $0.feedForward(
                    weights.norm, up: weights.first, down: weights.second,
                    Activation(tanhForm ? .geluTanh : .gelu),
                    adding: $1, precision: precision)
            }
            #expect(fused == composed)
        }
    }

    @Test(
        "the attention part is its operations", arguments: Precision.allCases,
        [(columns: 128, size: 32), (columns: 70, size: 32), (columns: 64, size: 12)])
    func attention(precision: Precision, shape: (columns: Int, size: Int)) throws {
        let width = 2 * shape.size
        let angles = try RotaryAngles(rotated: 8, positions: shape.columns)
        for (same, biases) in [(false, true), (true, true), (true, false)] {
            let weights = try Weights(
                width: width, middle: 3 * width, inner: width, biases: biases)
            let composed = try bits(
                rows: 2 * shape.columns, width: width, sameResidual: same, weights
            ) {
                let attended = try $0.layerNorm(gain: weights.gain, bias: weights.bias)
                    .linear(weights.first.weight, bias: weights.first.bias, precision: precision)
                    .causalAttention(rows: 2, heads: 2, angles: angles, precision: precision)
                    .linear(weights.second.weight, bias: weights.second.bias, precision: precision)
                return try $1.adding(attended)
            }
            let fused = try bits(
                rows: 2 * shape.columns, width: width, sameResidual: same, weights
            ) {
                try $0.attentionBlock(
                    weights.norm, qkv: weights.first, dense: weights.second, rows: 2, heads: 2,
                    angles: angles, adding: $1, precision: precision)
            }
            #expect(fused == composed)
        }
    }
}
