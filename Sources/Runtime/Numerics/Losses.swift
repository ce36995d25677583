import RuntimeSupport

extension Tensor {
    /// The mean cross-entropy of these logits against targets, in nats for each counted target.
    ///
    /// - Parameter targets: token ids below the last axis' size, one for each row; −1 is not
    ///   counted.
    /// - Returns: a single number.
    /// - Throws: `ShapeError` if the targets do not match the rows; `InvalidValue` naming the first
    ///   target out of range, or if none is counted.
    public func crossEntropy(_ targets: [Int32]) throws -> Tensor {
        guard rank >= 1, let width = shape.last, width > 0, count / width == targets.count else {
            throw ShapeError(
                "cross_entropy", [shape, [targets.count]],
                expected: "logits […, classes] and a target for each row")
        }
        if let position = targets.firstIndex(where: { $0 < -1 || $0 >= width }) {
            throw InvalidValue(
                "target \(position)", expected: "-1 or a class below \(width)",
                found: targets[position])
        }
        let counted = targets.reduce(0) { $0 + ($1 < 0 ? 0 : 1) }
        guard counted > 0 else {
            throw InvalidValue(
                "targets", expected: "at least one that is counted", found: "only -1")
        }
        let work = try copied()
        var losses = Array(repeating: 0.0, count: targets.count)
        if Tape.isRecording && node != nil {
            _ = try Kernels.crossEntropyGradient(
                work, targets[...], width: width, scale: 1 / Float(counted), precision: .float32,
                losses: &losses)
        } else {
            Kernels.crossEntropy(work, targets[...], width: width, losses: &losses)
        }
        let loss = try Tensor.full([], Float(losses.reduce(0, +) / Double(counted)))
        return Tensor.record(loss, [self]) { gradient, nodes in
            try nodes[0]?.accumulate(try work.multiplied(by: gradient))
        }
    }
}
