import Foundation
import RuntimeData
import RuntimeModel
import RuntimeNumerics
import RuntimeSupport

/// Everything that determines a trajectory: model, tokenizer, data, batch, optimiser, schedule, seed, phases.
///
/// A value: every change makes another recipe, and the one it came from stays as it was.
public struct Recipe: Sendable {
    /// The model's shape.
    public var model: any ModelConfiguration
    /// The weights of state 0; `nil` for fresh ones of the seed.
    public var weights: PretrainedModel?
    /// The tokenizer all corpora are read with.
    public var tokenizer: Tokenizer
    /// The corpora that mixtures name.
    public var corpora: [String: Corpus]
    /// Steps of pretraining and midtraining together (finetuning comes after); 0 to finetune the initial weights.
    public var steps: Int
    /// The step at which training ends early, with the schedule of all `steps`; `nil` for the last.
    public private(set) var stop: Int?
    /// Sequences in a step.
    public var batch: Int
    /// Parts a batch is worked through in, to save memory; it changes the last bits of results.
    public var accumulate: Int
    /// Seed of fresh weights and of every source's order.
    public var seed: UInt64
    /// Seed of every source's order where it is not `seed`.
    public var orderSeed: UInt64?
    /// Seed of every source's order in the phases after the first where it is another.
    public var phaseSeed: UInt64?
    /// Arithmetic of matrix products.
    public var precision: Precision
    /// Optimiser settings of pretraining and midtraining.
    public var optimizer: any Optimizer
    /// Learning rate over all `steps`; branching keeps it.
    public var learningRate: LearningRateSettings
    /// Phases by start, of which the first starts at 0; none in a recipe of no steps.
    public internal(set) var phases: [Phase]
    /// Every source is cut to this part of its tokens, so that it repeats as in a run that is so much longer; `nil` for all.
    public var dataFraction: Double?
    /// Names of sources that may be read more than once; `nil` stands for all.
    public var mayRepeat: Set<String>?
    /// How often a source is read in all, as `switching(from:mixture:name:reading:samples:)` promised; checked when the
    /// recipe is resolved.
    var promise: (source: String, samples: Int)?
    /// Finetunings after the last step, one after another.
    public var finetunings: [Finetuning] = []

    /// The most tokens that a recipe reads, so that no count of them overflows or loses digits as a `Double`.
    static let mostTokens = 1 << 53

    /// The number of steps before finetuning: `steps`, or fewer when training ends early.
    public var end: Int { stop ?? steps }

    /// Creates a recipe with one phase called `pretrain`, or with none when there is no mixture.
    ///
    /// What may be left out has the defaults of `mt.recipe`.
    ///
    /// - Throws: `RecipeError` or `InvalidValue` naming the field.
    public init(
        model: any ModelConfiguration, weights: PretrainedModel? = nil, tokenizer: Tokenizer,
        corpora: [String: Corpus], mixture: Mixture?, steps: Int,
        batch: Int, accumulate: Int = 1, seed: UInt64, precision: Precision = .float32,
        optimizer: any Optimizer = AdamW(),
        learningRate: LearningRateSettings = LearningRateSettings(), mayRepeat: Set<String>? = []
    ) throws {
        self.model = model
        self.weights = weights
        self.tokenizer = tokenizer
        self.corpora = corpora
        self.steps = steps
        self.batch = batch
        self.accumulate = accumulate
        self.seed = seed
        self.precision = precision
        self.optimizer = optimizer
        self.learningRate = learningRate
        self.mayRepeat = mayRepeat
        phases = mixture.map { [Phase(name: "pretrain", start: 0, mixture: $0)] } ?? []
        try validate()
    }

    /// Checks that the fields fit together.
    ///
    /// - Throws: `RecipeError` or `InvalidValue` naming the field, the value and what was expected.
    public func validate() throws {
        try model.validate()
        if let weights { try weights.check(model) }
        guard steps >= 0 else { throw InvalidValue("steps", expected: "0 or more", found: steps) }
        guard phases.isEmpty == (steps == 0) else {
            throw RecipeError(
                "mixture",
                steps == 0
                    ? "none expected in a recipe of 0 steps; leave it out"
                    : "expected for \(steps) steps, but it is missing")
        }
        if let first = phases.first {
            let starts = phases.map(\.start)
            guard first.start == 0, zip(starts, starts.dropFirst()).allSatisfy({ $0 < $1 }) else {
                throw RecipeError(
                    "phases", "expected starts that rise from 0, got \(starts.map(String.init))")
            }
        }
        if steps > 0, let late = phases.first(where: { $0.start >= steps }) {
            throw RecipeError(
                "steps",
                "the phase \(late.name) begins at step \(late.start), past the recipe's \(steps) steps"
            )
        }
        guard batch >= 1 else { throw InvalidValue("batch", expected: "at least 1", found: batch) }
        let read = Int.saturatingProduct(steps, largestBatch, longestContext)
        guard read <= Self.mostTokens else {
            throw RecipeError(
                "steps",
                "\(steps) steps of \(largestBatch) sequences of \(longestContext) tokens read more than the "
                    + "2^53 tokens that a recipe may read")
        }
        for batch in [batch] + phases.compactMap(\.settings.batch) {
            guard accumulate >= 1, batch % accumulate == 0 else {
                throw RecipeError(
                    "accumulate",
                    "expected a divisor of the batch of \(batch) sequences, got \(accumulate)")
            }
        }
        guard tokenizer.vocabularySize <= model.vocabulary else {
            throw RecipeError(
                "model",
                "its vocabulary of \(model.vocabulary) is smaller than the tokenizer's \(tokenizer.vocabularySize)"
            )
        }
        if let stop, !(0...steps).contains(stop) {
            throw InvalidValue("upto", expected: "a step in 0 ... \(steps)", found: stop)
        }
        if let dataFraction, !(dataFraction > 0 && dataFraction <= 1) {
            throw InvalidValue(
                "as_if", expected: "a run that is at least as long as this one",
                found: "one of \(1 / dataFraction) times its tokens")
        }
        try optimizer.validate()
        for finetuning in finetunings { try finetuning.optimizer.validate() }
        _ = try rates()
        for phase in phases {
            try phase.mixture.check(against: Array(corpora.keys))
            if !phase.loss.isEmpty {
                _ = try LossEmphasis(
                    phase.loss,
                    of: phase.ramp?.parts.map(\.name) ?? phase.mixture.parts.map(\.name))
            }
            try phase.settings.optimizer?.validate()
            _ = try model(in: phase.settings)
        }
    }

    /// The learning rate over all steps, in stretches by their first steps; one step's where there are none, which is
    /// never used.
    ///
    /// - Throws: `InvalidValue` naming the field that does not fit.
    func rates() throws -> [(start: Int, rates: LearningRates)] {
        var found = [(start: 0, rates: try learningRate.rates(steps: max(1, steps)))]
        func own(_ phase: Phase) throws -> LearningRates? {
            guard let rates = phase.settings.rates else { return nil }
            let before = found.last { $0.start <= rates.start }
            return try rates.change.rates(
                steps: rates.steps ?? steps - rates.start, recipe: learningRate,
                before: before.map { $0.rates.rate(atStep: rates.start - $0.start) } ?? 0,
                time: rates.start)
        }
        let whole = found[0].rates
        var active: Int?
        for phase in phases {
            let next = phase.settings.rates?.start
            guard next != active else { continue }
            // A phase of limited length gives way to the course that it interrupted.
            if let rates = try own(phase) {
                found.append((phase.settings.rates?.start ?? phase.start, rates))
            } else {
                found.append((phase.start, whole.shifted(by: phase.start)))
            }
            active = next
        }
        return found
    }

    /// The same recipe that ends after `step` steps, on the schedule of all its steps: a short branch.
    ///
    /// - Throws: `InvalidValue` for a step outside the recipe; `RecipeError` when it ends in finetuning.
    public func ending(at step: Int) throws -> Recipe {
        guard finetunings.isEmpty else {
            throw RecipeError("upto", "the recipe ends in finetuning; end it before")
        }
        var result = self
        result.promise = nil
        result.stop = step == steps ? nil : step
        try result.validate()
        return result
    }

    /// The same recipe with another mixture from step `from` on.
    ///
    /// - Parameters:
    ///   - length: Steps after which the mixture before `from` returns; `nil` keeps the new one to the end.
    ///   - replacing: Whether phases that start at `from` or later go.
    ///   - change: What else changes; what it leaves out is as in the phase before.
    /// - Throws: `RecipeError` when `from` is not inside the recipe, or when a later phase would be lost.
    public func switching(
        from: Int, mixture: Mixture, name: String, length: Int?, corpora more: [String: Corpus],
        replacing: Bool = false, change: PhaseChange = PhaseChange()
    ) throws -> Recipe {
        guard finetunings.isEmpty else {
            throw RecipeError(
                "from",
                "a recipe that ends in finetuning has no later phases; branch before finetuning")
        }
        guard steps > 0 else {
            throw RecipeError("from", "the recipe has no steps that a mixture could be given to")
        }
        guard from >= 0, from < steps else {
            throw RecipeError("from", "expected a step in 0 ... \(steps - 1), got \(from)")
        }
        if !replacing, let lost = phases.first(where: { wouldLose($0, from) }) {
            throw RecipeError(
                "from",
                "the phase \(name) from step \(from) would drop the phase \(lost.name) from step \(lost.start) "
                    + "(\(lost.mixture)); add phases in order of their steps, each to the recipe before it"
            )
        }
        var result = self
        result.promise = nil
        result.corpora.merge(more) { _, new in new }
        let before = phases.last { $0.start <= from }
        result.phases = phases.filter { $0.start < from }
        var phase = Phase(name: name, start: from, mixture: mixture)
        phase.startFraction = change.startFraction
        (phase.ramp, phase.loss) = (change.ramp, change.loss)
        phase.settings = change.settings(
            after: before?.settings ?? PhaseSettings(), start: from, steps: length)
        phase.resetsOptimizer = change.resetsOptimizer
        result.phases.append(phase)
        if let length {
            guard length >= 1 else {
                throw InvalidValue("length", expected: "at least 1 step", found: length)
            }
            guard length <= steps - from else {
                throw RecipeError(
                    "length",
                    "\(length) steps from step \(from) end after the recipe's last step \(steps)")
            }
            if var before, from + length < steps {
                guard before.ramp == nil else {
                    throw RecipeError(
                        "length",
                        "the mixture before is a ramp, which cannot return after \(length) steps; leave `length` out"
                    )
                }
                before.start = from + length
                before.startFraction = nil
                before.resetsOptimizer = false
                result.phases.append(before)
            }
        }
        try result.validate()
        return result
    }

    /// Whether a new mixture from a step on takes the place of a phase that was asked for: not of the first mixture at
    /// step 0, nor of one that returns after a phase of limited length.
    private func wouldLose(_ phase: Phase, _ from: Int) -> Bool {
        guard phase.start >= from, phase.start > 0 else { return false }
        return phase.start > from
            || !phases.contains {
                $0.start < phase.start && $0.name == phase.name
                    && $0.mixtureText == phase.mixtureText
            }
    }

    /// Gives a recipe of at most one phase another mixture, from its first step on.
    ///
    /// - Throws: `RecipeError` when it has more phases; they were made for the mixture before.
    public mutating func use(
        _ mixture: Mixture, ramp: MixtureRamp? = nil, loss: [String: Double] = [:],
        corpora more: [String: Corpus]
    ) throws {
        guard phases.count < 2 else {
            throw RecipeError(
                "mixture",
                "the recipe has \(phases.count) phases; change it before midtrain()")
        }
        corpora.merge(more) { _, new in new }
        var phase = Phase(name: "pretrain", start: 0, mixture: mixture)
        (phase.ramp, phase.loss) = (ramp, loss)
        phases = [phase]
    }

    /// The same recipe followed by finetuning, after any that it has already.
    ///
    /// - Throws: `InvalidValue` naming the field.
    public func finetuned(_ finetuning: Finetuning) throws -> Recipe {
        guard finetuning.epochs >= 1 else {
            throw InvalidValue("epochs", expected: "at least 1", found: finetuning.epochs)
        }
        guard finetuning.batch >= 1 else {
            throw InvalidValue("batch", expected: "at least 1", found: finetuning.batch)
        }
        try finetuning.optimizer.validate()
        var result = self
        result.finetunings.append(finetuning)
        return result
    }
}
