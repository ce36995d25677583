import RuntimeData
import RuntimeModel
import RuntimeNumerics
import RuntimeSupport

extension Recipe {
    /// The shape of the model in a phase: that of the recipe with the phase's context and rotary base.
    ///
    /// - Throws: `RecipeError` when the model cannot have them with the same parameters.
    func model(in settings: PhaseSettings) throws -> any ModelConfiguration {
        guard settings.context != nil || settings.rotaryBase != nil else { return model }
        var changed = model
        if let context = settings.context { changed.context = context }
        if let base = settings.rotaryBase {
            guard model.positionBase != nil else {
                throw RecipeError(
                    "rotary_base", "the \(model.family) model has no rotary base that could change")
            }
            changed.positionBase = base
        }
        try changed.validate()
        let (old, new) = (model.parameterShapes, changed.parameterShapes)
        guard zip(old, new).allSatisfy({ $0.name == $1.name && $0.shape == $1.shape }),
            old.count == new.count
        else {
            throw RecipeError(
                "context",
                "the \(model.family) model has parameters for each of its \(model.context) positions, "
                    + "so that its context cannot change")
        }
        return changed
    }

    /// The most sequences in a step before finetuning.
    package var largestBatch: Int {
        phases.compactMap(\.settings.batch).reduce(batch) { max($0, $1) }
    }

    /// The longest sequence.
    package var longestContext: Int {
        phases.compactMap(\.settings.context).reduce(model.context) { max($0, $1) }
    }

    /// The step after a phase's last.
    package func end(ofPhase index: Int) -> Int {
        min(index + 1 < phases.count ? phases[index + 1].start : steps, end)
    }

    /// Gives the recipe another number of steps; phases whose start was written as a part of all steps move.
    ///
    /// - Throws: `RecipeError` when a ramp or a schedule was sampled for another number of steps.
    public mutating func use(steps: Int) throws {
        let before = self
        self.steps = steps
        for index in phases.indices {
            guard let fraction = phases[index].startFraction else { continue }
            let start = Self.step(fraction, of: steps)
            for later in phases.indices
            where before.phases[later].settings.rates?.start == before.phases[index].start {
                phases[later].settings.rates?.start = start
            }
            phases[index].start = start
        }
        for index in phases.indices {
            guard let ramp = phases[index].ramp else { continue }
            let goesToEnd = ramp.steps == before.steps - before.phases[index].start
            let length = (goesToEnd ? steps : end(ofPhase: index)) - phases[index].start
            guard length >= 1 else {
                throw RecipeError(
                    "steps",
                    "the phase \(phases[index].name) would start at step \(phases[index].start) of \(steps)"
                )
            }
            let moved = try MixtureRamp(ramp.parts, steps: length)
            phases[index].ramp = moved
            phases[index].mixture = try moved.mean()
        }
    }

    /// The step that is nearest to a part of all steps.
    public static func step(_ fraction: Double, of steps: Int) -> Int {
        Int((fraction * Double(steps)).rounded())
    }
}

extension Recipe {
    /// The optimizer of the phase that the step before `step` belongs to.
    package func optimizer(before step: Int) -> any Optimizer {
        phases.last { $0.start <= step }?.settings.optimizer ?? optimizer
    }

    /// The learning rate of a step before finetuning.
    ///
    /// - Throws: `InvalidValue` naming the field that does not fit.
    public func learningRate(atStep step: Int) throws -> Double {
        let rates = try rates()
        let own = rates.last { $0.start <= step } ?? rates[0]
        return own.rates.rate(atStep: step - own.start)
    }

    /// What a phase changes beside the mixture, compared with the one before it, a few words each.
    package func changes(inPhase index: Int) -> [String] {
        let (phase, own) = (phases[index], phases[index].settings)
        let before = index > 0 ? phases[index - 1].settings : PhaseSettings()
        var changes: [String] = []
        if own.rates?.start != before.rates?.start {
            changes.append(own.rates?.change.brief(learningRate) ?? "rate: the recipe's again")
        }
        let optimizers = (own.optimizer ?? optimizer, before.optimizer ?? optimizer)
        if !optimizers.0.isEqual(to: optimizers.1) { changes.append(optimizers.0.brief) }
        if phase.resetsOptimizer { changes.append("optimizer reset") }
        func note<T: Equatable>(_ name: String, _ new: T?, _ old: T?, _ standard: T) {
            if new != old { changes.append("\(name) \(new ?? standard)") }
        }
        note("batch", own.batch, before.batch, batch)
        note("context", own.context, before.context, model.context)
        note(
            "rotary base", own.rotaryBase, before.rotaryBase, model.positionBase ?? 0)
        note(
            "precision", own.precision?.rawValue, before.precision?.rawValue, precision.rawValue)
        note("order seed", own.orderSeed, before.orderSeed, orderSeed ?? seed)
        return changes
    }
}

extension Optimizer {
    /// Whether both are of one kind with equal settings.
    package func isEqual(to other: any Optimizer) -> Bool {
        kind == other.kind
            && descriptions.allSatisfy { value($0.name) == other.value($0.name) }
    }
}
