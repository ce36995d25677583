import Foundation
import RuntimeData
import RuntimeEvaluation
import RuntimeStore
import RuntimeSupport

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
    /// What the message of an interrupt says can be done next; `nil` leaves that to the caller.
    public var advice: String? = "run:resume() goes on from there"
    /// Steps between evaluations; 0 for none.
    public var evaluateEvery = 0
    /// What to evaluate then.
    public var evaluate: [EvaluationSet] = []
    /// Looks at every step; what it throws ends the run, whose state is saved.
    public var alert: (any StepAlert)?
    /// Receives what happens; `false` asks to stop at this step boundary.
    public var onEvent: (RunEvent) throws -> Bool = { _ in true }
    /// Receives lines about tokenising.
    public var progress: ProgressHandler = { _ in }
    /// Polled between steps.
    public var stop: ShouldStop = { false }
    /// Makes what carries out the steps; by default this machine's processor does.
    public var makeStepper: MakeStepper = { CPUStepper($0) }
    /// Whether to refuse, before any step, what memory or disk cannot hold.
    public var checksResources = true

    /// The version of a state that later ones must come from: checkpoints of others are left alone.
    package var origin: (step: Int, version: StateVersion)?

    /// The defaults.
    public init() {}

    /// The states that training to `target` stops at for a checkpoint.
    func boundaries(to target: Int) -> [Int] {
        (keep.filter { $0 > 0 && $0 < target } + [target]).sorted()
    }
}

/// An arm of a study that somebody ended before its last step; the others go on.
public struct EndedArm: RuntimeError {
    /// The step after which it ended.
    public let step: Int

    /// An arm that ended after a step.
    public init(step: Int) { self.step = step }

    /// Says when.
    public var message: String { "ended by on_step after step \(step)" }
}

/// A state that a run was in, but whose checkpoint cannot be used any more.
public struct LostState: RuntimeError {
    /// The step of the state.
    public let wanted: Int
    /// The step that the run is at now.
    public let step: Int
    /// What became of the checkpoint.
    public let reason: String

    /// Says what was lost and how to get it back.
    public var message: String {
        "the state after step \(wanted) is lost: \(reason); the run is at step \(step) now, and train() makes "
            + "the steps after it again, to the same bits"
    }
}
