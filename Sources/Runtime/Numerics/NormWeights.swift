/// The gain and bias of a layer norm, or the gain of an RMS norm, which has no bias.
package struct NormWeights {
    package let gain: Tensor
    package let bias: Tensor?
    package let epsilon: Float
    /// Added to every number of the gain of an RMS norm.
    package let offset: Float

    package init(gain: Tensor, bias: Tensor?, epsilon: Float, offset: Float = 0) {
        self.gain = gain
        self.bias = bias
        self.epsilon = epsilon
        self.offset = offset
    }

    /// The tensors that may have gradients.
    var leaves: [Tensor?] { [gain, bias] }
}

/// A norm's result as an operand, with what its gradients need.
struct Normed {
    let operand: Kernels.Operand
    private let x, gain, rstd: Tensor
    private let mean: Tensor?
    private let offset: Float
    private let rows, width: Int

    init(_ x: Tensor, _ weights: NormWeights, _ precision: Precision) throws {
        self.x = x
        (rows, width) = (x.shape[0], x.shape[1])
        gain = try weights.gain.packed()
        rstd = try Tensor(uninitialized: [rows])
        offset = weights.offset
        guard let bias = weights.bias else {
            mean = nil
            operand = try Kernels.rmsNorm(
                x, gain: gain, offset: offset, epsilon: weights.epsilon, rows: rows, width: width,
                rstd: rstd, precision: precision)
            return
        }
        let mean = try Tensor(uninitialized: [rows])
        self.mean = mean
        operand = try Kernels.layerNorm(
            x, gain: gain, bias: try bias.packed(), epsilon: weights.epsilon, rows: rows,
            width: width, mean: mean, rstd: rstd, precision: precision)
    }

    /// The result, where it is float32.
    var output: Tensor { Tensor(operand.tensor.storage, shape: [rows, width]) }

    /// - Parameter nodes: Those of the norm's `leaves`.
    func addGradients(_ dy: Tensor, input: Node?, _ nodes: [Node?]) throws {
        let (dx, beta) = try input?.accumulator() ?? (Tensor(uninitialized: [rows, width]), 0)
        try addGradients(dy, into: dx, beta: beta, nodes)
    }

    /// The gradient of the input.
    func inputGradient(_ dy: Tensor, _ nodes: [Node?]) throws -> Tensor {
        let dx = try Tensor(uninitialized: [rows, width])
        try addGradients(dy, into: dx, beta: 0, nodes)
        return dx
    }

    private func addGradients(_ dy: Tensor, into dx: Tensor, beta: Float, _ nodes: [Node?]) throws {
        guard let mean else {
            let segments = Kernels.Segments(
                rows: rows, stride: width, segments: 1, length: width)
            let parts = try Kernels.rmsGradient(
                segments, offset: offset, dy, x, gain: gain, rstd: rstd, into: dx, beta: beta)
            try nodes[0]?.accumulateParts(parts)
            return
        }
        Kernels.layerNormInput(
            dy, x, gain: gain, mean: mean, rstd: rstd, rows: rows, width: width, into: dx,
            beta: beta)
        guard nodes.contains(where: { $0 != nil }) else { return }
        let dgain = try Tensor(uninitialized: [width])
        let dbias = try Tensor(uninitialized: [width])
        Kernels.layerNormWeights(
            dy, x, mean: mean, rstd: rstd, rows: rows, width: width, beta: 0, gain: dgain,
            bias: dbias)
        try nodes[0]?.accumulate(dgain)
        try nodes[1]?.accumulate(dbias)
    }
}

extension Tensor {
    /// A norm of the last axis of a matrix.
    package func normed(_ weights: NormWeights) throws -> Tensor {
        let normed = try Normed(try packed(), weights, .float32)
        return Tensor.record(normed.output, [self] + weights.leaves) { gradient, nodes in
            try normed.addGradients(
                try gradient.packed(), input: nodes[0], Array(nodes[1...]))
        }
    }
}
