// The two halves of a transformer block as one operation each. They give the bits of the operations that
// they are made of, in fewer passes over memory: operands of products are rounded where they are made, and
// biases and residual sums are added where products end.

/// A matrix `[outputs, inputs]` and a bias `[outputs]`, or none.
package struct Affine {
    package let weight: Tensor
    package let bias: Tensor?

    package init(weight: Tensor, bias: Tensor?) {
        self.weight = weight
        self.bias = bias
    }
}

/// The gain and bias of a layer norm.
package struct NormWeights {
    package let gain, bias: Tensor
    package let epsilon: Float

    package init(gain: Tensor, bias: Tensor, epsilon: Float) {
        self.gain = gain
        self.bias = bias
        self.epsilon = epsilon
    }
}

extension Tensor {
    /// `residual + down(gelu(up(norm(self))))` for a matrix `[tokens, width]`.
    package func feedForward(
        _ norm: NormWeights, up: Affine, down: Affine, tanhForm: Bool, adding residual: Tensor,
        precision: Precision
    ) throws -> Tensor {
        let normed = try Normed(try packed(), norm, precision)
        let rising = try Projection(normed.operand, up, precision)
        let hidden = try rising.output(up)
        let falling = try Projection(
            try Kernels.gelu(hidden, tanhForm: tanhForm, precision: precision), down, precision)
        let y = try falling.output(down, adding: try residual.packed())
        let inputs = [
            self, residual, norm.gain, norm.bias, up.weight, up.bias, down.weight, down.bias,
        ]
        return Tensor.record(y, inputs) { gradient, nodes in
            try nodes[1]?.accumulate(gradient)
            let dy = try gradient.packed()
            let top = try Kernels.operand(dy, precision)
            try falling.addGradients(top, weight: nodes[6])
            try nodes[7]?.accumulateColumnSums(dy)
            let (middle, parts) = try Kernels.geluGradient(
                try falling.inputGradient(top), hidden, tanhForm: tanhForm, rows: normed.rows,
                width: rising.outputs, precision: precision)
            try rising.addGradients(middle, weight: nodes[4])
            try nodes[5]?.accumulateParts(parts)
            try normed.addGradients(
                try rising.inputGradient(middle), input: nodes[0], gain: nodes[2], bias: nodes[3])
        }
    }

    /// `residual + dense(causalAttention(qkv(norm(self))))` for a matrix `[rows · columns, width]`.
    package func attentionBlock(
        _ norm: NormWeights, qkv: Affine, dense: Affine, rows: Int, heads: Int,
        angles: RotaryAngles,
        adding residual: Tensor, precision: Precision
    ) throws -> Tensor {
        let normed = try Normed(try packed(), norm, precision)
        let entering = try Projection(normed.operand, qkv, precision)
        let attention = try Attended(
            try entering.output(qkv), rows: rows, heads: heads, angles: angles, precision)
        let leaving = try Projection(
            try Kernels.operand(attention.out, precision), dense, precision)
        let y = try leaving.output(dense, adding: try residual.packed())
        let inputs = [
            self, residual, norm.gain, norm.bias, qkv.weight, qkv.bias, dense.weight, dense.bias,
        ]
        return Tensor.record(y, inputs) { gradient, nodes in
            try nodes[1]?.accumulate(gradient)
            let dy = try gradient.packed()
            let top = try Kernels.operand(dy, precision)
            try leaving.addGradients(top, weight: nodes[6])
            try nodes[7]?.accumulateColumnSums(dy)
            let joint = try attention.gradient(try leaving.inputGradient(top), bias: nodes[5])
            try entering.addGradients(joint, weight: nodes[4])
            try normed.addGradients(
                try entering.inputGradient(joint), input: nodes[0], gain: nodes[2], bias: nodes[3])
        }
    }
}

/// A layer norm's result as an operand, with what its gradients need.
private struct Normed {
    let operand: Kernels.Operand
    let x, gain, mean, rstd: Tensor
    let rows, width: Int

    init(_ x: Tensor, _ weights: NormWeights, _ precision: Precision) throws {
        self.x = x
        (rows, width) = (x.shape[0], x.shape[1])
        gain = try weights.gain.packed()
        mean = try Tensor(uninitialized: [rows])
        rstd = try Tensor(uninitialized: [rows])
        operand = try Kernels.layerNorm(
            x, gain: gain, bias: try weights.bias.packed(), epsilon: weights.epsilon, rows: rows,
            width: width, mean: mean, rstd: rstd, precision: precision)
    }

    func addGradients(_ dy: Tensor, input: Node?, gain: Node?, bias: Node?) throws {
        if let input {
            let (dx, beta) = try input.accumulator()
            Kernels.layerNormInput(
                dy, x, gain: self.gain, mean: mean, rstd: rstd, rows: rows, width: width, into: dx,
                beta: beta)
        }
        guard gain != nil || bias != nil else { return }
        let dgain = try Tensor(uninitialized: [width])
        let dbias = try Tensor(uninitialized: [width])
        Kernels.layerNormWeights(
            dy, x, mean: mean, rstd: rstd, rows: rows, width: width, beta: 0, gain: dgain,
            bias: dbias)
        try gain?.accumulate(dgain)
        try bias?.accumulate(dbias)
    }
}

/// The operands of a product with a weight, for the product and its gradients.
private struct Projection {
    let input, weight: Kernels.Operand
    let rows, inputs, outputs: Int

    init(_ input: Kernels.Operand, _ affine: Affine, _ precision: Precision) throws {
        self.input = input
        weight = try Kernels.operand(try affine.weight.packed(), precision)
        (outputs, inputs) = (affine.weight.shape[0], affine.weight.shape[1])
        rows = input.count / inputs
    }

    func output(_ affine: Affine, adding residual: Tensor? = nil) throws -> Tensor {
        let y = try Tensor(uninitialized: [rows, outputs])
        try Kernels.multiply(
            input, weight, transposeB: true, into: y, m: rows, n: outputs, k: inputs,
            bias: try affine.bias?.packed(), residual: residual)
        return y
    }

    func inputGradient(_ top: Kernels.Operand) throws -> Tensor {
        let dx = try Tensor(uninitialized: [rows, inputs])
        try Kernels.multiply(top, weight, into: dx, m: rows, n: inputs, k: outputs)
        return dx
    }

    func addGradients(_ top: Kernels.Operand, weight node: Node?) throws {
        guard let node else { return }
        let (dw, beta) = try node.accumulator()
        try Kernels.multiply(
            transposeA: true, top, input, into: dw, m: outputs, n: inputs, k: rows, beta: beta)
    }
}

/// Attention on joint queries, keys and values, with what its gradient needs.
private struct Attended {
    let shape: Kernels.AttentionShape
    let angles: RotaryAngles
    let q, k, v, out, lse: Tensor

    init(
        _ joint: Tensor, rows: Int, heads: Int, angles: RotaryAngles, _ precision: Precision
    ) throws {
        shape = try joint.attentionShape(
            rows: rows, heads: heads, angles: angles, precision: precision)
        self.angles = angles
        q = try Tensor(uninitialized: shape.headed)
        k = try Tensor(uninitialized: shape.headed)
        v = try Tensor(uninitialized: shape.headed)
        out = try Tensor(uninitialized: [joint.shape[0], heads * shape.size])
        lse = try Tensor(uninitialized: [rows, heads, shape.time])
        Kernels.splitHeads(
            shape, joint, cosine: angles.cosine, sine: angles.sine, q: q, k: k, v: v)
        try Kernels.attend(shape, q: q, k: k, v: v, into: out, lse: lse)
    }

    /// The gradient of the joint matrix as an operand; its column sums go to `bias`.
    func gradient(_ dout: Tensor, bias: Node?) throws -> Kernels.Operand {
        let headed = [shape.batch, shape.heads, shape.time, shape.size]
        let dq = try Tensor(uninitialized: headed)
        let dk = try Tensor(uninitialized: headed)
        let dv = try Tensor(uninitialized: headed)
        try Kernels.attendGradient(
            shape, q: q, k: k, v: v, out: out, lse: lse, dout: dout, dq: dq, dk: dk, dv: dv)
        guard shape.time % Kernels.partRows == 0 else {
            let joint = try Tensor(
                uninitialized: [shape.batch * shape.time, 3 * shape.heads * shape.size])
            Kernels.splitHeadsGradient(
                shape, dq: dq, dk: dk, dv: dv, cosine: angles.cosine, sine: angles.sine,
                into: joint, beta: 0)
            try bias?.accumulateColumnSums(joint)
            return try Kernels.operand(joint, shape.precision)
        }
        let (joint, parts) = try Kernels.splitHeadsGradient(
            shape, dq: dq, dk: dk, dv: dv, cosine: angles.cosine, sine: angles.sine)
        try bias?.accumulateParts(parts)
        return joint
    }
}

extension Node {
    fileprivate func accumulateColumnSums(_ x: Tensor) throws {
        let (y, beta) = try accumulator()
        Kernels.columnSums(x, rows: x.shape[0], width: x.shape[1], into: y, beta: beta)
    }

    fileprivate func accumulateParts(_ parts: Tensor) throws {
        let (y, beta) = try accumulator()
        Kernels.addParts(parts, into: y, beta: beta)
    }
}
