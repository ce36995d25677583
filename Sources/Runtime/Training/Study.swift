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
    /// Steps between evaluations of the evaluated corpora on valid while arms are trained; 0 for none.
    public var evaluateEvery = 0
    /// Looks at every step of every arm; what it throws ends that arm, and the others go on.
    public var alert: (any StepAlert)?
    /// Makes what carries out the steps; by default this machine's processor does.
    public var makeStepper: MakeStepper = { CPUStepper($0) }
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
    /// What is measured of every arm before and after finetuning: first the losses of the evaluated corpora on test.
    public let measures: [any Measure]
    /// The losses of the evaluated corpora on valid, by which learning rates are chosen.
    public let validLosses: [WindowLoss]
    /// Where states and results are.
    public let store: Store

    package struct Variant {
        let settings: Finetuning
        let trajectory: Trajectory
        var done: Bool
    }

    package struct Resolved {
        package let arm: Arm
        package let base: Trajectory
        package internal(set) var variants: [Variant]
        package var done: Bool
    }

    /// Creates a study.
    ///
    /// - Parameters:
    ///   - evaluate: The corpora whose losses are measured.
    ///   - measures: What else is measured.
    ///   - evaluationLimit: Windows or examples of each split of the corpora that an evaluation reads at most; `nil` for all.
    /// - Throws: `RecipeError` when there is no arm, two arms have the same name and parameters, a finetuning set is not
    ///   among the evaluated corpora, or measures have columns that are called like other columns of the results.
    public init(
        arms: [Arm], evaluate: [Corpus], measures: [any Measure] = [], evaluationLimit: Int?,
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
        let distinct = evaluate.indices.filter { index in
            !evaluate[..<index].contains { $0 === evaluate[index] }
        }.map { evaluate[$0] }
        func losses(_ split: Split) -> [WindowLoss] {
            distinct.map { WindowLoss(EvaluationSet($0, split, limit: evaluationLimit)) }
        }
        self.arms = arms
        self.measures = losses(.test) + measures
        validLosses = losses(.valid)
        self.store = store
        try checkColumns()
    }

    /// Refuses measures whose columns would take the place of others in the rows of results.
    private func checkColumns() throws {
        var owners: [String: String] = [:]
        for name in ["arm", "learning_rate", "key", "failure"] { owners[name] = "" }
        for parameter in arms.flatMap(\.parameters) {
            guard ["arm", "key", "failure"].contains(parameter.name) else { continue }
            throw RecipeError(
                "arms",
                "expected parameters of other names, as results have a column \(parameter.name) of their own"
            )
        }
        for arm in arms {
            for parameter in arm.parameters { owners[parameter.name] = "" }
            for corpus in arm.recipe.corpora.keys { owners["tokens_\(corpus)"] = "" }
        }
        for measure in measures {
            for column in measure.columns.flatMap({ [$0.name, "\($0.name)_before"] }) {
                if let owner = owners[column] {
                    throw RecipeError(
                        "evaluate, tasks, metrics",
                        "expected names of their own, got \(measure.name)"
                            + (owner == measure.name
                                ? " twice" : ": results have another column \(column)"))
                }
                owners[column] = measure.name
            }
        }
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
                try Calibration.secondsPerToken(
                    $0, makeStepper: options.makeStepper, stop: options.stop)
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
            return Variant(settings: settings, trajectory: trajectory, done: false)
        }
        var resolved = Resolved(arm: arm, base: base, variants: variants, done: false)
        let known = try known(resolved, options)
        for (index, found) in known.candidates.enumerated() {
            resolved.variants[index].done = found != nil
        }
        resolved.done = known.isWhole
        return resolved
    }
}

/// What was measured of one state.
public struct Measurements: Sendable {
    private var values: [String: Double] = [:]
    /// Mean losses on valid in nats a token, by corpus.
    public private(set) var validLosses: [String: Double] = [:]

    package init() {}

    /// The value of a measure's column, if it has one.
    public subscript(column: String) -> Double? { values[column] }

    package mutating func add<M: Measure>(_ outcome: M.Outcome, of measure: M) {
        for (column, value) in zip(measure.columns, measure.values(of: outcome)) {
            values[column.name] = value
        }
    }

    package mutating func add(validLoss outcome: Evaluation, of loss: WindowLoss) {
        validLosses[loss.name] = outcome.loss
    }
}

extension Trajectory {
    /// What measures need to know of the trajectory's models.
    package func setting(
        ofState state: Int, _ store: Store, progress: @escaping ProgressHandler,
        stop: @escaping ShouldStop
    ) -> MeasureSetting {
        MeasureSetting(
            tokenizer: recipe.tokenizer, context: configuration(ofState: state).context,
            evaluators: store.evaluators, progress: progress, stop: stop)
    }
}
