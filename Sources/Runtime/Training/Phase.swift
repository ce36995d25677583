import RuntimeData
import RuntimeModel
import RuntimeSupport

/// A learning-rate schedule whose length is not known yet.
public struct LearningRateSettings: Codable, Hashable, Sendable {
    /// Shape of the schedule.
    public var kind: LearningRateSchedule.Kind
    /// Highest learning rate.
    public var peak: Double
    /// Learning rate at the end.
    public var minimum: Double
    /// Steps of warm-up; below 1, a fraction of all steps.
    public var warmup: Double
    /// Steps of the decay of a `wsd` schedule; below 1, a fraction of all steps.
    public var decay: Double

    /// Creates settings; see the properties.
    ///
    /// - Parameter minimum: By default a hundredth of `peak`.
    public init(
        kind: LearningRateSchedule.Kind = .cosine, peak: Double = 1e-3, minimum: Double? = nil,
        warmup: Double = 0.1, decay: Double = 0.1
    ) {
        self.kind = kind
        self.peak = peak
        self.minimum = minimum ?? Self.minimum(of: peak)
        self.warmup = warmup
        self.decay = decay
    }

    private static func minimum(of peak: Double) -> Double { peak / 100 }

    /// The same course with another highest rate, and a hundredth of it at the end.
    public func with(peak: Double) -> LearningRateSettings {
        var settings = self
        settings.peak = peak
        settings.minimum = Self.minimum(of: peak)
        return settings
    }

    private static func count(_ value: Double, of steps: Int) -> Int {
        Int((value < 1 ? value * Double(steps) : value).rounded())
    }

    /// The schedule over `steps` steps.
    ///
    /// - Throws: `InvalidValue` naming the field that does not fit.
    public func schedule(steps: Int) throws -> LearningRateSchedule {
        for (name, value) in [("warmup", warmup), ("decay", decay)]
        where !(value >= 0 && value <= Double(steps)) {
            throw InvalidValue(
                name, expected: "steps in 0 ... \(steps), or a fraction below 1", found: value)
        }
        let schedule = LearningRateSchedule(
            kind: kind, peak: peak, minimum: minimum, warmupSteps: Self.count(warmup, of: steps),
            totalSteps: steps, decaySteps: Self.count(decay, of: steps))
        try schedule.validate()
        return schedule
    }
}

/// How a finetuning phase goes over its set.
public struct Finetuning: Sendable {
    /// The corpus whose train split is the finetuning set; its template says what the loss ignores.
    public var corpus: Corpus
    /// Passes over the set, at least 1.
    public var epochs: Int
    /// Examples (padded) or windows (packed) in a step.
    public var batch: Int
    /// Order of the examples and nothing else.
    public var seed: UInt64
    /// Whether examples are packed into windows without padding.
    public var packed: Bool
    /// Learning rate over the phase's own steps.
    public var learningRate: LearningRateSettings
    /// Optimiser settings of the phase.
    public var optimizer: any Optimizer

    /// Creates the settings; see the properties.
    public init(
        corpus: Corpus, epochs: Int, batch: Int, seed: UInt64, packed: Bool,
        learningRate: LearningRateSettings,
        optimizer: any Optimizer
    ) {
        self.corpus = corpus
        self.epochs = epochs
        self.batch = batch
        self.seed = seed
        self.packed = packed
        self.learningRate = learningRate
        self.optimizer = optimizer
    }
}

/// A stretch of training with one mixture.
public struct Phase: Sendable {
    /// What the researcher calls it, such as `pretrain`, `midtrain` or `continue`.
    public var name: String
    /// The first step of the phase, counted from 0.
    public var start: Int
    /// Weights over sources.
    public var mixture: Mixture

    /// Creates a phase.
    public init(name: String, start: Int, mixture: Mixture) {
        self.name = name
        self.start = start
        self.mixture = mixture
    }
}

/// A recipe that cannot be carried out as written.
public struct RecipeError: RuntimeError {
    /// The field at fault, such as `from`.
    public let field: String
    /// What is wrong, with the value and what was expected.
    public let reason: String

    /// Creates the error.
    public init(_ field: String, _ reason: String) {
        self.field = field
        self.reason = reason
    }

    /// `FIELD: REASON`.
    public var message: String { "\(field): \(reason)" }
}
