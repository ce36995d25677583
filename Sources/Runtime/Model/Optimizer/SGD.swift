import RuntimeNumerics

/// Stochastic gradient descent with momentum, as `torch.optim.SGD` computes it.
///
/// Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning". Weight decay is added to
/// the gradient, and the learning rate multiplies the momentum.
public struct SGD: Optimizer {
    /// What recipes and Lua call it.
    public static let kind = "sgd"
    /// What it is, with its source.
    public static let help = "stochastic gradient descent with momentum (Sutskever et al. 2013)"
    /// What there is to set.
    public static let settings: [Setting<SGD>] = [
        Setting("momentum", "What stays of the momentum.", .factor, \.momentum),
        Setting(
            "nesterov", "Whether steps look ahead along the momentum.", \.nesterov),
        Setting(
            "weight_decay", "Part of each matrix that is added to its gradient.", .decay,
            \.weightDecay),
        .clipping,
    ]

    /// What stays of the momentum.
    public var momentum: Double = 0.9
    /// Whether steps look ahead along the momentum.
    public var nesterov = false
    /// The part of each matrix that is added to its gradient.
    public var weightDecay: Double = 0
    /// The largest norm of the gradient over all parameters; 0 for no limit.
    public var clip: Double = 1

    /// Creates the standard settings.
    public init() {}

    /// The momentum of every parameter.
    public func buffers(for ranges: [ParameterRange]) -> [(name: String, count: Int)] {
        [("momentum", ranges.reduce(0) { $0 + $1.count })]
    }

    /// Moves the parameters by one step.
    public func move(_ step: OptimizerStep) {
        guard let value = step.parameters.values.baseAddress,
            let gradient = step.parameters.gradients.baseAddress,
            let momentum = step.buffers[0].baseAddress
        else { return }
        for stretch in ParameterRange.stretches(of: step.parameters.ranges) {
            let start = stretch.range.lowerBound
            Kernels.sgd(
                stretch.range.count,
                Kernels.MomentumStep(
                    clip: step.scale, momentum: Float(self.momentum),
                    decay: stretch.decays ? Float(weightDecay) : 0,
                    rate: Float(step.learningRate), nesterov: nesterov),
                gradient: gradient + start, value: value + start, momentum: momentum + start)
        }
    }
}
