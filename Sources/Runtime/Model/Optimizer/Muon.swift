import RuntimeNumerics

/// Muon: the momentum of each matrix within the model, made nearly orthogonal, and AdamW for all else (biases, norms,
/// embeddings and the head).
///
/// Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks". Rate and weight decay are those of
/// AdamW, as each step is scaled to `0.2 √max(rows, columns)` (Liu et al. 2025, arXiv 2502.16982, section 2.2). The joint
/// matrix of queries, keys and values counts as one. Its products are made in 32 bits whatever the recipe's precision.
public struct Muon: Optimizer {
    /// What recipes and Lua call it.
    public static let kind = "muon"
    /// What it is, with its source.
    public static let help =
        "Muon for the matrices within the model, AdamW for the rest (arXiv 2502.16982)"
    /// What there is to set.
    public static let settings: [Setting<Muon>] = [
        Setting("momentum", "What stays of the momentum.", .factor, \.momentum),
        Setting(
            "nesterov", "Whether steps look ahead along the momentum.", \.nesterov),
        Setting(
            "iterations", "Newton–Schulz iterations that make a step nearly orthogonal.",
            .count(1...20),
            \.iterations),
        Setting("beta1", "What stays of the mean gradient.", .factor, \.beta1),
        Setting(
            "beta2", "What stays of the mean squared gradient.", .factor, \.beta2),
        Setting(
            "epsilon", "Added to the root of the mean square.", .epsilon, \.epsilon),
        .decoupledDecay,
        .clipping,
    ]

    /// What stays of the momentum.
    public var momentum: Double = 0.95
    /// Whether steps look ahead along the momentum.
    public var nesterov = true
    /// Newton–Schulz iterations.
    public var iterations = 5
    /// What stays of the mean gradient, of all that is not a matrix within the model.
    public var beta1 = 0.9
    /// What stays of the mean squared gradient of the same.
    public var beta2 = 0.95
    /// Added to the root of that mean square.
    public var epsilon = 1e-8
    /// Weight decay of all matrices, times the learning rate, at each step.
    public var weightDecay = 0.1
    /// The largest norm of the gradient over all parameters; 0 for no limit.
    public var clip = 1.0

    /// Creates the standard settings.
    public init() {}

    /// What moves all that is not a matrix within the model.
    private var rest: AdamW {
        AdamW(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, clip: clip)
    }

    /// The momentum of the matrices within the model, and AdamW's two moments of the rest.
    public func buffers(for ranges: [ParameterRange]) -> [(name: String, count: Int)] {
        let matrices = ranges.filter(\.isInner).reduce(0) { $0 + $1.count }
        return [("momentum", matrices)]
            + rest.buffers(for: ranges.filter { !$0.isInner })
    }

    /// The directions of all matrices, and the products of an iteration on the largest.
    public func workspaceBytes(for ranges: [ParameterRange]) -> Int {
        let matrices = ranges.filter(\.isInner)
        let largest = matrices.map(\.count).max() ?? 0
        return Int.saturatingProduct(4, matrices.reduce(5 * largest) { $0 + $1.count })
    }

    /// Moves the parameters by one step.
    public func move(_ step: OptimizerStep) throws {
        guard let value = step.parameters.values.baseAddress,
            let gradient = step.parameters.gradients.baseAddress,
            let momentum = step.buffers[0].baseAddress
        else { return }
        let matrices = step.parameters.ranges.filter(\.isInner)
        var starts: [Int] = []
        var done = 0
        for range in matrices {
            starts.append(done)
            done += range.count
        }
        let numbers = Kernels.MomentumStep(
            clip: step.scale, momentum: Float(self.momentum), nesterov: nesterov)
        // All directions first: should memory run out here, nothing has changed yet.
        let directions = try Tape.withoutGradients {
            try zip(matrices, starts).map { range, start in
                let ahead = try Tensor(uninitialized: range.shape)
                Kernels.ahead(
                    range.count, numbers, gradient: gradient + range.offset,
                    momentum: momentum + start, into: ahead)
                return try orthogonal(ahead)
            }
        }
        for ((range, start), direction) in zip(zip(matrices, starts), directions) {
            Kernels.average(
                range.count, numbers, gradient: gradient + range.offset, momentum: momentum + start)
            let scale = 0.2 * Double(range.shape.max() ?? 1).squareRoot()
            Kernels.follow(
                direction, keep: Float(1 - step.learningRate * weightDecay),
                rate: Float(step.learningRate * scale), value: value + range.offset)
        }
        rest.move(
            step, step.parameters.ranges.filter { !$0.isInner }, first: step.buffers[1],
            second: step.buffers[2])
    }

    /// A matrix of nearly the same singular vectors whose singular values are all near 1, by the quintic Newton–Schulz
    /// iteration with Jordan's coefficients.
    private func orthogonal(_ matrix: Tensor) throws -> Tensor {
        let (a, b, c) = (
            try Tensor.full([], 3.4445), try Tensor.full([], -4.7750), try Tensor.full([], 2.0315)
        )
        let isTall = matrix.shape[0] > matrix.shape[1]
        let norm = Kernels.sumSquares(matrix.count, matrix.pointer).squareRoot()
        var x = isTall ? try matrix.transposed() : matrix
        x = try x.divided(by: Tensor.full([], Float(max(norm, 1e-7))))
        for _ in 0..<iterations {
            let gram = try x.matmul(x.transposed())
            let polynomial = try gram.multiplied(by: b).adding(
                gram.matmul(gram).multiplied(by: c))
            x = try x.multiplied(by: a).adding(polynomial.matmul(x))
        }
        return try (isTall ? x.transposed() : x).packed()
    }
}
