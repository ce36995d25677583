import Foundation
import RuntimeData
import RuntimeEvaluation
import RuntimeStore
import RuntimeSupport

/// What a study reports while it runs.
public enum StudyEvent {
    /// The study begins; so many tokens of training and finetuning are missing.
    case began(missingTokens: Int)
    /// Work on an arm begins: its number from 1, how many there are, its label, and what is done.
    case arm(Int, of: Int, label: String, task: String)
    /// Something of the run under way, and what the run follows.
    case run(RunEvent, Trajectory)
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
    /// The tasks that are scored, before and after finetuning.
    public let tasks: [DownstreamTask]
    /// Windows or examples of each split, or questions of a task, that an evaluation reads at most; `nil` for all.
    public let evaluationLimit: Int?
    /// Where states and results are.
    public let store: Store

    struct Variant {
        let settings: Finetuning
        let trajectory: Trajectory
        var done: Bool
    }

    package struct Resolved {
        package let arm: Arm
        package let base: Trajectory
        var variants: [Variant]
        package var done: Bool
    }

    /// Creates a study.
    ///
    /// - Throws: `RecipeError` when there is no arm, two arms have the same name and parameters, a finetuning set is not
    ///   among the evaluated corpora, or corpora and tasks are called like other columns of the results.
    public init(
        arms: [Arm], evaluate: [Corpus], tasks: [DownstreamTask] = [], evaluationLimit: Int?,
        store: Store
    ) throws {
        guard !arms.isEmpty else {
            throw RecipeError("arms", "expected at least one arm, got none")
        }
        var labels: Set<String> = []
        for arm in arms where !labels.insert(arm.label).inserted {
            throw RecipeError("arms", "two arms are called \(arm.label)")
        }
        for finetuning in arms.flatMap(\.finetuning)
        where !evaluate.contains(where: { $0 === finetuning.corpus }) {
            throw RecipeError(
                "evaluate",
                "expected the finetuning set \(finetuning.corpus.name) among the corpora, as its valid loss "
                    + "chooses the learning rate; got "
                    + (evaluate.isEmpty ? "none" : evaluate.map(\.name).joined(separator: ", ")))
        }
        var names = Set(evaluate.map(\.name))
        for task in tasks where !names.insert(task.name).inserted {
            throw RecipeError(
                "tasks",
                "expected names of their own, got \(task.name) twice among corpora and tasks")
        }
        try Self.checkColumns(arms, evaluate, tasks)
        self.arms = arms
        self.evaluate = evaluate
        self.tasks = tasks
        self.evaluationLimit = evaluationLimit
        self.store = store
    }

    /// Refuses names whose columns would take the place of others in the rows of results.
    private static func checkColumns(
        _ arms: [Arm], _ evaluate: [Corpus], _ tasks: [DownstreamTask]
    ) throws {
        var taken: Set = ["arm", "learning_rate", "key", "failure"]
        for arm in arms {
            taken.formUnion(arm.parameters.map(\.name))
            taken.formUnion(arm.recipe.corpora.keys.map { "tokens_\($0)" })
        }
        func claim(_ field: String, _ name: String, _ columns: [String]) throws {
            for column in columns.flatMap({ [$0, "\($0)_before"] })
            where !taken.insert(column).inserted {
                throw RecipeError(
                    field,
                    "expected names of their own, got \(name): results have another column \(column)"
                )
            }
        }
        for name in Set(evaluate.map(\.name)).sorted() { try claim("evaluate", name, [name]) }
        for task in tasks { try claim("tasks", task.name, task.scoreNames) }
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
            let timed = first.base.steps > 0 ? first.base : first.variants.first?.trajectory
            plan.secondsPerToken = try timed.map {
                try Calibration.secondsPerToken($0, stop: options.stop)
            }
        }
        return plan
    }

    func resolve(_ arm: Arm, _ options: StudyOptions) throws -> Resolved {
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

    package func sets(_ split: Split) -> [EvaluationSet] {
        evaluate.map { EvaluationSet($0, split, limit: evaluationLimit) }
    }

    /// The losses of a trajectory's last state, if the registry has all of them.
    package func known(_ trajectory: Trajectory, _ options: StudyOptions) throws -> Losses? {
        guard let key = trajectory.keys.last else { return nil }
        var losses = Losses()
        if evaluate.isEmpty, tasks.isEmpty, try store.manifest(key) == nil { return nil }
        let recipe = trajectory.recipe
        // All are prepared before any result is missed: a split without documents is an error before the first step.
        let sets = [Split.valid, .test].flatMap(sets)
        let data = try sets.map { set in
            try store.evaluator(
                set, recipe.tokenizer, context: recipe.model.context, progress: options.progress,
                stop: options.stop
            ).digest
        }
        for (set, data) in zip(sets, data) {
            guard let evaluation = try store.registry.evaluation(state: key, data: data) else {
                return nil
            }
            losses[set.corpus.name, set.split] = evaluation
        }
        for task in tasks {
            let digest = task.digest(
                recipe.tokenizer, context: recipe.model.context, limit: evaluationLimit)
            guard let score = try store.registry.score(state: key, task: digest) else { return nil }
            losses.scores[task.name] = score
        }
        return losses
    }
}

/// Losses by corpus and split, and scores by task.
public struct Losses: Sendable {
    /// Results by the name of the task.
    public var scores: [String: TaskResult] = [:]
    private var values: [String: [Split: Evaluation]] = [:]

    /// The evaluation of a corpus' split, if there is one.
    public subscript(_ corpus: String, _ split: Split) -> Evaluation? {
        get { values[corpus]?[split] }
        set { values[corpus, default: [:]][split] = newValue }
    }
}
