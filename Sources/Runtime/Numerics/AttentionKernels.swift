import CKernels
import RuntimeSupport

extension Kernels {
    /// The shape of an attention: `batch` sequences of `time` positions, `heads` heads of `size`
    /// numbers, of which the first `rotated` turn with the position.
    package struct AttentionShape {
        package var batch: Int
        package var time: Int
        package var heads: Int
        package var size: Int
        package var rotated: Int
        package var precision: Precision
        /// Whether q, k and v hold bfloat16 numbers, two to a slot; see `attendsHalf`.
        var isHalf = false

        package init(
            batch: Int, time: Int, heads: Int, size: Int, rotated: Int, precision: Precision,
            isHalf: Bool = false
        ) {
            self.batch = batch
            self.time = time
            self.heads = heads
            self.size = size
            self.rotated = rotated
            self.precision = precision
            self.isHalf = isHalf
        }

        /// Queries with the keys that each of them sees.
        fileprivate var pairs: Int { batch * heads * time * (time + 1) / 2 }

        /// Numbers in q, k, v or the result.
        package var count: Int { batch * heads * time * size }

        package var text: String { "\(batch) x \(heads) x \(time) x \(size)" }

        var native: ck_attention {
            ck_attention(
                batch: batch, time: time, heads: heads, size: size, rotated: rotated,
                round: precision == .bfloat16 ? 1 : 0, half: isHalf ? 1 : 0)
        }

        /// The shape of a tensor that holds q, k or v.
        var headed: [Int] {
            isHalf ? [(count + 1) / 2] : [batch, heads, time, size]
        }

        /// The most numbers in one head that kernels accept.
        package static let largestHead = 1024
    }

    /// Whether this processor attends on bfloat16 numbers with heads of this size.
    static func attendsHalf(size: Int) -> Bool { level.attends_bf16(size) != 0 }

    /// Splits joint queries, keys and values by heads, turning q and k and scaling q.
    ///
    /// From `qkv[batch*time, heads, 3, size]` to q, k and v `[batch, heads, time, size]`, in storage of
    /// `shape.headed`. Row t of
    /// the angles, `[time, rotated/2]` each, belongs to position t.
    package static func splitHeads(
        _ shape: AttentionShape, _ qkv: Tensor, cosine: Tensor, sine: Tensor, q: Tensor, k: Tensor,
        v: Tensor
    ) {
        var native = shape.native
        run("split heads", (qkv, cosine, sine, q, k, v), shape.text, numbers: 6 * shape.count) {
            level.heads(
                &native, qkv.pointer, cosine.pointer, sine.pointer, q.pointer, k.pointer, v.pointer)
        }
    }

    /// The gradient of `splitHeads`.
    static func splitHeadsGradient(
        _ shape: AttentionShape, dq: Tensor, dk: Tensor, dv: Tensor, cosine: Tensor, sine: Tensor,
        into dqkv: Tensor,
        beta: Float
    ) {
        var native = shape.native
        run(
            "split heads gradient", (dq, dk, dv, cosine, sine, dqkv), shape.text,
            numbers: 6 * shape.count
        ) {
            level.heads_gradient(
                &native, dq.pointer, dk.pointer, dv.pointer, cosine.pointer, sine.pointer, beta,
                dqkv.pointer)
        }
    }

    /// Causal attention into `out[batch*time, heads*size]`; `lse[batch, heads, time]` is kept for
    /// the gradient.
    ///
    /// - Throws: `OutOfMemory` if scratch memory is not to be had.
    package static func attend(
        _ shape: AttentionShape, q: Tensor, k: Tensor, v: Tensor, into out: Tensor, lse: Tensor
    ) throws {
        var native = shape.native
        let status = run(
            "attention", (q, k, v, out, lse), shape.text, operations: 4 * shape.pairs * shape.size,
            numbers: 4 * shape.count
        ) {
            guard shape.isHalf else {
                return level.attend(
                    &native, q.pointer, k.pointer, v.pointer, out.pointer, lse.pointer)
            }
            return level.attend_bf16(&native, half(q), half(k), half(v), out.pointer, lse.pointer)
        }
        try check(status, shape.time)
    }

    /// The gradients of `attend`, overwritten.
    static func attendGradient(
        _ shape: AttentionShape, q: Tensor, k: Tensor, v: Tensor, out: Tensor, lse: Tensor,
        dout: Tensor, dq: Tensor,
        dk: Tensor, dv: Tensor
    ) throws {
        var native = shape.native
        let status = run(
            "attention gradient", (q, k, v, out, lse, dout, dq, dk, dv), shape.text,
            operations: 10 * shape.pairs * shape.size, numbers: 8 * shape.count
        ) {
            guard !shape.isHalf else {
                return level.attend_bf16_gradient(
                    &native, half(q), half(k), half(v), out.pointer, lse.pointer, dout.pointer,
                    dq.pointer, dk.pointer, dv.pointer)
            }
            return level.attend_gradient(
                &native, q.pointer, k.pointer, v.pointer, out.pointer, lse.pointer, dout.pointer,
                dq.pointer,
                dk.pointer, dv.pointer)
        }
        try check(status, shape.time)
    }

    /// Attention of one query per head to the first `time` of `capacity` cached keys.
    package static func attendOne(
        heads: Int, size: Int, time: Int, capacity: Int, q: Tensor, k: Tensor, v: Tensor,
        into out: Tensor
    ) throws {
        let status = run(
            "attention of one query", (q, k, v, out), "\(heads) x \(time) x \(size)",
            operations: 4 * heads * time * size, numbers: 2 * heads * time * size
        ) {
            level.attend_one(
                heads, size, time, capacity, q.pointer, k.pointer, v.pointer, out.pointer)
        }
        try check(status, time)
    }

    private static func half(_ tensor: Tensor) -> UnsafePointer<UInt16> {
        UnsafeRawPointer(tensor.pointer).assumingMemoryBound(to: UInt16.self)
    }

    static func check(_ status: Int32, _ time: Int) throws {
        guard status == 0 else {
            throw OutOfMemory(requested: time * 256, live: Memory.liveBytes, limit: Memory.limit)
        }
    }
}
