import Foundation

/// A recipe resolved against a store: the data, learning rate and state key of every step.
///
/// State 0 is the initial weights; step `s` (from 0) leads from state `s` to state `s + 1`. A state's key is a hash
/// chain over what the steps used: learning-rate values, optimiser settings, the rows of every batch. Names, paths and
/// settings that change nothing stay out, so that recipes share what they have in common.
public final class Trajectory {
    /// The recipe.
    public let recipe: Recipe
    /// Steps of pretraining, midtraining and finetuning together.
    public private(set) var steps: Int
    /// The key of every state, `steps + 1` of them.
    public private(set) var keys: [Digest] = []
    /// The sources by name order, as `rows` numbers them.
    public let sources: [Source]
    /// The steps of finetuning, if the recipe ends in it.
    public private(set) var finetune: FinetuneSteps?

    let schedule: LearningRateSchedule
    let assigned: [UInt8]  // the source of every sample of pretraining and midtraining
    let cursors: [Int]  // per step, the next position of every source

    /// Resolves a recipe: tokenises its corpora (once per store), assigns every sample and chains the keys.
    ///
    /// - Throws: errors of reading and tokenising; `ExposureError` when a source would repeat without leave;
    ///   `RecipeError` when the finetuning set gives no step.
    public init(
        _ recipe: Recipe, store: Store, progress: @escaping (WorkProgress) -> Void = { _ in },
        stop: @escaping ShouldStop = { false }
    ) throws {
        try recipe.validate()
        self.recipe = recipe
        let names = Set(recipe.phases.flatMap { $0.mixture.names }).sorted()
        sources = try names.map { name in
            guard let corpus = recipe.corpora[name] else { fatalError("validate() let \(name) through") }
            let tokens = try store.tokens(corpus, .train, recipe.tokenizer, progress: progress, stop: stop)
            return try Source(store: tokens, name: name, context: recipe.model.context, seed: recipe.seed)
        }
        (assigned, cursors) = Self.assign(recipe, names)
        try Self.checkRepeats(recipe, sources, cursors.suffix(names.count))
        schedule = try recipe.learningRate.schedule(steps: recipe.steps)
        (steps, finetune) = (recipe.steps, nil)
        keys = chain(from: initialKey(), recipe.steps)
        if let finetuning = recipe.finetuning {
            try finetune(finetuning, store, progress, stop)
        }
    }

    /// The trajectory of `base` followed by finetuning; the keys of `base` are not computed again.
    ///
    /// - Throws: as `init(_:store:)`; `RecipeError` when `base` already ends in finetuning.
    public init(
        _ base: Trajectory, finetuning: Finetuning, store: Store, progress: @escaping (WorkProgress) -> Void = { _ in },
        stop: @escaping ShouldStop = { false }
    ) throws {
        recipe = try base.recipe.finetuned(finetuning)
        (steps, keys, sources) = (base.steps, base.keys, base.sources)
        (assigned, cursors, schedule) = (base.assigned, base.cursors, base.schedule)
        try finetune(finetuning, store, progress, stop)
    }

    private func finetune(
        _ finetuning: Finetuning, _ store: Store, _ progress: @escaping (WorkProgress) -> Void,
        _ stop: @escaping ShouldStop
    ) throws {
        let set = try store.finetuneSet(
            finetuning.corpus, .train, recipe.tokenizer, context: recipe.model.context, progress: progress,
            stop: stop)
        let perEpoch = set.batchCount(batch: finetuning.batch, packed: finetuning.packed)
        guard perEpoch > 0 else {
            throw RecipeError("finetune", "corpus \(finetuning.corpus.name) has no examples in its train split")
        }
        let length = perEpoch * finetuning.epochs
        let schedule = try finetuning.learningRate.schedule(steps: length)
        finetune = FinetuneSteps(
            settings: finetuning, set: set, schedule: schedule, start: recipe.steps, batchesPerEpoch: perEpoch)
        steps = recipe.steps + length
        keys += chain(from: keys[recipe.steps], length).dropFirst()
    }

    private static func assign(_ recipe: Recipe, _ names: [String]) -> ([UInt8], [Int]) {
        var assigned: [UInt8] = []
        var cursors: [Int] = []
        assigned.reserveCapacity(recipe.steps * recipe.batch)
        var next = [Int](repeating: 0, count: names.count)
        for (index, phase) in recipe.phases.enumerated() {
            let end = index + 1 < recipe.phases.count ? recipe.phases[index + 1].start : recipe.steps
            let number = phase.mixture.names.map { UInt8(names.firstIndex(of: $0) ?? 0) }
            var order = MixtureOrder(phase.mixture)
            for _ in phase.start..<end {
                cursors.append(contentsOf: next)
                for _ in 0..<recipe.batch {
                    let source = number[order.next()]
                    assigned.append(source)
                    next[Int(source)] += 1
                }
            }
        }
        cursors.append(contentsOf: next)
        return (assigned, cursors)
    }
}

/// The part of a trajectory that finetunes.
public struct FinetuneSteps {
    /// How it goes over its set.
    public let settings: Finetuning
    /// The set.
    public let set: FinetuneSet
    /// The learning rate from the first step of finetuning on.
    public let schedule: LearningRateSchedule
    /// The first step of finetuning.
    public let start: Int
    /// Steps in one pass over the set.
    public let batchesPerEpoch: Int

    /// The epoch and the batch within it of a step of the trajectory.
    func place(_ step: Int) -> (epoch: Int, index: Int) {
        ((step - start) / batchesPerEpoch, (step - start) % batchesPerEpoch)
    }
}
