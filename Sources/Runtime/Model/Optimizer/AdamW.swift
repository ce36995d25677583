import RuntimeNumerics
import RuntimeSupport

/// The numbers that AdamW works by.
public struct AdamWSettings: Codable, Hashable, Sendable {
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

    /// Checks every field.
    ///
    /// - Throws: `InvalidValue` naming the field.
    public func validate() throws {
        for (name, value) in [("beta1", beta1), ("beta2", beta2)] where !(value >= 0 && value < 1) {
            throw InvalidValue(name, expected: "a number from 0 to below 1", found: value)
        }
        guard epsilon.isFinite, epsilon > 0 else {
            throw InvalidValue("epsilon", expected: "a positive number", found: epsilon)
        }
        for (name, value) in [("weight_decay", weightDecay), ("clip", clip)]
        where !(value >= 0 && value.isFinite) {
            throw InvalidValue(name, expected: "0 or a positive number", found: value)
        }
    }
}

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

/// AdamW (Loshchilov and Hutter 2017, arXiv 1711.05101) with clipping by the global norm, as
/// PyTorch computes them.
public final class AdamW {
    /// What it works by.
    public private(set) var settings: AdamWSettings
    /// Steps taken.
    public private(set) var steps = 0
    private let parameters: Parameters
    private let first: Storage
    private let second: Storage

    /// Starts with moments of zero.
    ///
    /// - Throws: `InvalidValue` for settings that are not valid; `OutOfMemory`.
    public init(_ parameters: Parameters, settings: AdamWSettings = AdamWSettings()) throws {
        try settings.validate()
        self.settings = settings
        self.parameters = parameters
        first = try Storage(parameters.count)
        second = try Storage(parameters.count)
        reset()
    }

    /// Running means of gradients, laid out as the parameters; valid while this object lives.
    public var firstMoment: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: first.pointer, count: first.count)
    }

    /// Running means of squared gradients; valid while this object lives.
    public var secondMoment: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: second.pointer, count: second.count)
    }

    /// Works by other settings from the next step on; moments stay.
    ///
    /// - Throws: `InvalidValue` for settings that are not valid.
    public func use(_ settings: AdamWSettings) throws {
        try settings.validate()
        self.settings = settings
    }

    /// Sets moments and the number of steps to zero.
    public func reset() {
        firstMoment.update(repeating: 0)
        secondMoment.update(repeating: 0)
        steps = 0
    }

    /// Goes on from `steps` steps, whose moments the caller has written.
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
        let time = Double(steps + 1)
        var numbers = Kernels.AdamWStep(
            clip: settings.clip > 0 ? Float(min(1, settings.clip / (norm + 1e-6))) : 1,
            beta1: Float(settings.beta1), beta2: Float(settings.beta2),
            epsilon: Float(settings.epsilon),
            rate: Float(learningRate / (1 - power(settings.beta1, time))),
            root: Float(1 / (1 - power(settings.beta2, time)).squareRoot()), keep: 1)
        for part in stretches {
            numbers.keep = part.decays ? Float(1 - learningRate * settings.weightDecay) : 1
            guard let value = parameters.values.baseAddress else { continue }
            Kernels.adamW(
                part.range.count, numbers, gradient: gradient + part.range.lowerBound,
                value: value + part.range.lowerBound, first: first.pointer + part.range.lowerBound,
                second: second.pointer + part.range.lowerBound)
        }
        steps += 1
        return norm
    }

    private func power(_ base: Double, _ exponent: Double) -> Double {
        // By squaring: the C library's pow may differ in the last bit between systems.
        var (result, factor, rest) = (1.0, base, Int(exponent))
        while rest > 0 {
            if rest & 1 == 1 { result *= factor }
            factor *= factor
            rest >>= 1
        }
        return result
    }

    /// Neighbouring parameters that are treated alike.
    private lazy var stretches: [(range: Range<Int>, decays: Bool)] = {
        var result: [(range: Range<Int>, decays: Bool)] = []
        for range in parameters.ranges {
            if let last = result.last, last.decays == range.decays {
                result[result.count - 1].range = last.range.lowerBound..<range.offset + range.count
            } else {
                result.append((range.offset..<range.offset + range.count, range.decays))
            }
        }
        return result
    }()
}
