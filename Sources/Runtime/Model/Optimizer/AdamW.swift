import RuntimeNumerics

/// AdamW (Loshchilov and Hutter 2017, arXiv 1711.05101), as PyTorch computes it.
public struct AdamW: Optimizer {
    /// What recipes and Lua call it.
    public static let kind = "adamw"
    /// What it is, with its source.
    public static let help = "AdamW (arXiv 1711.05101)"
    /// What there is to set.
    public static let settings: [Setting<AdamW>] = [
        Setting("beta1", "What stays of the mean gradient.", .factor, \.beta1),
        Setting("beta2", "What stays of the mean squared gradient.", .factor, \.beta2),
        Setting(
            "epsilon", "Added to the root of the mean square.", .epsilon, \.epsilon),
        .decoupledDecay,
        .clipping,
    ]

    /// Decay of the mean gradient.
    public var beta1: Double = 0.9
    /// Decay of the mean squared gradient.
    public var beta2: Double = 0.95
    /// Added to the root of the mean square.
    public var epsilon: Double = 1e-8
    /// Weight decay, times the learning rate, at each step.
    public var weightDecay: Double = 0.1
    /// The largest norm of the gradient over all parameters; 0 for no limit.
    public var clip: Double = 1

    /// Creates the standard settings.
    public init() {}

    /// Creates settings.
    public init(
        beta1: Double = 0.9, beta2: Double = 0.95, epsilon: Double = 1e-8,
        weightDecay: Double = 0.1, clip: Double = 1
    ) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.clip = clip
    }

    /// The two moments of every parameter.
    public func buffers(for ranges: [ParameterRange]) -> [(name: String, count: Int)] {
        let count = ranges.reduce(0) { $0 + $1.count }
        return [("first_moment", count), ("second_moment", count)]
    }

    /// Moves the parameters by one step.
    public func move(_ step: OptimizerStep) {
        move(step, step.parameters.ranges, first: step.buffers[0], second: step.buffers[1])
    }

    /// Moves some of the parameters, whose moments lie one behind the other.
    func move(
        _ step: OptimizerStep, _ ranges: [ParameterRange],
        first: UnsafeMutableBufferPointer<Float>, second: UnsafeMutableBufferPointer<Float>
    ) {
        guard let value = step.parameters.values.baseAddress,
            let gradient = step.parameters.gradients.baseAddress,
            let first = first.baseAddress, let second = second.baseAddress
        else { return }
        var numbers = Kernels.AdamWStep(
            clip: step.scale, beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon),
            rate: Float(step.learningRate / (1 - power(beta1, step.number))),
            root: Float(1 / (1 - power(beta2, step.number)).squareRoot()), keep: 1)
        var done = 0
        for stretch in ParameterRange.stretches(of: ranges) {
            numbers.keep = stretch.decays ? Float(1 - step.learningRate * weightDecay) : 1
            let start = stretch.range.lowerBound
            Kernels.adamW(
                stretch.range.count, numbers, gradient: gradient + start, value: value + start,
                first: first + done, second: second + done)
            done += stretch.range.count
        }
    }

    private func power(_ base: Double, _ exponent: Int) -> Double {
        // By squaring: the C library's pow may differ in the last bit between systems.
        var (result, factor, rest) = (1.0, base, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result *= factor }
            factor *= factor
            rest >>= 1
        }
        return result
    }
}
