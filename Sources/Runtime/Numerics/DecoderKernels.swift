import CKernels
import RuntimeSupport

// The kernels of decoders with RMS norms and grouped heads.
extension Kernels {
    /// Rows of `stride` numbers, whose first `segments · length` are normed segment by segment.
    struct Segments {
        let rows, stride, segments, length: Int

        fileprivate var native: ck_segments {
            ck_segments(rows: rows, stride: stride, segments: segments, length: length)
        }
        fileprivate var numbers: Int { rows * segments * length }
        fileprivate var text: String { "\(rows) x \(segments) x \(length)" }
    }

    /// RMS norm of rows as an operand; `rstd` of each row is kept for the gradient.
    static func rmsNorm(
        _ x: Tensor, gain: Tensor, offset: Float, epsilon: Float, rows: Int, width: Int,
        rstd: Tensor, precision: Precision
    ) throws -> Operand {
        try operand(count: rows * width, precision) { half, y in
            run(
                "rms norm", (x, gain, y, rstd), "\(rows) x \(width)", numbers: x.count + y.count
            ) {
                level.rms_norm(
                    rows, width, epsilon, offset, x.pointer, gain.pointer, half, y.pointer,
                    rstd.pointer)
            }
        }
    }

    /// What segments are multiplied by to be normed, `[rows, segments]`; those of `x` begin `first` numbers into a row.
    static func rms(_ segments: Segments, epsilon: Float, _ x: Tensor, first: Int) throws -> Tensor
    {
        let rstd = try Tensor(uninitialized: [segments.rows, segments.segments])
        var native = segments.native
        run("rms", (x, rstd), segments.text, numbers: segments.numbers) {
            level.rms(&native, epsilon, x.pointer + first, rstd.pointer)
        }
        return rstd
    }

    /// The gradient of an RMS norm's input, which may take the place of `dy`.
    ///
    /// - Parameter first: Where the segments of `dy`, `x` and `dx` begin in a row.
    /// - Returns: parts of the gain's gradient for `addParts`.
    static func rmsGradient(
        _ segments: Segments, offset: Float, _ dy: Tensor, _ x: Tensor, gain: Tensor, rstd: Tensor,
        into dx: Tensor, beta: Float, first: Int = 0
    ) throws -> Tensor {
        let parts = try Tensor(
            uninitialized: [(segments.rows + partRows - 1) / partRows, segments.length])
        var native = segments.native
        run(
            "rms norm gradient", (dy, x, gain, rstd, dx, parts), segments.text,
            numbers: 3 * segments.numbers
        ) {
            level.rms_gradient(
                &native, offset, dy.pointer + first, x.pointer + first, gain.pointer, rstd.pointer,
                beta, dx.pointer + first, parts.pointer)
        }
        return parts
    }

    /// Splits rows of queries, keys and values into heads; see `GroupedHeads`.
    ///
    /// - Parameter copies: How often keys and values are written.
    static func splitGroups(
        _ shape: AttentionShape, _ heads: GroupedHeads, copies: Int, _ joint: Tensor,
        _ norms: MeasuredHeads?, cosine: Tensor, sine: Tensor, q: Tensor, k: Tensor, v: Tensor
    ) {
        var native = native(shape, heads, copies)
        var query = norms?.native(query: true) ?? ck_head_norm()
        var key = norms?.native(query: false) ?? ck_head_norm()
        run(
            "split heads", (joint, norms, cosine, sine, q, k, v), shape.text,
            numbers: joint.count + q.count + k.count + v.count
        ) {
            level.grouped_heads(
                &native, joint.pointer, cosine.pointer, sine.pointer, &query, &key, q.pointer,
                k.pointer, v.pointer)
        }
    }

    /// The gradient of `splitGroups` with regard to what norms give, as an operand, or with `plain` as float32.
    static func splitGroupsGradient(
        _ shape: AttentionShape, _ heads: GroupedHeads, dq: Tensor, dk: Tensor, dv: Tensor,
        cosine: Tensor, sine: Tensor, plain: Bool
    ) throws -> Operand {
        var native = native(shape, heads, heads.heads / heads.groups)
        let count = shape.batch * shape.time * heads.columns
        return try operand(count: count, plain ? .float32 : shape.precision) { half, joint in
            run(
                "split heads gradient", (dq, dk, dv, cosine, sine, joint), shape.text,
                numbers: 3 * shape.count + joint.count
            ) {
                level.grouped_heads_gradient(
                    &native, dq.pointer, dk.pointer, dv.pointer, cosine.pointer, sine.pointer,
                    half, joint.pointer)
            }
        }
    }

    private static func native(
        _ shape: AttentionShape, _ heads: GroupedHeads, _ copies: Int
    ) -> ck_grouped {
        ck_grouped(
            batch: shape.batch, time: shape.time, heads: heads.heads, groups: heads.groups,
            size: heads.size, rotated: shape.rotated, copies: copies, scale: heads.scale,
            round: shape.precision == .bfloat16 ? 1 : 0, half: shape.isHalf ? 1 : 0)
    }

    /// `attend` within the heads' window and with their cap.
    static func attendWindow(
        _ shape: AttentionShape, _ heads: GroupedHeads, q: Tensor, k: Tensor, v: Tensor,
        into out: Tensor, lse: Tensor
    ) throws {
        var native = window(shape, heads)
        let status = run(
            "attention in a window", (q, k, v, out, lse), shape.text,
            operations: 4 * heads.pairs(shape) * shape.size, numbers: 4 * shape.count
        ) {
            level.attend_window(&native, q.pointer, k.pointer, v.pointer, out.pointer, lse.pointer)
        }
        try check(status, shape.time)
    }

    /// The gradients of `attendWindow`, overwritten.
    static func attendWindowGradient(
        _ shape: AttentionShape, _ heads: GroupedHeads, q: Tensor, k: Tensor, v: Tensor,
        out: Tensor, lse: Tensor, dout: Tensor, dq: Tensor, dk: Tensor, dv: Tensor
    ) throws {
        var native = window(shape, heads)
        let status = run(
            "attention in a window gradient", (q, k, v, out, lse, dout, dq, dk, dv), shape.text,
            operations: 10 * heads.pairs(shape) * shape.size, numbers: 8 * shape.count
        ) {
            level.attend_window_gradient(
                &native, q.pointer, k.pointer, v.pointer, out.pointer, lse.pointer, dout.pointer,
                dq.pointer, dk.pointer, dv.pointer)
        }
        try check(status, shape.time)
    }

    private static func window(_ shape: AttentionShape, _ heads: GroupedHeads) -> ck_window {
        ck_window(
            batch: shape.batch, time: shape.time, heads: shape.heads, size: shape.size,
            window: heads.window ?? 0, cap: heads.cap ?? 0,
            round: shape.precision == .bfloat16 ? 1 : 0)
    }

    /// Attention of one query per head to the last of `time` cached positions that it sees.
    static func attendOne(
        _ heads: GroupedHeads, time: Int, capacity: Int, q: Tensor, k: Tensor, v: Tensor,
        into out: Tensor
    ) throws {
        let first = max(0, time - (heads.window ?? time))
        let status = run(
            "attention of one query", (q, k, v, out),
            "\(heads.heads) x \(time - first) x \(heads.size)",
            operations: 4 * heads.heads * (time - first) * heads.size,
            numbers: 2 * heads.groups * (time - first) * heads.size
        ) {
            level.attend_one_grouped(
                heads.heads, heads.groups, heads.size, first, time, capacity, heads.cap ?? 0,
                q.pointer, k.pointer, v.pointer, out.pointer)
        }
        try check(status, time)
    }
}

extension Kernels {
    /// Numbers become `cap · tanh(number / cap)`, in their place.
    package static func cap(_ x: Tensor, _ count: Int, at cap: Float) {
        run("soft cap", x, "\(count)", numbers: 2 * count) {
            level.soft_cap(count, cap, x.pointer, x.pointer)
        }
    }

    /// `dy` becomes the gradient of what gave `capped`, in its place.
    package static func capGradient(_ dy: Tensor, _ capped: Tensor, at cap: Float) {
        run("soft cap gradient", (dy, capped), "\(dy.count)", numbers: 3 * dy.count) {
            level.soft_cap_gradient(dy.count, cap, dy.pointer, capped.pointer, dy.pointer)
        }
    }
}

extension Tensor {
    /// `cap · tanh(self / cap)`, or this tensor without a cap.
    package func capped(_ cap: Float?) throws -> Tensor {
        guard let cap else { return self }
        let y = try packed().copied()
        Kernels.cap(y, y.count, at: cap)
        return Tensor.record(y, [self]) { gradient, nodes in
            let dx = try gradient.copied()
            Kernels.capGradient(dx, y, at: cap)
            try nodes[0]?.accumulate(dx)
        }
    }
}

/// The norms of queries and keys with the sizes of what they norm.
struct MeasuredHeads {
    let norms: HeadNorms
    let queryGain, keyGain, queryRoot, keyRoot: Tensor

    fileprivate func native(query: Bool) -> ck_head_norm {
        ck_head_norm(
            rstd: query ? queryRoot.pointer : keyRoot.pointer,
            gain: query ? queryGain.pointer : keyGain.pointer, offset: norms.offset,
            whole: norms.isWhole ? 1 : 0)
    }
}
