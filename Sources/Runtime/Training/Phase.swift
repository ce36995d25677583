import RuntimeData
import RuntimeModel
import RuntimeNumerics
import RuntimeSupport

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
    /// Text that is read beside the examples, so that it is not forgotten.
    public var replay: Replay?

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

    /// The most rows of a part of a step.
    var mostRows: Int {
        max(batch, replay.map { $0.rows(before: 1, batch: batch) + 1 } ?? 0)
    }
}

/// Windows of text beside the examples of finetuning.
public struct Replay: Sendable {
    /// Weights over the recipe's sources.
    public var mixture: Mixture
    /// The corpora that the mixture names.
    public var corpora: [String: Corpus]
    /// The part of a step's rows, and of its loss, that the windows are: below 1.
    public var share: Double

    /// Creates the settings.
    public init(mixture: Mixture, corpora: [String: Corpus], share: Double) {
        (self.mixture, self.corpora, self.share) = (mixture, corpora, share)
    }

    /// How many windows the first `steps` steps of `batch` examples have.
    func rows(before steps: Int, batch: Int) -> Int {
        Int((Double(steps) * Double(batch) * share / (1 - share)).rounded(.down))
    }
}

/// A stretch of training with one mixture, or with one that changes step by step.
public struct Phase: Sendable {
    /// What the researcher calls it, such as `pretrain`, `midtrain` or `continue`.
    public var name: String
    /// The first step of the phase, counted from 0.
    public var start: Int
    /// The start as a part of the recipe's steps, if it was written so: it moves with the number of steps.
    public var startFraction: Double?
    /// Weights over sources; of a ramp, their mean over its steps.
    public var mixture: Mixture
    /// Weights that change over the phase.
    public var ramp: MixtureRamp?
    /// The share of the loss that sources have, by name, where it is not their share of the samples.
    public var loss: [String: Double] = [:]
    /// What else is not as the recipe says.
    public var settings = PhaseSettings()
    /// Whether the optimizer forgets what it kept at the first step.
    public var resetsOptimizer = false

    /// Creates a phase.
    public init(name: String, start: Int, mixture: Mixture) {
        self.name = name
        self.start = start
        self.mixture = mixture
    }

    /// The weights as people write them, such as `prose 0.8, code 0.2`.
    public var mixtureText: String {
        let text = ramp?.description ?? mixture.description
        guard !loss.isEmpty else { return text }
        let shares = loss.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return "\(text); of the loss: \(shares.joined(separator: ", "))"
    }
}

/// What a phase, and those after it, have that differs from their recipe; `nil` for what is the recipe's.
public struct PhaseSettings: Sendable {
    /// The learning rate.
    public var rates: PhaseRates?
    /// The optimizer.
    public var optimizer: (any Optimizer)?
    /// Sequences in a step.
    public var batch: Int?
    /// Tokens of a sequence.
    public var context: Int?
    /// What the angles of rotary positions are powers of, for longer contexts.
    public var rotaryBase: Double?
    /// Arithmetic of matrix products.
    public var precision: Precision?
    /// The seed of the order of the data.
    public var orderSeed: UInt64?

    /// Nothing that differs.
    public init() {}
}

/// A learning rate that a phase began.
public struct PhaseRates: Sendable {
    /// What the phase says of it.
    public var change: RateChange
    /// The steps it lasts; `nil` to the recipe's last.
    public var steps: Int?
    /// The first step that has it.
    public var start: Int
}

/// What a phase that is added to a recipe changes beside the mixture.
public struct PhaseChange: Sendable {
    /// The start as a part of all steps, if it was written so.
    public var startFraction: Double?
    /// Weights that change over the phase, whose mean is its mixture.
    public var ramp: MixtureRamp?
    /// The share of the loss of sources, by name.
    public var loss: [String: Double] = [:]
    /// The learning rate.
    public var rates: RateChange?
    /// Whether the optimizer forgets what it kept at the first step.
    public var resetsOptimizer = false
    /// Everything else; its `rates` are not used.
    public var settings = PhaseSettings()

    /// No change.
    public init() {}

    /// The settings of the phase, given those of the phase before.
    func settings(after before: PhaseSettings, start: Int, steps: Int?) -> PhaseSettings {
        var result = before
        if let rates { result.rates = PhaseRates(change: rates, steps: steps, start: start) }
        result.optimizer = settings.optimizer ?? before.optimizer
        result.batch = settings.batch ?? before.batch
        result.context = settings.context ?? before.context
        result.rotaryBase = settings.rotaryBase ?? before.rotaryBase
        result.precision = settings.precision ?? before.precision
        result.orderSeed = settings.orderSeed ?? before.orderSeed
        return result
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
