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
    /// The sources in the windows and order that they are first read in, by name.
    public let sources: [Source]
    /// The finetunings that the recipe ends in, one after another.
    public private(set) var finetunes: [FinetuneSteps] = []

    let rates: [(start: Int, rates: LearningRates)]
    let stretches: [Stretch]  // one for each phase
    /// Where every source stands after the last step so far.
    private var ends: SourceEnds

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
        let stores = try names.map { name in
            guard let corpus = recipe.corpora[name] else {
                throw RecipeError("mixture", "there is no corpus \"\(name)\"")
            }
            let tokens = try store.data.tokens(
                corpus, .train, recipe.tokenizer, progress: progress, stop: stop)
            guard let fraction = recipe.dataFraction else { return tokens }
            let part = max(1, Int((fraction * Double(tokens.count)).rounded()))
            let subset = try store.data.subset(
                of: corpus, .tokens(part, recipe.tokenizer),
                seed: recipe.orderSeed ?? recipe.seed, progress: progress, stop: stop)
            return try store.data.tokens(
                subset, .train, recipe.tokenizer, progress: progress, stop: stop)
        }
        (sources, stretches, ends) = try Self.plan(
            recipe, Dictionary(uniqueKeysWithValues: zip(names, stores)))
        rates = try recipe.rates()
        steps = recipe.end
        try checkPromise()
        keys = try chain(from: initialKey(), recipe.end, stop: stop)
        for finetuning in recipe.finetunings { try finetune(finetuning, store, progress, stop) }
    }

    /// The trajectory of `base` followed by finetuning; the keys of `base` are not computed again.
    ///
    /// - Throws: as `init(_:store:)`.
    public init(
        _ base: Trajectory, finetuning: Finetuning, store: Store,
        progress: @escaping ProgressHandler = { _ in },
        stop: @escaping ShouldStop = { false }
    ) throws {
        recipe = try base.recipe.finetuned(finetuning)
        (steps, keys, sources) = (base.steps, base.keys, base.sources)
        (stretches, rates, finetunes) = (base.stretches, base.rates, base.finetunes)
        ends = base.ends
        try finetune(finetuning, store, progress, stop)
    }

    private func finetune(
        _ finetuning: Finetuning, _ store: Store, _ progress: @escaping ProgressHandler,
        _ stop: @escaping ShouldStop
    ) throws {
        let set = try store.data.finetuneSet(
            finetuning.corpus, .train, recipe.tokenizer, context: configuration(steps).context,
            progress: progress, stop: stop)
        let lengths = try (0..<finetuning.epochs).map { epoch in
            if stop() { throw Interrupted("interrupted while the epochs were planned") }
            return try set.batchCount(
                epoch: epoch, batch: finetuning.batch, seed: finetuning.seed,
                packed: finetuning.packed)
        }
        let length = lengths.reduce(0, +)
        let start = steps
        let replay = try finetuning.replay.map {
            try plan(
                $0, windows: $0.rows(before: length, batch: finetuning.batch), store, progress, stop
            )
        }
        finetunes.append(
            FinetuneSteps(
                settings: finetuning, set: set,
                rates: try finetuning.learningRate.rates(steps: length),
                replay: replay, start: start, batches: lengths))
        steps = start + length
        keys += try chain(from: keys[start], length, stop: stop).dropFirst()
    }

    /// The windows that a finetuning reads beside its examples; sources go on where they stand.
    private func plan(
        _ replay: Replay, windows: Int, _ store: Store, _ progress: @escaping ProgressHandler,
        _ stop: @escaping ShouldStop
    ) throws -> BatchPlan {
        guard replay.share > 0, replay.share < 1 else {
            throw RecipeError(
                "replay.share", "expected a part above 0 and below 1, got \(replay.share)")
        }
        guard windows > 0 else {
            throw RecipeError(
                "replay.share",
                "\(replay.share) of so few steps is not one window; raise the share, the batch or the epochs"
            )
        }
        let context = configuration(steps).context
        for name in replay.mixture.parts.map(\.name) {
            if let source = ends.sources[name] {
                guard source.context != context else { continue }
                ends.sources[name] = try Source(
                    continuing: source, at: ends.cursors[name], context: context,
                    seed: source.seed)
                ends.cursors.restart(name)
            } else {
                guard let corpus = replay.corpora[name] else {
                    throw RecipeError("replay", "there is no corpus \"\(name)\"")
                }
                let tokens = try store.data.tokens(
                    corpus, .train, recipe.tokenizer, progress: progress, stop: stop)
                ends.sources[name] = try Source(
                    store: tokens, name: name, context: context,
                    seed: recipe.orderSeed ?? recipe.seed)
            }
        }
        let plan = try BatchPlan(
            mixture: replay.mixture,
            sources: replay.mixture.parts.compactMap { ends.sources[$0.name] }, batch: 1,
            steps: windows, start: ends.cursors, repeating: recipe.mayRepeat)
        ends.cursors = plan.cursors(after: windows)
        return plan
    }

    /// One plan a phase; every source goes on where the phase before left it.
    private static func plan(
        _ recipe: Recipe, _ stores: [String: TokenStore]
    ) throws -> ([Source], [Stretch], SourceEnds) {
        var cursors = SourceCursors()
        var current: [String: Source] = [:]
        var first: [Source] = []
        var stretches: [Stretch] = []
        var optimizer = recipe.optimizer
        // Of a recipe that ends early, no more is planned than is trained.
        for index in recipe.phases.indices where recipe.phases[index].start < recipe.end {
            let phase = recipe.phases[index]
            let model = try recipe.model(in: phase.settings)
            let seed =
                phase.settings.orderSeed ?? (index > 0 ? recipe.phaseSeed : nil)
                ?? recipe.orderSeed ?? recipe.seed
            let names = phase.mixture.parts.map(\.name)
            for name in names {
                guard let store = stores[name] else { continue }
                if let source = current[name] {
                    guard source.context != model.context || source.seed != seed else { continue }
                    current[name] = try Source(
                        continuing: source, at: cursors[name], context: model.context, seed: seed)
                    cursors.restart(name)
                } else {
                    let source = try Source(
                        store: store, name: name, context: model.context, seed: seed)
                    current[name] = source
                    first.append(source)
                }
            }
            let plan = try BatchPlan(
                mixture: phase.mixture, ramp: phase.ramp, loss: phase.loss,
                sources: names.compactMap { current[$0] },
                batch: phase.settings.batch ?? recipe.batch,
                steps: recipe.end(ofPhase: index) - phase.start,
                start: cursors, repeating: recipe.mayRepeat)
            cursors = plan.cursors(after: plan.steps)
            let own = phase.settings.optimizer ?? recipe.optimizer
            stretches.append(
                Stretch(
                    phase: phase, plan: plan, model: model,
                    precision: phase.settings.precision ?? recipe.precision,
                    changedModel: RecordedModel(model) == RecordedModel(recipe.model)
                        ? nil : model.digest,
                    optimizer: own,
                    resetsOptimizer: index > 0
                        && (phase.resetsOptimizer || own.kind != optimizer.kind)))
            optimizer = own
        }
        return (
            first.sorted { $0.name < $1.name }, stretches,
            SourceEnds(sources: current, cursors: cursors)
        )
    }
}

/// Where sources stand between two parts of a trajectory.
private struct SourceEnds {
    var sources: [String: Source]
    var cursors: SourceCursors
}

/// A phase as it is carried out.
struct Stretch {
    let phase: Phase
    let plan: BatchPlan
    let model: any ModelConfiguration
    let precision: Precision
    /// The digest of the shape where it is not the recipe's.
    let changedModel: Digest?
    let optimizer: any Optimizer
    /// Whether the optimizer forgets what it kept at the first step.
    let resetsOptimizer: Bool
}

/// The part of a trajectory that finetunes.
public struct FinetuneSteps {
    /// How it goes over its set.
    public let settings: Finetuning
    /// The set.
    public let set: FinetuneSet
    /// The learning rate from the first step of finetuning on.
    public let rates: LearningRates
    /// The windows that are read beside the examples, one a step of the plan.
    package let replay: BatchPlan?
    /// The first step of finetuning.
    public let start: Int
    /// Steps of each epoch.
    public let batches: [Int]

    /// Steps of all epochs.
    var length: Int { batches.reduce(0, +) }

    /// Which windows step `step` of the trajectory reads beside the examples.
    func replayed(_ step: Int) -> Range<Int> {
        guard let replay = settings.replay else { return 0..<0 }
        let index = step - start
        return replay.rows(
            before: index, batch: settings.batch)..<replay.rows(
                before: index + 1, batch: settings.batch)
    }

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
