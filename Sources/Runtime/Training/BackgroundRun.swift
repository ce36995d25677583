import Foundation
import RuntimeStore
import RuntimeSupport
import Synchronization

/// Training on a thread of its own.
///
/// It works on a run that nobody else refers to, with a store of its own, so that nothing is shared with the thread that
/// started it but what is locked here. Both use the one pool of `Parallel`: a piece of work that finds it taken is done by
/// its own thread alone, so neither waits for the other.
public final class BackgroundRun: Sendable {
    /// How far it is.
    public struct Status: Sendable {
        /// The latest step's record, of this training.
        public var record: StepRecord?
        /// The phase of that step.
        public var phase = ""
        /// Steps done, and the step it goes to.
        public var step: Int
        /// The step it ends at.
        public let target: Int
        /// Tokens a second, over the last steps.
        public var tokensPerSecond = 0.0
        /// How it ended; `nil` while it is under way.
        public var end: End?
    }

    /// How training ended.
    public enum End: Sendable, Equatable {
        /// At the step it was to go to.
        case finished
        /// It was asked to stop.
        case stopped
        /// With an error; the run is at its last step.
        case failed(String)
    }

    /// What people call the run.
    public let name: String
    private let status: Mutex<Status>
    private let lines = Mutex<[String]>([])
    private let isStopping = Atomic<Bool>(false)
    private let ended = DispatchSemaphore(value: 0)
    // The thread's own until `ended`.
    nonisolated(unsafe) private let run: Run

    /// Starts to train a recipe from the latest state that the store in a folder has.
    ///
    /// - Parameters:
    ///   - target: The state to stop at; `nil` for the last.
    ///   - options: As for `Run.train`; its `onEvent`, `progress` and `stop` are not used.
    ///   - onEnd: Called on the thread of the training when it has ended.
    /// - Throws: as `Trajectory.init`, `Store.init` and, for `target`, `Run.train`; `FileError` when the system gives no
    ///   thread.
    public init(
        _ recipe: Recipe, name: String, storeFolder: String, index: String, to target: Int?,
        options: RunOptions,
        onEnd: @escaping @Sendable () -> Void
    ) throws {
        let store = try Store(storeFolder, index: index)
        let trajectory = try Trajectory(
            recipe, store: store, progress: options.progress, stop: options.stop)
        // Encoded here, so that the thread reads no corpus.
        let contexts = Set(recipe.phases.compactMap(\.settings.context) + [recipe.model.context])
        for set in options.evaluate {
            for context in contexts {
                _ = try store.evaluators.evaluator(
                    set, recipe.tokenizer, context: context, progress: options.progress,
                    stop: options.stop)
            }
        }
        run = Run(trajectory, store: store, name: name)
        self.name = name
        let end = target ?? trajectory.steps
        guard end >= run.step, end <= trajectory.steps else {
            throw InvalidValue(
                "to", expected: "a step in \(run.step) ... \(trajectory.steps)", found: end)
        }
        status = Mutex(Status(step: run.step, target: end))
        try run.checkResources(to: end, options)
        try start(options, onEnd)
    }

    /// How far it is now.
    public var now: Status { status.withLock { $0 } }

    /// The run, once training has ended.
    public var result: Run? { now.end == nil ? nil : run }

    /// Asks it to stop at the next step; the state is saved.
    public func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Waits for the end, at most `seconds`; whether it has ended.
    public func wait(seconds: Double) -> Bool {
        guard ended.wait(timeout: .now() + seconds) == .success else { return false }
        ended.signal()  // for whoever asks next
        return true
    }

    /// Messages of the training since the last call: evaluations, warnings.
    public func takeLines() -> [String] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    private func start(_ options: RunOptions, _ onEnd: @escaping @Sendable () -> Void) throws {
        var options = options
        options.checksResources = false
        options.progress = { _ in }
        options.stop = { [self] in isStopping.load(ordering: .relaxed) }
        options.onEvent = { [self] event in
            note(event)
            return true
        }
        nonisolated(unsafe) let settings = options
        let code = OwnThread.start(stackBytes: 16 << 20) { [self] in
            train(settings)
            onEnd()
            ended.signal()
        }
        guard code == 0 else {
            throw FileError("start", "a thread for run \(name)", errno: code)
        }
    }

    private func train(_ options: RunOptions) {
        let end: End
        do {
            try run.train(to: now.target, options: options)
            end = .finished
        } catch is Interrupted {
            end = .stopped
        } catch {
            end = .failed((error as? any RuntimeError)?.message ?? "\(error)")
        }
        // What the store has need not stay in memory until somebody asks for it.
        run.releaseStoredState()
        let step = run.step
        status.withLock {
            $0.step = step
            $0.end = end
        }
    }

    private func note(_ event: RunEvent) {
        switch event {
        case .step(let record, let phase):
            status.withLock {
                let speed = Double(record.tokens) / max(record.seconds, 1e-9)
                $0.tokensPerSecond =
                    $0.record == nil ? speed : 0.9 * $0.tokensPerSecond + 0.1 * speed
                ($0.record, $0.phase, $0.step) = (record, phase, record.step)
            }
        case .evaluated(let corpus, let split, let evaluation, let step):
            let loss = String(format: "%.4f", evaluation.loss)
            lines.withLock { $0.append("step \(step): \(corpus) \(split.rawValue) loss \(loss)") }
        case .restored(let step): status.withLock { $0.step = step }
        case .warning(let text): lines.withLock { $0.append("warning: \(text)") }
        case .saved: break
        }
    }
}
