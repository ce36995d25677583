import RuntimeNumerics

// Cross-entropy fused with the output head: logits exist for a few rows at a time only.

extension Tensor {
    /// Rows of logits computed at once: about 4 million numbers, but no fewer than 512 rows, as each
    /// chunk reads the head and adds to its gradient once.
    static func headRows(vocabulary: Int) -> Int { max(512, (4 << 20) / max(1, vocabulary)) }

    private static let headProduct = "matmul of the head"

    /// The summed cross-entropy of `softmax(self · weightᵀ)` against the targets, without
    /// gradients.
    ///
    /// - Parameters:
    ///   - weight: the head, `[vocabulary, width]`; this tensor is `[rows, width]`.
    ///   - targets: valid ids, or −1 where nothing is counted.
    ///   - cap: Of the logits, or none.
    func headLoss(
        _ weight: Tensor, targets: [Int32], cap: Float?, precision: Precision
    ) throws -> LossSum {
        let vocabulary = weight.shape[0]
        return try forEachHeadChunk(weight, targets, precision) { chunk, losses in
            if let cap { Kernels.cap(chunk.logits, chunk.targets.count * vocabulary, at: cap) }
            Kernels.crossEntropy(chunk.logits, chunk.targets, width: vocabulary, losses: &losses)
        }
    }

    /// The same, with the gradient of `scale ·` the sum: that of the head is accumulated at once,
    /// that of this tensor returned.
    func headLossAndGradient(
        _ weight: Tensor, targets: [Int32], scale: Float, cap: Float?, precision: Precision
    ) throws -> (LossSum, Tensor) {
        let (vocabulary, width) = (weight.shape[0], weight.shape[1])
        let gradient = try Tensor(uninitialized: shape)
        let loss = try forEachHeadChunk(weight, targets, precision) { chunk, losses in
            let top = try chunk.gradient(
                vocabulary, scale: scale, cap: cap, precision: precision, losses: &losses)
            let rows = chunk.targets.count
            let dx = Tensor(gradient.storage, shape: [rows, width], offset: chunk.start * width)
            try Kernels.multiply(
                top, chunk.weight, into: dx, m: rows, n: width, k: vocabulary,
                name: Tensor.headProduct)
            guard let node = weight.node else { return }
            let (dw, beta) = try node.accumulator()
            try Kernels.multiply(
                transposeA: true, top, chunk.hidden, into: dw, m: vocabulary, n: width, k: rows,
                beta: beta, name: Tensor.headProduct)
        }
        return (loss, gradient)
    }

    /// Some rows with their logits.
    private struct HeadChunk {
        let start: Int
        let targets: ArraySlice<Int32>
        let weight: Kernels.Operand
        let hidden: Kernels.Operand
        let logits: Tensor

        /// Losses, and the gradient of the logits before they were capped, in their place.
        func gradient(
            _ vocabulary: Int, scale: Float, cap: Float?, precision: Precision,
            losses: inout [Double]
        ) throws -> Kernels.Operand {
            guard let cap else {
                return try Kernels.crossEntropyGradient(
                    logits, targets, width: vocabulary, scale: scale, precision: precision,
                    losses: &losses)
            }
            let count = targets.count * vocabulary
            Kernels.cap(logits, count, at: cap)
            let part = Tensor(logits.storage, shape: [targets.count, vocabulary])
            let capped = try part.copied()
            _ = try Kernels.crossEntropyGradient(
                logits, targets, width: vocabulary, scale: scale, precision: .float32,
                losses: &losses)
            Kernels.capGradient(part, capped, at: cap)
            return try Kernels.operand(part, precision)
        }
    }

    /// Calls `body` with a few rows at a time, for it to fill in their losses.
    private func forEachHeadChunk(
        _ weight: Tensor, _ targets: [Int32], _ precision: Precision,
        _ body: (HeadChunk, inout [Double]) throws -> Void
    ) throws -> LossSum {
        let (vocabulary, width) = (weight.shape[0], weight.shape[1])
        let total = targets.count
        let most = min(total, Tensor.headRows(vocabulary: vocabulary))
        let buffer = try Tensor(uninitialized: [most, vocabulary])
        let head = try Kernels.operand(weight.detached, precision)
        var losses = Array(repeating: 0.0, count: most)
        var result = LossSum(count: targets.reduce(0) { $0 + ($1 < 0 ? 0 : 1) })
        for start in stride(from: 0, to: total, by: most) {
            let rows = min(most, total - start)
            let chunk = HeadChunk(
                start: start, targets: targets[start..<start + rows], weight: head,
                hidden: try Kernels.operand(
                    Tensor(storage, shape: [rows, width], offset: offset + start * width),
                    precision),
                logits: Tensor(buffer.storage, shape: [rows, vocabulary]))
            try Kernels.multiply(
                chunk.hidden, head, transposeB: true, into: chunk.logits, m: rows, n: vocabulary,
                k: width, name: Tensor.headProduct)
            try body(chunk, &losses)
            for loss in losses[..<rows] { result.nats += loss }
        }
        return result
    }
}
