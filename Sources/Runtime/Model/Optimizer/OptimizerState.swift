import RuntimeNumerics
import RuntimeSupport

/// A step cannot be taken, as numbers are no longer finite; the state is that before it.
public struct NotFiniteError: RuntimeError {
    /// The step that failed, from 1.
    public let step: Int
    /// What was not finite.
    public let what: String

    package init(step: Int, what: String) {
        self.step = step
        self.what = what
    }

    /// Names the step and what remains usable.
    public var message: String {
        "step \(step): \(what) is not a finite number; the state after step \(step - 1) is kept, try a lower "
            + "learning rate, more warm-up or a lower clip"
    }
}

/// An optimizer at work on a model's parameters: its buffers and the number of its steps, with clipping by the global norm
/// as PyTorch's `clip_grad_norm_`.
public final class OptimizerState {
    /// What it works by.
    public private(set) var optimizer: any Optimizer
    /// Steps taken since the last reset.
    public private(set) var steps = 0
    /// What the optimizer keeps between steps, by the names it has in checkpoints; valid while this object lives.
    public let buffers: [(name: String, values: UnsafeMutableBufferPointer<Float>)]
    private let parameters: Parameters
    private let storage: [Storage]

    /// Starts with buffers of zeros.
    ///
    /// - Throws: `InvalidValue` for settings that are not valid; `OutOfMemory`.
    public init(_ parameters: Parameters, _ optimizer: any Optimizer = AdamW()) throws {
        try optimizer.validate()
        self.optimizer = optimizer
        self.parameters = parameters
        let named = optimizer.buffers(for: parameters.ranges)
        let storage = try named.map { try Storage($0.count) }
        buffers = zip(named, storage).map {
            ($0.name, UnsafeMutableBufferPointer(start: $1.pointer, count: $1.count))
        }
        self.storage = storage
        reset()
    }

    /// Works by other settings of the same optimizer from the next step on; what it keeps stays.
    ///
    /// - Throws: `InvalidValue` for settings that are not valid, or another optimizer.
    public func use(_ settings: any Optimizer) throws {
        guard settings.kind == optimizer.kind else {
            throw InvalidValue("optimizer", expected: optimizer.kind, found: settings.kind)
        }
        try settings.validate()
        optimizer = settings
    }

    /// Sets the buffers and the number of steps to zero.
    public func reset() {
        for buffer in buffers { buffer.values.update(repeating: 0) }
        steps = 0
    }

    /// Goes on from `steps` steps, whose buffers the caller has written.
    ///
    /// - Throws: `InvalidValue` if it is negative.
    public func restore(steps: Int) throws {
        guard steps >= 0 else { throw InvalidValue("steps", expected: "0 or more", found: steps) }
        self.steps = steps
    }

    /// One step against `parameters.gradients`.
    ///
    /// - Returns: the norm of the gradient before clipping.
    /// - Throws: `NotFiniteError` naming the first parameter concerned; `InvalidValue` for a rate that is
    ///   negative or not finite.
    @discardableResult
    public func step(learningRate: Double) throws -> Double {
        guard learningRate.isFinite, learningRate >= 0 else {
            throw InvalidValue(
                "learning_rate", expected: "0 or a positive number", found: learningRate)
        }
        try parameters.prepareGradients()
        guard let gradient = parameters.gradients.baseAddress else { return 0 }
        let norm = Kernels.sumSquares(parameters.count, gradient).squareRoot()
        guard norm.isFinite else {
            let bad = parameters.ranges.first {
                !Kernels.sumSquares($0.count, gradient + $0.offset).isFinite
            }
            throw NotFiniteError(
                step: steps + 1,
                what: "the gradient of \(bad?.name ?? "all parameters together")")
        }
        let clip = optimizer.clip
        try optimizer.move(
            OptimizerStep(
                parameters: parameters, buffers: buffers.map(\.values),
                scale: clip > 0 ? Float(min(1, clip / (norm + 1e-6))) : 1, number: steps + 1,
                learningRate: learningRate))
        steps += 1
        return norm
    }
}
