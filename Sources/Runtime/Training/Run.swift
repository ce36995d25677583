import Foundation
import RuntimeEvaluation
import RuntimeModel
import RuntimeStore
import RuntimeSupport

/// A recipe being carried out: interruptible, resumable, and never training a state that the store already has.
///
/// The path of the data: `Trajectory` gives step s its batch and learning rate, a `Stepper` carries the step out (the model
/// adds the batch's gradients, the optimizer updates the parameters), the `Registry` records it, `Checkpoint` keeps the state.
public final class Run {
    /// What every step reads and every state is called.
    public let trajectory: Trajectory
    /// Where checkpoints and records are.
    public let store: Store
    /// The name of a run that nobody named.
    public static let defaultName = "run"

    /// A name for people.
    public let name: String
    /// Whether a person chose the name: any other stays out of the way of one that the run has in the store.
    private let isNamed: Bool
    /// The name in the store.
    package private(set) lazy var storedName = Result {
        guard !isNamed, let last = trajectory.keys.last else { return name }
        return try store.registry.name(last) ?? name
    }
    /// Steps done.
    public internal(set) var step = 0
    /// Steps that this object trained itself, rather than found in the store.
    public private(set) var trained = 0

    /// Where the present state is, once it is in memory.
    package var stepper: (any Stepper)?
    /// The version of the present state, once it is known.
    package var version: StateVersion?
    /// Steps that the registry does not have yet.
    var unsaved: [StepEntry] = []
    /// The version of the state before them.
    var unsavedFrom = StateVersion.initial
    /// The checkpoint that the next one replaces.
    package var rolling: Digest?

    /// Creates a run; nothing is read or trained yet.
    ///
    /// - Parameter isNamed: Whether a person chose the name; by default for any but `defaultName`.
    public init(_ trajectory: Trajectory, store: Store, name: String, isNamed: Bool? = nil) {
        self.isNamed = isNamed ?? (name != Self.defaultName)
        self.trajectory = trajectory
        self.store = store
        self.name = name
        step = latest(upTo: trajectory.steps) ?? 0
    }

    /// The key of the state the run is in.
    public var key: Digest { trajectory.keys[step] }

    /// The model in the run's present state, read from the store or initialised on first use.
    ///
    /// - Throws: `LostState` when the state's checkpoint turned out to be damaged: the run is then at an earlier step,
    ///   from where `train` goes on.
    public func model(options: RunOptions = RunOptions()) throws -> any LanguageModel {
        let stepper = try present(options)
        try stepper.read()
        return stepper.state.model
    }

    private func present(_ options: RunOptions) throws -> any Stepper {
        let wanted = step
        var reasons: [String] = []
        var options = options
        let onEvent = options.onEvent
        options.onEvent = { event in
            if case .warning(let text) = event { reasons.append(text) }
            return try onEvent(event)
        }
        let stepper = try loaded(options)
        guard step == wanted else {
            throw LostState(wanted: wanted, step: step, reason: reasons.joined(separator: "; "))
        }
        return stepper
    }

    /// Trains until `target` steps are done (all by default), starting from the latest state the store has.
    ///
    /// - Throws: `ResourceError` before any step when memory or disk cannot hold it; `Interrupted` at a step boundary,
    ///   with the state saved, when asked to stop; `NotFiniteError`; `FileError` when a checkpoint cannot be written.
    ///   Whatever is thrown, the run stays usable at its last step.
    public func train(to target: Int? = nil, options: RunOptions = RunOptions()) throws {
        let target = target ?? trajectory.steps
        guard target >= step, target <= trajectory.steps else {
            throw InvalidValue(
                "to", expected: "a step in \(step) ... \(trajectory.steps)", found: target)
        }
        if options.checksResources { try checkResources(to: target, options) }
        do {
            try advance(to: target, options)
            try register(step == trajectory.steps ? "finished" : "interrupted")
        } catch {
            let stopped = error is Interrupted
            let failure = stopped ? nil : Self.text(error)
            // The first error is the one to report; a registry on a full disk must not hide it.
            try? register(stopped ? "interrupted" : "failed", failure: failure)
            throw error
        }
    }

    private static func text(_ error: any Error) -> String {
        (error as? any RuntimeError)?.message ?? "\(error)"
    }

    /// Writes the present state to the store, to stay there.
    public func save() throws {
        try write(try present(RunOptions()), rolling: false)
        try register(step == trajectory.steps ? "finished" : "interrupted")
    }

    /// The records of all steps done, whoever trained them.
    public func records() throws -> [StepRecord] {
        let stored = step - unsaved.count
        let known = try store.registry.steps(
            Array(trajectory.keys[..<(stored + 1)].dropFirst()),
            version: unsaved.isEmpty ? version : unsavedFrom)
        return known + unsaved.map(\.record)
    }

    /// The recipe whose mixture may change from the present step on.
    ///
    /// - Throws: `RecipeError` when the run is past its last step of pretraining and midtraining.
    public func recipeForBranching() throws -> Recipe {
        var recipe = trajectory.recipe
        guard step < recipe.end else {
            throw RecipeError(
                "fork",
                "the run is at step \(step), past its \(recipe.end) steps with a mixture; expected an earlier "
                    + "step, such as `train { to = … }` leaves, or recipe:midtrain { from = … }")
        }
        recipe.finetunings = []
        return try recipe.ending(at: recipe.steps)
    }

    // MARK: - The loop

    private func advance(to target: Int, _ options: RunOptions) throws {
        let boundaries = options.boundaries(to: target)
        let activity = try begin(options)
        defer { withExtendedLifetime(activity) {} }
        let stepper = try loaded(options)
        for boundary in boundaries where boundary > step {
            // Another process may be on its way to the same state: wait for it, then use what it left.
            let claim = try store.claim(state: trajectory.keys[boundary], stop: options.stop)
            if hasCheckpoint(boundary), try restore(stepper.state, at: boundary, options) {
                try stepper.load()
                continue
            }
            try train(stepper, to: boundary, options)
            withExtendedLifetime(claim) {}
        }
    }

    /// Says that the run is under way, so that its checkpoints stay while the claim lives.
    private func begin(_ options: RunOptions) throws -> Claim? {
        guard let last = trajectory.keys.last else { return nil }
        let activity = try store.activity(last, stop: options.stop)
        try register("running")
        for notice in store.takeNotices() { _ = try options.onEvent(.warning(notice)) }
        return activity
    }

    private func train(_ stepper: any Stepper, to boundary: Int, _ options: RunOptions) throws {
        var saved = ContinuousClock.now
        do {
            var watch = try options.alert.map { try StepWatch($0, records()) }
            while step < boundary {
                if options.stop() { throw stopped(options) }
                try takeStep(stepper, options)
                if let record = unsaved.last?.record { try watch?.check(record) }
                if step < boundary,
                    saved.duration(to: .now) / .seconds(1) > options.checkpointSeconds
                {
                    try write(stepper, rolling: true)
                    saved = .now
                    _ = try options.onEvent(.saved(step: step))
                }
            }
        } catch let error as FileError {
            throw error
        } catch {
            // Interrupted, not finite, or a callback's own error: the parameters are those of the last whole step.
            // A disk that is full as well must not hide it: the state before is still there.
            do { try write(stepper, rolling: true) } catch let second {
                _ = try? options.onEvent(
                    .warning("step \(step) is not saved: \(Self.text(second))"))
            }
            throw error
        }
        if boundary < trajectory.steps || options.keepLast {
            try write(stepper, rolling: false)
        } else {
            try flush()
        }
    }

    func takeStep(_ stepper: any Stepper, _ options: RunOptions) throws {
        let started = ContinuousClock.now
        let input = try trajectory.input(step)
        if !stepper.state.fits(input.model, input.precision, input.optimizer) {
            try stepper.read()
            try stepper.state.use(input.model, input.precision, input.optimizer)
            try stepper.load()
        }
        let outcome: StepOutcome
        do { outcome = try stepper.step(input) } catch let error as NotFiniteError {
            // The optimizer counts from its last reset, the run from its start.
            throw NotFiniteError(step: step + 1, what: error.what)
        }
        let phase = trajectory.phaseName(step)
        let parent = key
        step += 1
        trained += 1
        let seconds = started.duration(to: .now) / .seconds(1)
        let record = StepRecord(
            step: step, loss: outcome.loss, learningRate: input.learningRate,
            gradientNorm: outcome.gradientNorm,
            tokens: input.batches.reduce(0) { $0 + $1.inputs.count }, seconds: seconds)
        if unsaved.isEmpty { unsavedFrom = version ?? .initial }
        unsaved.append(StepEntry(parent: parent, state: key, record: record))
        version = (version ?? .initial).after(key, record)
        // Also Ctrl-C in the middle of a callback leaves the step done.
        let goesOn: Bool
        do { goesOn = try options.onEvent(.step(record, phase: phase)) } catch is Interrupted {
            throw stopped(options)
        }
        guard goesOn else { throw stopped(options) }
        if options.evaluateEvery > 0, step % options.evaluateEvery == 0 {
            var goesOn = true
            for set in options.evaluate {
                let evaluation = try evaluate(set, options)
                let event = RunEvent.evaluated(set.corpus.name, set.split, evaluation, step: step)
                do {
                    if try !options.onEvent(event) { goesOn = false }
                } catch is Interrupted { throw stopped(options) }
            }
            guard goesOn else { throw stopped(options) }
        }
    }

    private func stopped(_ options: RunOptions) -> Interrupted {
        let advice = options.advice.map { "; \($0)" } ?? ""
        return Interrupted("interrupted after step \(step) of \(trajectory.steps)\(advice)")
    }

    // MARK: - Evaluation

    /// What a measure finds at the present state, from the registry when it is known there.
    public func measure<M: Measure>(
        _ measure: M, _ options: RunOptions = RunOptions()
    ) throws -> M.Outcome {
        let setting = trajectory.setting(
            ofState: step, store, progress: options.progress, stop: options.stop)
        let digest = try measure.digest(setting)
        if let known = try store.registry.outcome(
            of: measure, state: key, digest: digest, version: version)
        {
            return known
        }
        let outcome = try present(options).evaluate(measure, setting)
        try store.registry.record(
            outcome, of: measure, state: key, digest: digest, version: version)
        return outcome
    }

    /// The loss of the present state on a set, from the registry when it is known there.
    public func evaluate(_ set: EvaluationSet, _ options: RunOptions = RunOptions()) throws
        -> Evaluation
    {
        try measure(WindowLoss(set), options)
    }

    /// The result of the present state on a task, from the registry when it is known there.
    ///
    /// - Parameter limit: questions at most; `nil` for all.
    public func score(
        _ task: DownstreamTask, limit: Int? = nil, _ options: RunOptions = RunOptions()
    ) throws -> TaskResult {
        try measure(TaskAccuracy(task, limit: limit), options)
    }
}
