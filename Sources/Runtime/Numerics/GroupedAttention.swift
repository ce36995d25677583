import RuntimeSupport

/// Heads of attention of which several may share their keys and values.
package struct GroupedHeads: Hashable, Sendable {
    /// Heads of queries.
    package var heads: Int
    /// Heads of keys and values, a divisor of `heads`.
    package var groups: Int
    /// Numbers in one head.
    package var size: Int
    /// The factor of scores.
    package var scale: Float
    /// Positions that a query sees, its own included; `nil` for all.
    package var window: Int?
    /// Scores become `cap · tanh(score / cap)`; `nil` for no cap.
    package var cap: Float?

    /// - Parameter scale: `1 / √size` unless given.
    package init(
        heads: Int, groups: Int, size: Int, scale: Float? = nil, window: Int? = nil,
        cap: Float? = nil
    ) {
        self.heads = heads
        self.groups = groups
        self.size = size
        self.scale = scale ?? 1 / Float(size).squareRoot()
        self.window = window
        self.cap = cap
    }

    /// Numbers in a row of queries, keys and values.
    package var columns: Int { (heads + 2 * groups) * size }

    /// Queries with the keys that each of them sees.
    func pairs(_ shape: Kernels.AttentionShape) -> Int {
        let seen = min(window ?? shape.time, shape.time)
        let one = seen * (seen + 1) / 2 + (shape.time - seen) * seen
        return shape.batch * shape.heads * one
    }

    /// Whether attention over so many positions is not the plain one.
    fileprivate func isSpecial(_ time: Int) -> Bool { cap != nil || (window ?? time) < time }

    /// The shape of attention on rows of queries, keys and values.
    fileprivate func shape(
        _ joint: Tensor, rows: Int, angles: RotaryAngles, _ precision: Precision
    ) throws -> Kernels.AttentionShape {
        guard joint.rank == 2, rows > 0, joint.shape[0] % rows == 0, joint.shape[1] == columns,
            groups > 0, heads % groups == 0, size <= Kernels.AttentionShape.largestHead,
            angles.rotated <= size, joint.shape[0] / rows <= angles.positions
        else {
            throw ShapeError(
                "attention", [joint.shape],
                expected:
                    "[rows · columns, (\(heads) + 2 · \(groups)) · \(size)] with \(rows) rows "
                    + "of at most \(angles.positions) columns")
        }
        let time = joint.shape[0] / rows
        return Kernels.AttentionShape(
            batch: rows, time: time, heads: heads, size: size, rotated: angles.rotated,
            precision: precision,
            isHalf: precision == .bfloat16 && !isSpecial(time) && Kernels.attendsHalf(size: size))
    }
}

/// RMS norms of queries and keys before they turn.
package struct HeadNorms {
    package let query, key: Tensor
    package let epsilon: Float
    /// Added to every number of the gains.
    package let offset: Float
    /// Whether all heads are normed together, so that gains are as long as all of them; else each by itself.
    package let isWhole: Bool

    package init(
        query: Tensor, key: Tensor, epsilon: Float, offset: Float = 0, isWhole: Bool
    ) {
        self.query = query
        self.key = key
        self.epsilon = epsilon
        self.offset = offset
        self.isWhole = isWhole
    }

    fileprivate func segments(_ joint: Tensor, _ heads: GroupedHeads, query: Bool)
        -> (Kernels.Segments, first: Int)
    {
        let count = query ? heads.heads : heads.groups
        return (
            Kernels.Segments(
                rows: joint.shape[0], stride: heads.columns, segments: isWhole ? 1 : count,
                length: isWhole ? count * heads.size : heads.size),
            query ? 0 : heads.heads * heads.size
        )
    }

    fileprivate func measured(_ joint: Tensor, _ heads: GroupedHeads) throws -> MeasuredHeads {
        func root(_ query: Bool) throws -> Tensor {
            let (segments, first) = segments(joint, heads, query: query)
            return try Kernels.rms(segments, epsilon: epsilon, joint, first: first)
        }
        return MeasuredHeads(
            norms: self, queryGain: try query.packed(), keyGain: try key.packed(),
            queryRoot: try root(true), keyRoot: try root(false))
    }
}

/// What is attended, with what its gradient needs.
struct GroupedAttention: AttendedHeads {
    let out: Tensor
    private let shape: Kernels.AttentionShape
    private let heads: GroupedHeads
    private let angles: RotaryAngles
    private let joint: Tensor?
    private let norms: MeasuredHeads?
    private let q, k, v, lse: Tensor

    init(
        _ joint: Tensor, rows: Int, heads: GroupedHeads, norms: HeadNorms?, angles: RotaryAngles,
        _ precision: Precision
    ) throws {
        shape = try heads.shape(joint, rows: rows, angles: angles, precision)
        (self.heads, self.angles) = (heads, angles)
        self.norms = try norms?.measured(joint, heads)
        self.joint = norms == nil ? nil : joint
        q = try Tensor(uninitialized: shape.headed)
        k = try Tensor(uninitialized: shape.headed)
        v = try Tensor(uninitialized: shape.headed)
        out = try Tensor(uninitialized: [joint.shape[0], heads.heads * heads.size])
        lse = try Tensor(uninitialized: [rows, heads.heads, shape.time])
        Kernels.splitGroups(
            shape, heads, copies: heads.heads / heads.groups, joint, self.norms,
            cosine: angles.cosine, sine: angles.sine, q: q, k: k, v: v)
        if heads.isSpecial(shape.time) {
            try Kernels.attendWindow(shape, heads, q: q, k: k, v: v, into: out, lse: lse)
        } else {
            try Kernels.attend(shape, q: q, k: k, v: v, into: out, lse: lse)
        }
    }

    func gradient(
        _ dout: Tensor, of entering: Projection, biases: [Node?], norms nodes: [Node?]
    ) throws -> Kernels.Operand {
        let headed = [shape.batch, shape.heads, shape.time, shape.size]
        let dq = try Tensor(uninitialized: headed)
        let dk = try Tensor(uninitialized: headed)
        let dv = try Tensor(uninitialized: headed)
        if heads.isSpecial(shape.time) {
            try Kernels.attendWindowGradient(
                shape, heads, q: q, k: k, v: v, out: out, lse: lse, dout: dout, dq: dq, dk: dk,
                dv: dv)
        } else {
            try Kernels.attendGradient(
                shape, q: q, k: k, v: v, out: out, lse: lse, dout: dout, dq: dq, dk: dk, dv: dv)
        }
        let isWhole = norms == nil && !biases.contains { $0 != nil }
        let split = try Kernels.splitGroupsGradient(
            shape, heads, dq: dq, dk: dk, dv: dv, cosine: angles.cosine, sine: angles.sine,
            plain: !isWhole)
        if isWhole { return split }
        let gradient = Tensor(
            split.tensor.storage, shape: [shape.batch * shape.time, heads.columns])
        if let norms, let joint {
            for (place, node) in nodes.enumerated() {
                let isQuery = place == 0
                let (segments, first) = norms.norms.segments(joint, heads, query: isQuery)
                let parts = try Kernels.rmsGradient(
                    segments, offset: norms.norms.offset, gradient, joint,
                    gain: isQuery ? norms.queryGain : norms.keyGain,
                    rstd: isQuery ? norms.queryRoot : norms.keyRoot, into: gradient, beta: 0,
                    first: first)
                try node?.accumulateParts(parts)
            }
        }
        try entering.addGradients(gradient, biases: biases)
        return try Kernels.operand(gradient, shape.precision)
    }
}

/// Keys and values of the positions of a text in one layer.
package final class GroupedCache {
    private let heads: GroupedHeads
    private let norms: HeadNorms?
    private let angles: RotaryAngles
    private let precision: Precision
    private let keys, values: Tensor

    /// - Throws: `OutOfMemory`.
    package init(
        _ heads: GroupedHeads, norms: HeadNorms?, angles: RotaryAngles, precision: Precision
    ) throws {
        (self.heads, self.norms, self.angles) = (heads, norms, angles)
        self.precision = precision
        let shape = [heads.groups, angles.positions, heads.size]
        keys = try Tensor(uninitialized: shape)
        values = try Tensor(uninitialized: shape)
    }

    /// What the positions of `joint` attend to: several at the start of a text, then one at a time.
    package func attend(_ joint: Tensor, filled: Int) throws -> Tensor {
        let time = joint.shape[0]
        if time > 1 {
            let attended = try GroupedAttention(
                joint, rows: 1, heads: heads, norms: norms, angles: angles, precision)
            try keep(joint, filled)
            return attended.out
        }
        let q = try keep(joint, filled)
        let out = try Tensor(uninitialized: [time, heads.heads * heads.size])
        try Kernels.attendOne(
            heads, time: filled + 1, capacity: angles.positions, q: q, k: keys, v: values,
            into: out)
        return out
    }

    /// Writes keys and values of fresh positions to their places.
    ///
    /// - Returns: the queries.
    @discardableResult
    private func keep(_ joint: Tensor, _ filled: Int) throws -> Tensor {
        let time = joint.shape[0]
        let shape = Kernels.AttentionShape(
            batch: 1, time: time, heads: heads.heads, size: heads.size, rotated: angles.rotated,
            precision: precision)
        let q = try Tensor(uninitialized: [heads.heads, time, heads.size])
        let k = try Tensor(uninitialized: [heads.groups, time, heads.size])
        let v = try Tensor(uninitialized: [heads.groups, time, heads.size])
        let (cosine, sine) = angles.from(filled)
        Kernels.splitGroups(
            shape, heads, copies: 1, joint, try norms?.measured(joint, heads), cosine: cosine,
            sine: sine, q: q, k: k, v: v)
        let count = time * heads.size
        for (fresh, cache) in [(k, keys), (v, values)] {
            for group in 0..<heads.groups {
                Kernels.copy(
                    Tensor(fresh.storage, shape: [count], offset: group * count),
                    into: Tensor(
                        cache.storage, shape: [count],
                        offset: (group * angles.positions + filled) * heads.size))
            }
        }
        return q
    }
}
