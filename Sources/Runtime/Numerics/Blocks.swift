// The two halves of a transformer block as one operation each. They give the bits of the operations that
// they are made of, in fewer passes over memory: operands of products are rounded where they are made, and
// biases and residual sums are added where products end.

/// The leaves of a block's tape, in groups.
private struct BlockInputs {
    private(set) var all: [Tensor?] = []

    /// Adds a group.
    ///
    /// - Returns: its places.
    mutating func add(_ tensors: [Tensor?]) -> Range<Int> {
        all += tensors
        return all.count - tensors.count..<all.count
    }
}

/// The beginning of a block: a norm, or none, and a product.
private struct Entering {
    let projection: Projection
    private let normed: Normed?
    private let norm, weights, biases: Range<Int>

    init(
        _ x: Tensor, _ norm: NormWeights?, _ affine: Affine, _ inputs: inout BlockInputs,
        _ precision: Precision
    ) throws {
        let x = try x.packed()
        normed = try norm.map { try Normed(x, $0, precision) }
        projection = try Projection(
            try normed?.operand ?? Kernels.operand(x, precision), affine, precision)
        self.norm = inputs.add(norm?.leaves ?? [])
        weights = inputs.add(affine.weights)
        biases = inputs.add(affine.biases)
    }

    func biasNodes(_ nodes: [Node?]) -> [Node?] { Array(nodes[biases]) }

    /// Adds the gradients of all but the biases, from that of the product's result.
    func addGradients(_ top: Kernels.Operand, input: Node?, _ nodes: [Node?]) throws {
        try projection.addGradients(top, weights: Array(nodes[weights]))
        let dx = try projection.inputGradient(top)
        if let normed {
            try normed.addGradients(dx, input: input, Array(nodes[norm]))
        } else {
            try input?.accumulate(dx)
        }
    }
}

/// The end of a block: a product, a norm or none, and the residual sum.
private struct Leaving {
    let y: Tensor
    private let projection: Projection
    private let normed: Normed?
    private let norm, weights, biases: Range<Int>
    private let precision: Precision

    init(
        _ x: Kernels.Operand, _ affine: Affine, _ norm: NormWeights?, adding residual: Tensor,
        _ inputs: inout BlockInputs, _ precision: Precision
    ) throws {
        projection = try Projection(x, affine, precision)
        self.precision = precision
        weights = inputs.add(affine.weights)
        biases = inputs.add(affine.biases)
        self.norm = inputs.add(norm?.leaves ?? [])
        let residual = try residual.packed()
        if let norm {
            let normed = try Normed(try projection.output(affine), norm, .float32)
            self.normed = normed
            y = normed.output
            Kernels.add(1, residual, to: y, beta: 1)
        } else {
            normed = nil
            y = try projection.output(affine, adding: residual)
        }
    }

    /// The gradient of the product's operand; those of the leaves are added.
    func inputGradient(_ dy: Tensor, _ nodes: [Node?]) throws -> Tensor {
        let dy = try normed?.inputGradient(dy, Array(nodes[norm])) ?? dy
        let top = try Kernels.operand(dy, precision)
        try projection.addGradients(top, weights: Array(nodes[weights]))
        try projection.addGradients(dy, biases: Array(nodes[biases]))
        return try projection.inputGradient(top)
    }
}

/// What heads attended, with what its gradient needs.
protocol AttendedHeads {
    /// `[tokens, heads · size]`.
    var out: Tensor { get }
    /// The gradient of the product `entering` that made queries, keys and values, as an operand; those of its biases
    /// and of the norms of queries and keys are added.
    func gradient(
        _ dout: Tensor, of entering: Projection, biases: [Node?], norms: [Node?]
    ) throws -> Kernels.Operand
}

extension Tensor {
    /// `residual + after(down(activation(up(norm(self)))))` for a matrix `[tokens, width]`, with either norm or without.
    package func feedForward(
        _ norm: NormWeights?, up: Affine, down: Affine, _ activation: Activation,
        after: NormWeights? = nil, adding residual: Tensor, precision: Precision
    ) throws -> Tensor {
        var inputs = BlockInputs()
        _ = inputs.add([self, residual])
        let entering = try Entering(self, norm, up, &inputs, precision)
        let hidden = try entering.projection.output(up)
        let leaving = try Leaving(
            try activation.operand(hidden, precision), down, after, adding: residual, &inputs,
            precision)
        return Tensor.record(leaving.y, inputs.all) { gradient, nodes in
            try nodes[1]?.accumulate(gradient)
            let dy = try leaving.inputGradient(try gradient.packed(), nodes)
            let middle = try activation.gradient(
                dy, hidden, of: entering.projection, biases: entering.biasNodes(nodes), precision)
            try entering.addGradients(middle, input: nodes[0], nodes)
        }
    }

    /// `residual + dense(causalAttention(qkv(norm(self))))` for a matrix `[rows · columns, width]`.
    package func attentionBlock(
        _ norm: NormWeights, qkv: Affine, dense: Affine, rows: Int, heads: Int,
        angles: RotaryAngles,
        adding residual: Tensor, precision: Precision
    ) throws -> Tensor {
        try attentionBlock(norm, qkv: qkv, dense: dense, adding: residual, precision: precision) {
            try Attended($0, rows: rows, heads: heads, angles: angles, precision)
        }
    }

    /// `self + after(dense(causalAttention(qkv(norm(self)))))` for a matrix `[rows · columns, width]`, with either norm or
    /// without; `qkv` makes all queries, then all keys, then all values.
    package func groupedAttentionBlock(
        _ norm: NormWeights?, qkv: Affine, heads: GroupedHeads, norms: HeadNorms?, dense: Affine,
        after: NormWeights?, rows: Int, angles: RotaryAngles, precision: Precision
    ) throws -> Tensor {
        try attentionBlock(
            norm, qkv: qkv, gains: norms.map { [$0.query, $0.key] } ?? [], dense: dense,
            after: after, adding: self, precision: precision
        ) {
            try GroupedAttention(
                $0, rows: rows, heads: heads, norms: norms, angles: angles, precision)
        }
    }

    private func attentionBlock(
        _ norm: NormWeights?, qkv: Affine, gains: [Tensor] = [], dense: Affine,
        after: NormWeights? = nil, adding residual: Tensor, precision: Precision,
        attend: (Tensor) throws -> any AttendedHeads
    ) throws -> Tensor {
        var inputs = BlockInputs()
        _ = inputs.add([self, residual])
        let entering = try Entering(self, norm, qkv, &inputs, precision)
        let attention = try attend(try entering.projection.output(qkv))
        let norms = inputs.add(gains)
        let leaving = try Leaving(
            try Kernels.operand(attention.out, precision), dense, after, adding: residual, &inputs,
            precision)
        return Tensor.record(leaving.y, inputs.all) { gradient, nodes in
            try nodes[1]?.accumulate(gradient)
            let dy = try leaving.inputGradient(try gradient.packed(), nodes)
            let joint = try attention.gradient(
                dy, of: entering.projection, biases: entering.biasNodes(nodes),
                norms: Array(nodes[norms]))
            try entering.addGradients(joint, input: nodes[0], nodes)
        }
    }
}

/// Attention on joint queries, keys and values, with what its gradient needs.
private struct Attended: AttendedHeads {
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

    func gradient(
        _ dout: Tensor, of entering: Projection, biases: [Node?], norms: [Node?]
    ) throws -> Kernels.Operand {
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
            try entering.addGradients(joint, biases: biases)
            return try Kernels.operand(joint, shape.precision)
        }
        let (joint, parts) = try Kernels.splitHeadsGradient(
            shape, dq: dq, dk: dk, dv: dv, cosine: angles.cosine, sine: angles.sine)
        try entering.addGradients(parts: parts, biases: biases)
        return joint
    }
}
