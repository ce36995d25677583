import Foundation
import RuntimeData
import RuntimeModel
import RuntimeNumerics
import RuntimeStore
import RuntimeSupport

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
    /// The sources, by name.
    public let sources: [Source]
    /// The steps of finetuning, if the recipe ends in it.
    public private(set) var finetune: FinetuneSteps?

    package let schedule: LearningRateSchedule
    let plans: [BatchPlan]  // one for each phase

    /// Resolves a recipe: tokenises its corpora (once per store), plans every batch and chains the keys.
    ///
    /// - Throws: errors of reading and tokenising; `MixtureError` when a source would repeat without leave;
    ///   `RecipeError` naming a field that does not fit.
    public init(
        _ recipe: Recipe, store: Store, progress: @escaping ProgressHandler = { _ in },
        stop: @escaping ShouldStop = { false }
    ) throws {
        try recipe.validate()
        try Numerics.checkLevel()
        self.recipe = recipe
        let names = Set(recipe.phases.flatMap { $0.mixture.parts.map(\.name) }).sorted()
        sources = try names.map { name in
            guard let corpus = recipe.corpora[name] else {
                throw RecipeError("mixture", "there is no corpus \"\(name)\"")
            }
            let tokens = try store.data.tokens(
                corpus, .train, recipe.tokenizer, progress: progress, stop: stop)
            return try Source(
                store: tokens, name: name, context: recipe.model.context, seed: recipe.seed)
        }
        plans = try Self.plan(recipe, sources)
        schedule = try recipe.schedule()
        steps = recipe.end
        try checkPromise()
        keys = try chain(from: initialKey(), recipe.end, stop: stop)
        if let finetuning = recipe.finetuning { try finetune(finetuning, store, progress, stop) }
    }

    /// The trajectory of `base` followed by finetuning; the keys of `base` are not computed again.
    ///
    /// - Throws: as `init(_:store:)`; `RecipeError` when `base` already ends in finetuning.
    public init(
        _ base: Trajectory, finetuning: Finetuning, store: Store,
        progress: @escaping ProgressHandler = { _ in },
        stop: @escaping ShouldStop = { false }
    ) throws {
        recipe = try base.recipe.finetuned(finetuning)
        (steps, keys, sources) = (base.steps, base.keys, base.sources)
        (plans, schedule) = (base.plans, base.schedule)
        try finetune(finetuning, store, progress, stop)
    }

    private func finetune(
        _ finetuning: Finetuning, _ store: Store, _ progress: @escaping ProgressHandler,
        _ stop: @escaping ShouldStop
    ) throws {
        let set = try store.data.finetuneSet(
            finetuning.corpus, .train, recipe.tokenizer, context: recipe.model.context,
            progress: progress, stop: stop)
        let lengths = try (0..<finetuning.epochs).map { epoch in
            if stop() { throw Interrupted("interrupted while the epochs were planned") }
            return try set.batchCount(
                epoch: epoch, batch: finetuning.batch, seed: finetuning.seed,
                packed: finetuning.packed)
        }
        let length = lengths.reduce(0, +)
        finetune = FinetuneSteps(
            settings: finetuning, set: set,
            schedule: try finetuning.learningRate.schedule(steps: length),
            start: recipe.end, batches: lengths)
        steps = recipe.end + length
        keys += try chain(from: keys[recipe.end], length, stop: stop).dropFirst()
    }

    /// One plan a phase; every source goes on where the phase before left it.
    private static func plan(_ recipe: Recipe, _ sources: [Source]) throws -> [BatchPlan] {
        var cursors = SourceCursors()
        // Of a recipe that ends early, no more is planned than is trained.
        return try recipe.phases.indices.filter { recipe.phases[$0].start < recipe.end }.map {
            index in
            let phase = recipe.phases[index]
            let next = index + 1 < recipe.phases.count ? recipe.phases[index + 1].start : recipe.end
            let end = min(next, recipe.end)
            let plan = try BatchPlan(
                mixture: phase.mixture, sources: sources, batch: recipe.batch,
                steps: end - phase.start,
                start: cursors, repeating: recipe.mayRepeat)
            cursors = plan.cursors(after: plan.steps)
            return plan
        }
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
    /// Steps of each epoch.
    public let batches: [Int]

    /// The epoch and the batch within it of a step of the trajectory.
    package func place(_ step: Int) -> (epoch: Int, index: Int) {
        var index = step - start
        for (epoch, count) in batches.enumerated() {
            if index < count { return (epoch, index) }
            index -= count
        }
        fatalError("step \(step) lies after the last epoch")
    }
}
