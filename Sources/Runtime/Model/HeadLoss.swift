// Cross-entropy fused with the output head: logits exist for a few rows at a time only.

extension Tensor {
    /// Rows of logits computed at once: about 4 million numbers, but no fewer than 128 rows.
    static func headRows(vocabulary: Int) -> Int { max(128, (4 << 20) / max(1, vocabulary)) }

    /// The summed cross-entropy of `softmax(self · weightᵀ)` against the targets, without
    /// gradients.
    ///
    /// - Parameters:
    ///   - weight: the head, `[vocabulary, width]`; this tensor is `[rows, width]`.
    ///   - targets: valid ids, or −1 where nothing is counted.
    func headLoss(_ weight: Tensor, targets: [Int32], precision: Precision) throws -> LossSum {
        try forEachHeadChunk(weight, targets, gradient: false, scale: 1, precision) { _, _, _ in }
    }

    /// The same, with the gradient of `scale ·` the sum: that of the head is accumulated at once,
    /// that of this tensor returned.
    func headLossAndGradient(
        _ weight: Tensor, targets: [Int32], scale: Float, precision: Precision
    ) throws -> (LossSum, Tensor) {
        let (vocabulary, width) = (weight.shape[0], weight.shape[1])
        let gradient = try Tensor(uninitialized: shape)
        let loss = try forEachHeadChunk(weight, targets, gradient: true, scale: scale, precision) {
            start, hidden, logits in
            let rows = hidden.shape[0]
            let dx = Tensor(gradient.storage, shape: [rows, width], offset: start * width)
            try Kernels.multiply(
                logits, weight, into: dx, m: rows, n: width, k: vocabulary, precision: precision)
            guard let node = weight.node else { return }
            let (dw, beta) = try node.accumulator()
            try Kernels.multiply(
                transposeA: true, logits, hidden, into: dw, m: vocabulary, n: width, k: rows,
                beta: beta,
                precision: precision)
        }
        return (loss, gradient)
    }

    private func forEachHeadChunk(
        _ weight: Tensor, _ targets: [Int32], gradient: Bool, scale: Float, _ precision: Precision,
        _ body: (_ start: Int, _ hidden: Tensor, _ logits: Tensor) throws -> Void
    ) throws -> LossSum {
        let (vocabulary, width) = (weight.shape[0], weight.shape[1])
        let total = targets.count
        let most = min(total, Tensor.headRows(vocabulary: vocabulary))
        let buffer = try Tensor(uninitialized: [most, vocabulary])
        var losses = Array(repeating: 0.0, count: most)
        var result = LossSum(count: targets.reduce(0) { $0 + ($1 < 0 ? 0 : 1) })
        for start in stride(from: 0, to: total, by: most) {
            let rows = min(most, total - start)
            let hidden = Tensor(storage, shape: [rows, width], offset: offset + start * width)
            let logits = Tensor(buffer.storage, shape: [rows, vocabulary])
            try Kernels.multiply(
                hidden, weight, transposeB: true, into: logits, m: rows, n: vocabulary, k: width,
                precision: precision)
            Kernels.crossEntropy(
                logits, targets[start..<start + rows], width: vocabulary, gradient: gradient,
                scale: scale,
                losses: &losses)
            for loss in losses[..<rows] { result.nats += loss }
            if gradient { try body(start, hidden, logits) }
        }
        return result
    }
}
