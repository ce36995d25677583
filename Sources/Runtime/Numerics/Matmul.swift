extension Tensor {
    /// The matrix product.
    ///
    /// Of `[m, k]` and `[k, n]`: `[m, n]`. Of `[…, m, k]` and `[…, k, n]` with equal leading axes,
    /// or leading axes on one side only: a product for each leading position.
    public func matmul(_ other: Tensor) throws -> Tensor {
        let problem = ShapeError(
            "matmul", [shape, other.shape],
            expected: "[…, m, k] and […, k, n] with equal or no leading axes")
        guard rank >= 2, other.rank >= 2, shape[rank - 1] == other.shape[other.rank - 2] else {
            throw problem
        }
        if rank > 2 && other.rank == 2 {
            let flat = try reshaped([-1, shape[rank - 1]]).matmul(other)
            return try flat.reshaped(shape.dropLast() + [other.shape[1]])
        }
        if rank == 2 && other.rank > 2 {
            return try stretchedLeading(other.shape.dropLast(2)).matmul(other)
        }
        let leading = Array(shape.dropLast(2))
        guard leading == Array(other.shape.dropLast(2)) else { throw problem }
        let (m, k, n) = (shape[rank - 2], shape[rank - 1], other.shape[other.rank - 1])
        let batch = leading.reduce(1, *)
        let (a, b) = (try packed(), try other.packed())
        let y = try Tensor(uninitialized: leading + [m, n])
        try Kernels.multiplyBatch(batch, a, b, into: y, m: m, n: n, k: k)
        return Tensor.record(y, [self, other]) { gradient, nodes in
            let dy = try gradient.packed()
            if let node = nodes[0] {
                let (da, beta) = try node.accumulator()
                try Kernels.multiplyBatch(
                    batch, dy, b, transposeB: true, into: da, m: m, n: k, k: n, beta: beta)
            }
            if let node = nodes[1] {
                let (db, beta) = try node.accumulator()
                try Kernels.multiplyBatch(
                    batch, transposeA: true, a, dy, into: db, m: k, n: n, k: m, beta: beta)
            }
        }
    }

    /// This matrix repeated for each leading position.
    private func stretchedLeading(_ leading: ArraySlice<Int>) throws -> Tensor {
        let target = Array(leading) + shape
        let original = shape
        return Tensor.record(stretched(to: target), [self]) { gradient, nodes in
            try nodes[0]?.accumulate(try gradient.collapsed(to: original))
        }
    }
}
