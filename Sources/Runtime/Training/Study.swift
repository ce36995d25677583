import Foundation

/// What a study reports while it runs.
public enum StudyEvent {
    /// Work on an arm begins: its number from 1, how many there are, its label, and what is done.
    case arm(Int, of: Int, label: String, task: String)
    /// Something of the run under way, and the run's length.
    case run(RunEvent, steps: Int)
    /// An arm failed; the others go on.
    case failed(label: String, reason: String)
}

/// How a study is carried out; nothing here changes its numbers.
public struct StudyOptions {
    /// Seconds of training that a crash may cost.
    public var checkpointSeconds = 60.0
    /// Whether finetuned states stay on disk after they were evaluated.
    public var keepFinetuned = false
    /// Receives what happens; `false` asks to stop at this step boundary.
    public var onEvent: (StudyEvent) throws -> Bool = { _ in true }
    /// Receives lines about tokenising.
    public var progress: ProgressHandler = { _ in }
    /// Polled between steps.
    public var stop: ShouldStop = { false }

    /// The defaults.
    public init() {}
}

/// Many recipes that share prefixes: every distinct segment is trained once, every result is kept.
public final class Study {
    /// The arms in order; controls are arms too.
    public let arms: [Arm]
    /// The corpora whose losses are measured, before and after finetuning.
    public let evaluate: [Corpus]
    /// Windows or examples of each split that an evaluation reads at most; `nil` for all.
    public let evaluationLimit: Int?
    /// Where states and results are.
    public let store: Store

    struct Variant {
        let settings: Finetuning
        let trajectory: Trajectory
        var done: Bool
    }

    struct Resolved {
        let arm: Arm
        let base: Trajectory
        var variants: [Variant]
        var done: Bool
    }

    /// Creates a study.
    ///
    /// - Throws: `RecipeError` when there is no arm, or two arms have the same name and parameters.
    public init(arms: [Arm], evaluate: [Corpus], evaluationLimit: Int?, store: Store) throws {
        guard !arms.isEmpty else {
            throw RecipeError("arms", "expected at least one arm, got none")
        }
        var labels: Set<String> = []
        for arm in arms where !labels.insert(arm.label).inserted {
            throw RecipeError("arms", "two arms are called \(arm.label)")
        }
        self.arms = arms
        self.evaluate = evaluate
        self.evaluationLimit = evaluationLimit
        self.store = store
    }

    // MARK: - Plan

    /// The tree of segments, what is left of it, and its cost.
    ///
    /// - Parameter calibrate: Whether to time a few training steps to predict the duration.
    public func plan(calibrate: Bool, options: StudyOptions = StudyOptions()) throws -> StudyPlan {
        let resolved = try arms.map { try resolve($0, options) }
        var plan = try StudyPlan(resolved, store: store)
        if calibrate, plan.missingTokens > 0,
            let first = resolved.max(by: { a, b in
                a.base.recipe.model.parameterCount < b.base.recipe.model.parameterCount
            })
        {
            plan.secondsPerToken = try Calibration.secondsPerToken(first.base, stop: options.stop)
        }
        return plan
    }

    private func resolve(_ arm: Arm, _ options: StudyOptions) throws -> Resolved {
        let base = try Trajectory(
            arm.recipe, store: store, progress: options.progress, stop: options.stop)
        let variants = try arm.finetuning.map { settings in
            let trajectory = try Trajectory(
                base, finetuning: settings, store: store, progress: options.progress,
                stop: options.stop)
            return Variant(
                settings: settings, trajectory: trajectory,
                done: try known(trajectory, options) != nil)
        }
        let done = try known(base, options) != nil && variants.allSatisfy(\.done)
        return Resolved(arm: arm, base: base, variants: variants, done: done)
    }

    private func sets(_ split: Split) -> [EvaluationSet] {
        evaluate.map { EvaluationSet($0, split, limit: evaluationLimit) }
    }

    /// The losses of a trajectory's last state, if the registry has all of them.
    private func known(_ trajectory: Trajectory, _ options: StudyOptions) throws -> Losses? {
        guard let key = trajectory.keys.last else { return nil }
        var losses = Losses()
        for split in [Split.valid, .test] {
            for set in sets(split) {
                let recipe = trajectory.recipe
                let data = try store.evaluator(
                    set, recipe.tokenizer, context: recipe.model.context,
                    progress: options.progress,
                    stop: options.stop
                ).digest
                guard let evaluation = try store.registry.evaluation(state: key, data: data) else {
                    return nil
                }
                losses[set.corpus.name, split] = evaluation
            }
        }
        return losses
    }

    // MARK: - Run

    /// Trains and evaluates whatever the store does not have yet.
    ///
    /// - Throws: `Interrupted` when asked to stop, and `FileError` when the store cannot be written: what was finished
    ///   stays, and running again goes on. An arm that fails otherwise is named in the result, and the others go on.
    public func run(options: StudyOptions = StudyOptions()) throws -> StudyResult {
        var resolved: [(Arm, Result<Resolved, any Error>)] = []
        for arm in arms { resolved.append((arm, try attempt { try resolve(arm, options) })) }
        let usable = resolved.compactMap { try? $0.1.get() }
        let plan = try StudyPlan(usable, store: store)
        var trained = 0
        var rows: [StudyResult.Row] = []
        var index = 0
        for (number, (arm, outcome)) in resolved.enumerated() {
            let result = try attempt {
                let resolved = try outcome.get()
                defer { index += 1 }
                return try carryOut(
                    resolved, keep: plan.branches[index].branches, number: number + 1, &trained,
                    options)
            }
            switch result {
            case .success(let row): rows.append(row)
            case .failure(let error):
                let reason = (error as? any RuntimeError)?.message ?? "\(error)"
                _ = try options.onEvent(.failed(label: arm.label, reason: reason))
                rows.append(StudyResult.Row(arm: arm, failure: reason))
            }
        }
        return StudyResult(
            rows: rows, corpora: evaluate.map(\.name), trainedSteps: trained,
            distinctSteps: plan.distinctSteps,
            naiveSteps: plan.naiveSteps)
    }

    /// Errors of one arm are results; an interrupt or a store that cannot be written ends the study.
    private func attempt<T>(_ body: () throws -> T) throws -> Result<T, any Error> {
        do { return .success(try body()) } catch {
            switch error {
            case is Interrupted, is FileError, is RegistryError: throw error
            case is any RuntimeError: return .failure(error)
            default: throw error
            }
        }
    }

    private func carryOut(
        _ resolved: Resolved, keep: Set<Int>, number: Int, _ trained: inout Int,
        _ options: StudyOptions
    ) throws -> StudyResult.Row {
        let arm = resolved.arm
        func announce(_ task: String) throws {
            _ = try options.onEvent(.arm(number, of: arms.count, label: arm.label, task: task))
        }
        var runOptions = RunOptions()
        runOptions.keep = keep
        runOptions.checkpointSeconds = options.checkpointSeconds
        runOptions.progress = options.progress
        runOptions.stop = options.stop

        let before: Losses
        if let known = try known(resolved.base, options) {
            before = known
        } else {
            try announce("training")
            let steps = resolved.base.steps
            runOptions.onEvent = { try options.onEvent(.run($0, steps: steps)) }
            let run = Run(resolved.base, store: store, name: arm.label)
            defer { trained += run.trained }
            try run.train(options: runOptions)
            before = try measure(run, runOptions)
        }
        var candidates: [StudyResult.Candidate] = []
        for variant in resolved.variants {
            if let known = try known(variant.trajectory, options) {
                candidates.append(
                    .init(settings: variant.settings, trajectory: variant.trajectory, losses: known)
                )
                continue
            }
            try announce("finetuning at \(variant.settings.learningRate.peak)")
            let steps = variant.trajectory.steps
            runOptions.onEvent = { try options.onEvent(.run($0, steps: steps)) }
            let run = Run(
                variant.trajectory, store: store,
                name: "\(arm.label) finetuned at \(variant.settings.learningRate.peak)")
            defer { trained += run.trained }
            runOptions.keep = keep.union([resolved.base.steps])
            runOptions.keepLast = options.keepFinetuned
            try run.train(options: runOptions)
            let losses = try measure(run, runOptions)
            candidates.append(
                .init(settings: variant.settings, trajectory: variant.trajectory, losses: losses))
        }
        return StudyResult.Row(
            arm: arm, base: resolved.base, before: before, candidates: candidates)
    }

    private func measure(_ run: Run, _ options: RunOptions) throws -> Losses {
        var losses = Losses()
        for split in [Split.valid, .test] {
            for set in sets(split) {
                losses[set.corpus.name, split] = try run.evaluate(set, options)
            }
        }
        return losses
    }
}

/// Losses by corpus and split.
public struct Losses: Sendable {
    private var values: [String: [Split: Evaluation]] = [:]

    /// The evaluation of a corpus' split, if there is one.
    public subscript(_ corpus: String, _ split: Split) -> Evaluation? {
        get { values[corpus]?[split] }
        set { values[corpus, default: [:]][split] = newValue }
    }
}
