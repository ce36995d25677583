import Foundation

/// Training stopped because numbers were no longer finite.
public struct NotFiniteError: RuntimeError {
    /// The step that failed, from 1.
    public let step: Int
    /// What was not finite.
    public let what: String

    /// Names the step and what remains usable.
    public var message: String {
        "step \(step): \(what) is not a finite number; the state after step \(step - 1) is kept, try a lower "
            + "learning rate, more warm-up or a lower clip"
    }
}

/// What a run reports while it trains.
public enum RunEvent {
    /// A step was done.
    case step(StepRecord, phase: String)
    /// A corpus was evaluated at the current step.
    case evaluated(String, Split, Evaluation, step: Int)
    /// Training went on from an earlier state.
    case restored(step: Int)
    /// A checkpoint was written.
    case saved(step: Int)
    /// Something the researcher should know, that stops nothing.
    case warning(String)
}

/// How a run is carried out; nothing here changes its numbers.
public struct RunOptions {
    /// States to keep for good beside the last one, for instance where other recipes branch.
    public var keep: Set<Int> = []
    /// Whether to keep the last state; without it the state lives only in memory.
    public var keepLast = true
    /// Seconds of training that a crash may cost.
    public var checkpointSeconds = 60.0
    /// Steps between evaluations; 0 for none.
    public var evaluateEvery = 0
    /// What to evaluate then.
    public var evaluate: [EvaluationSet] = []
    /// Receives what happens; `false` asks to stop at this step boundary.
    public var onEvent: (RunEvent) throws -> Bool = { _ in true }
    /// Receives lines about tokenising.
    public var progress: ProgressHandler = { _ in }
    /// Polled between steps.
    public var stop: ShouldStop = { false }

    /// The defaults.
    public init() {}
}

/// A recipe being carried out: interruptible, resumable, and never training a state that the store already has.
///
/// The path of the data: `Trajectory` gives step s its batch and learning rate, `NeoX` adds the batch's gradients,
/// `AdamW` updates the parameters, the `Registry` records the step, `Checkpoint` keeps the state.
public final class Run {
    /// What every step reads and every state is called.
    public let trajectory: Trajectory
    /// Where checkpoints and records are.
    public let store: Store
    /// A name for people.
    public let name: String
    /// Steps done.
    public private(set) var step = 0
    /// Steps that this object trained itself, rather than found in the store.
    public private(set) var trained = 0

    private var state: (model: NeoX, optimizer: AdamW)?
    private var unsaved: [(state: Digest, record: StepRecord)] = []
    private var rolling: Digest?

    /// Creates a run; nothing is read or trained yet.
    public init(_ trajectory: Trajectory, store: Store, name: String) {
        self.trajectory = trajectory
        self.store = store
        self.name = name
        step = latest(upTo: trajectory.steps) ?? 0
    }

    /// The key of the state the run is in.
    public var key: Digest { trajectory.keys[step] }

    /// The model in the run's present state, read from the store or initialised on first use.
    public func model(options: RunOptions = RunOptions()) throws -> NeoX {
        try loaded(options).model
    }

    /// Trains until `target` steps are done (all by default), starting from the latest state the store has.
    ///
    /// - Throws: `Interrupted` at a step boundary, with the state saved, when asked to stop; `NotFiniteError`;
    ///   `FileError` when a checkpoint cannot be written. Whatever is thrown, the run stays usable at its last step.
    public func train(to target: Int? = nil, options: RunOptions = RunOptions()) throws {
        let target = target ?? trajectory.steps
        guard target >= step, target <= trajectory.steps else {
            throw InvalidValue(
                "to", expected: "a step in \(step) ... \(trajectory.steps)", found: target)
        }
        do {
            try advance(to: target, options)
            try register(step == trajectory.steps ? "finished" : "interrupted")
        } catch {
            let stopped = error is Interrupted
            let failure = stopped ? nil : ((error as? any RuntimeError)?.message ?? "\(error)")
            // The first error is the one to report; a registry on a full disk must not hide it.
            try? register(stopped ? "interrupted" : "failed", failure: failure)
            throw error
        }
    }

    /// Writes the present state to the store, to stay there.
    public func save() throws {
        let state = try loaded(RunOptions())
        try write(state, rolling: false)
    }

    /// The records of all steps done, whoever trained them.
    public func records() throws -> [StepRecord] {
        let known = try store.registry.steps(Array(trajectory.keys[..<(step + 1)].dropFirst()))
        return known + unsaved.map(\.record)
    }

    // MARK: - The loop

    private func advance(to target: Int, _ options: RunOptions) throws {
        let boundaries = (options.keep.filter { $0 > 0 && $0 < target } + [target]).sorted()
        let state = try loaded(options)
        guard step < target else { return }
        try register("running")
        for boundary in boundaries where boundary > step {
            // Another process may be on its way to the same state: wait for it, then use what it left.
            let lock = try store.lock(trajectory.keys[boundary], stop: options.stop)
            if hasCheckpoint(boundary), try restore(state, at: boundary, options) { continue }
            try train(state, to: boundary, options)
            withExtendedLifetime(lock) {}
        }
    }

    private func train(
        _ state: (model: NeoX, optimizer: AdamW), to boundary: Int, _ options: RunOptions
    ) throws {
        var saved = ContinuousClock.now
        do {
            while step < boundary {
                if options.stop() { throw stopped() }
                try takeStep(state, options)
                if step < boundary, saved.duration(to: .now) > .seconds(options.checkpointSeconds) {
                    try write(state, rolling: true)
                    saved = .now
                    _ = try options.onEvent(.saved(step: step))
                }
            }
        } catch let error as FileError {
            throw error
        } catch {
            // Interrupted, not finite, or a callback's own error: the parameters are those of the last whole step.
            try write(state, rolling: true)
            throw error
        }
        if boundary < trajectory.steps || options.keepLast {
            try write(state, rolling: false)
        } else {
            try flush()
        }
    }

    private func takeStep(_ state: (model: NeoX, optimizer: AdamW), _ options: RunOptions) throws {
        let started = ContinuousClock.now
        if trajectory.resetsOptimizer(step) { state.optimizer.reset() }
        try state.optimizer.use(trajectory.optimizerSettings(step))
        let batches = try trajectory.batches(step)
        let counted = batches.reduce(0) { $0 + $1.targets.count { $0 >= 0 } }
        var nats = 0.0
        state.model.parameters.zeroGradients()
        for batch in batches {
            nats += try state.model.accumulateGradients(batch, scale: 1 / Float(counted)).nats
        }
        let loss = nats / Double(counted)
        guard loss.isFinite else { throw NotFiniteError(step: step + 1, what: "the loss") }
        let rate = trajectory.learningRate(step)
        let norm = try state.optimizer.step(learningRate: rate)
        guard norm.isFinite else { throw NotFiniteError(step: step + 1, what: "the gradient norm") }
        let phase = trajectory.phaseName(step)
        step += 1
        trained += 1
        let seconds = started.duration(to: .now) / .seconds(1)
        let record = StepRecord(
            step: step, loss: loss, learningRate: rate, gradientNorm: norm,
            tokens: batches.reduce(0) { $0 + $1.inputs.count }, seconds: seconds)
        unsaved.append((key, record))
        guard try options.onEvent(.step(record, phase: phase)) else { throw stopped() }
        if options.evaluateEvery > 0, step % options.evaluateEvery == 0 {
            for set in options.evaluate {
                let evaluation = try evaluate(set, options)
                _ = try options.onEvent(
                    .evaluated(set.corpus.name, set.split, evaluation, step: step))
            }
        }
    }

    private func stopped() -> Interrupted {
        Interrupted(
            "stopped after step \(step) of \(trajectory.steps); resume() goes on from there")
    }

    // MARK: - States

    private func hasCheckpoint(_ step: Int) -> Bool {
        FileManager.default.fileExists(atPath: store.checkpointFolder(trajectory.keys[step]))
    }

    /// The latest state in the store, up to `target`.
    private func latest(upTo target: Int) -> Int? {
        let there = Set(
            (try? FileManager.default.contentsOfDirectory(atPath: "\(store.folder)/checkpoints"))
                ?? [])
        guard !there.isEmpty else { return nil }
        return stride(from: target, to: 0, by: -1).first { there.contains(trajectory.keys[$0].hex) }
    }

    private func loaded(_ options: RunOptions) throws -> (model: NeoX, optimizer: AdamW) {
        if let state { return state }
        let recipe = trajectory.recipe
        let model = try NeoX(recipe.model, seed: recipe.seed, precision: recipe.precision)
        let state = (
            model: model, optimizer: try AdamW(model.parameters, settings: recipe.optimizer)
        )
        while step > 0, try !restore(state, at: step, options) {
            step = latest(upTo: step - 1) ?? 0
        }
        self.state = state
        return state
    }

    /// Reads the checkpoint of a state; a damaged one is set aside with a warning and counts as absent.
    private func restore(
        _ state: (model: NeoX, optimizer: AdamW), at target: Int, _ options: RunOptions
    ) throws -> Bool {
        let key = trajectory.keys[target]
        let folder = store.checkpointFolder(key)
        let manifest: CheckpointManifest
        do {
            guard let found = try store.manifest(key) else { return false }
            manifest = found
            try Checkpoint.verify(folder, manifest)
        } catch let error as CheckpointError {
            // Another process may have removed it while it was read.
            guard FileManager.default.fileExists(atPath: folder) else { return false }
            let place = try store.setAside(key)
            _ = try options.onEvent(
                .warning("\(error.message); moved to \(place), going on from an earlier state"))
            return false
        }
        try Checkpoint.read(
            folder, manifest: manifest, parameters: state.model.parameters,
            optimizer: state.optimizer)
        step = target
        rolling = manifest.rolling && !options.keep.contains(target) ? key : nil
        _ = try options.onEvent(.restored(step: target))
        return true
    }

    private func flush() throws {
        try store.registry.record(steps: unsaved)
        unsaved.removeAll()
    }

    /// Records first, so that a state on disk always has its records.
    private func write(_ state: (model: NeoX, optimizer: AdamW), rolling isRolling: Bool) throws {
        try flush()
        guard step > 0 else { return }
        let before = rolling
        if !hasCheckpoint(step) {
            let manifest = CheckpointManifest(
                key: key, step: step, optimizerSteps: state.optimizer.steps, rolling: isRolling,
                model: trajectory.recipe.model, recipe: try trajectory.recipeText(),
                numerics: Numerics.version, processor: Numerics.processor, files: [:])
            try Checkpoint.write(
                store.checkpointFolder(key), manifest: manifest, parameters: state.model.parameters,
                optimizer: state.optimizer)
        }
        if !isRolling { try store.keep(key) }
        rolling = isRolling ? key : nil
        if let before, before != key { store.removeCheckpoint(before) }
    }

    private func register(_ status: String, failure: String? = nil) throws {
        guard let last = trajectory.keys.last else { return }
        try store.registry.save(
            RunRow(
                key: last, name: name, status: status, step: step, steps: trajectory.steps,
                updated: Date().timeIntervalSince1970, recipe: try trajectory.recipeText(),
                failure: failure))
    }

    // MARK: - Evaluation

    /// The loss of the present state on a set, from the registry when it is known there.
    public func evaluate(_ set: EvaluationSet, _ options: RunOptions = RunOptions()) throws
        -> Evaluation
    {
        let recipe = trajectory.recipe
        let evaluator = try store.evaluator(
            set, recipe.tokenizer, context: recipe.model.context, progress: options.progress,
            stop: options.stop)
        if let known = try store.registry.evaluation(state: key, data: evaluator.digest) {
            return known
        }
        let result = try evaluator.evaluate(try model(options: options), stop: options.stop)
        try store.registry.record(result, state: key, data: evaluator.digest)
        return result
    }
}
