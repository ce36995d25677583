import CKernels

extension Kernels {
    /// The shape of an attention: `batch` sequences of `time` positions, `heads` heads of `size`
    /// numbers, of which the first `rotated` turn with the position.
    struct AttentionShape {
        var batch: Int
        var time: Int
        var heads: Int
        var size: Int
        var rotated: Int
        var precision: Precision

        fileprivate var native: ck_attention {
            ck_attention(
                batch: batch, time: time, heads: heads, size: size, rotated: rotated,
                round: precision == .bfloat16 ? 1 : 0)
        }

        /// The most numbers in one head that kernels accept.
        static let largestHead = 1024
    }

    /// Splits joint queries, keys and values by heads, turning q and k and scaling q.
    ///
    /// From `qkv[batch*time, heads, 3, size]` to q, k and v `[batch, heads, time, size]`. Row t of
    /// the angles, `[time, rotated/2]` each, belongs to position t.
    static func splitHeads(
        _ shape: AttentionShape, _ qkv: Tensor, cosine: Tensor, sine: Tensor, q: Tensor, k: Tensor,
        v: Tensor
    ) {
        var native = shape.native
        withExtendedLifetime((qkv, cosine, sine, q, k, v)) {
            ck_heads(
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
        withExtendedLifetime((dq, dk, dv, cosine, sine, dqkv)) {
            ck_heads_gradient(
                &native, dq.pointer, dk.pointer, dv.pointer, cosine.pointer, sine.pointer, beta,
                dqkv.pointer)
        }
    }

    /// Causal attention into `out[batch*time, heads*size]`; `lse[batch, heads, time]` is kept for
    /// the gradient.
    ///
    /// - Throws: `OutOfMemory` if scratch memory is not to be had.
    static func attend(
        _ shape: AttentionShape, q: Tensor, k: Tensor, v: Tensor, into out: Tensor, lse: Tensor
    ) throws {
        var native = shape.native
        let status = withExtendedLifetime((q, k, v, out, lse)) {
            ck_attend(&native, q.pointer, k.pointer, v.pointer, out.pointer, lse.pointer)
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
        let status = withExtendedLifetime((q, k, v, out, lse, dout, dq, dk, dv)) {
            ck_attend_gradient(
                &native, q.pointer, k.pointer, v.pointer, out.pointer, lse.pointer, dout.pointer,
                dq.pointer,
                dk.pointer, dv.pointer)
        }
        try check(status, shape.time)
    }

    /// Attention of one query per head to the first `time` of `capacity` cached keys.
    static func attendOne(
        heads: Int, size: Int, time: Int, capacity: Int, q: Tensor, k: Tensor, v: Tensor,
        into out: Tensor
    ) throws {
        let status = withExtendedLifetime((q, k, v, out)) {
            ck_attend_one(heads, size, time, capacity, q.pointer, k.pointer, v.pointer, out.pointer)
        }
        try check(status, time)
    }

    private static func check(_ status: Int32, _ time: Int) throws {
        guard status == 0 else {
            throw OutOfMemory(requested: time * 256, live: Memory.liveBytes, limit: Memory.limit)
        }
    }
}
