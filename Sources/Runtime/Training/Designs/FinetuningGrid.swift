import RuntimeData
import RuntimeModel

/// How arms are finetuned: settings that all share, the learning rates to choose from, and orders of the examples.
public struct FinetuningGrid {
    /// The corpus whose train split is the set.
    public var corpus: Corpus
    /// Passes over the set.
    public var epochs = Self.standardEpochs
    /// Examples (padded) or windows (packed) in a step.
    public var batch = Self.standardBatch
    /// The highest learning rates; of several, the best by valid loss counts.
    public var learningRates: [Double]
    /// The course of the learning rate after warm-up.
    public var schedule = Self.standardSchedule
    /// The learning rate at the end, as a part of the highest.
    public var minimumFraction = Self.standardMinimumFraction
    /// Steps of warm-up; below 1, a fraction of the steps.
    public var warmup = Self.standardWarmup
    /// Steps of the decay of a `wsd` schedule; below 1, a fraction of the steps.
    public var decay = Self.standardDecay
    /// Segments in place of `schedule`, `minimumFraction`, `warmup` and `decay`.
    public var segments: [RateSegment]?
    /// Text that is read beside the examples.
    public var replay: Replay?
    /// Decay of matrices.
    public var weightDecay = Self.standardWeightDecay
    /// The largest global gradient norm; 0 for no clipping.
    public var clip = Self.standardClip
    /// Whether examples share windows without padding.
    public var packed = false
    /// The order of the examples; `nil` for the recipe's seed.
    public var seed: UInt64?
    /// Several orders in place of `seed`: an arm each, which share their trunk.
    public var seeds: [UInt64]?

    /// Four passes.
    public static let standardEpochs = 4
    /// 64 examples.
    public static let standardBatch = 64
    /// A cosine.
    public static let standardSchedule = LearningRateSchedule.Kind.cosine
    /// A tenth of the highest rate.
    public static let standardMinimumFraction = 0.1
    /// A tenth of the steps.
    public static let standardWarmup = 0.1
    /// A tenth of the steps.
    public static let standardDecay = 0.1
    /// None.
    public static let standardWeightDecay = 0.0
    /// Clipping at 1.
    public static let standardClip = 1.0

    /// Creates a grid with the standard settings.
    public init(_ corpus: Corpus, learningRates: [Double]) {
        self.corpus = corpus
        self.learningRates = learningRates
    }

    /// The settings for a recipe, one for each learning rate; the optimizer is the recipe's, except for decay and clipping.
    public func settings(for recipe: Recipe) -> [Finetuning] {
        var optimizer = recipe.optimizer
        optimizer.weightDecay = weightDecay
        optimizer.clip = clip
        return learningRates.map { rate in
            var learningRate = LearningRateSettings(
                kind: schedule, peak: rate, minimum: rate * minimumFraction, warmup: warmup,
                decay: decay)
            learningRate.segments = segments
            var settings = Finetuning(
                corpus: corpus, epochs: epochs, batch: batch,
                seed: seed ?? recipe.orderSeed ?? recipe.seed,
                packed: packed,
                learningRate: learningRate, optimizer: optimizer)
            settings.replay = replay
            return settings
        }
    }

    /// The arm with its finetuning, once for each of `seeds` with the parameter `finetune_seed`.
    ///
    /// - Throws: `RecipeError` when `seeds` is empty, repeats itself, or stands beside `seed`.
    public func arms(_ arm: Arm) throws -> [Arm] {
        var arm = arm
        arm.finetuning = settings(for: arm.recipe)
        guard let seeds else { return [arm] }
        guard seed == nil, !seeds.isEmpty, Set(seeds).count == seeds.count else {
            throw RecipeError(
                "finetune.seeds", "different seeds expected, without `seed` beside them")
        }
        return seeds.map { seed in
            var copy = arm
            copy.parameters.append(("finetune_seed", .integer(Int(truncatingIfNeeded: seed))))
            for index in copy.finetuning.indices { copy.finetuning[index].seed = seed }
            return copy
        }
    }

    /// The arm with each of several finetunings in turn, told apart by the parameter `finetuned_on`; one alone has no such
    /// parameter.
    ///
    /// - Throws: as `arms(_:)`; `RecipeError` when the arm has a parameter of that name, or two finetunings one set.
    public static func arms(_ arm: Arm, _ grids: [FinetuningGrid]) throws -> [Arm] {
        guard grids.count > 1 else { return try grids.first.map { try $0.arms(arm) } ?? [arm] }
        let names = grids.map(\.corpus.name)
        guard arm.parameter(StudyResult.targetColumn) == nil, Set(names).count == names.count else {
            throw RecipeError(
                "finetune",
                "sets with names of their own expected, which the parameter \"finetuned_on\" tells apart, got "
                    + names.joined(separator: ", "))
        }
        return try grids.flatMap { grid in
            var copy = arm
            let place = copy.parameters.firstIndex { $0.name == "seed" } ?? copy.parameters.count
            copy.parameters.insert((StudyResult.targetColumn, .text(grid.corpus.name)), at: place)
            return try grid.arms(copy)
        }
    }
}
