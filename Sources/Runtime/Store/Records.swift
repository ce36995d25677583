import Foundation
import RuntimeData
import RuntimeEvaluation
import RuntimeSupport

/// What one optimiser step measured.
public struct StepRecord: Codable, Hashable, Sendable {
    /// The number of this step, from 1.
    public var step: Int
    /// Mean training loss of the step's batch before the update, in nats per counted token.
    public var loss: Double
    /// The learning rate used.
    public var learningRate: Double
    /// The global gradient norm before clipping.
    public var gradientNorm: Double
    /// Tokens in the batch.
    public var tokens: Int
    /// Wall-clock seconds the step took; never part of a result.
    public var seconds: Double

    package init(
        step: Int, loss: Double, learningRate: Double, gradientNorm: Double, tokens: Int,
        seconds: Double
    ) {
        self.step = step
        self.loss = loss
        self.learningRate = learningRate
        self.gradientNorm = gradientNorm
        self.tokens = tokens
        self.seconds = seconds
    }
}

/// A recorded loss of a run.
public struct NamedEvaluation: Hashable, Sendable {
    /// The step of the state.
    public let step: Int
    /// The name of the corpus.
    public let name: String
    /// The raw name of the split.
    public let split: String
    /// The loss.
    public let evaluation: Evaluation
}

/// A run as the registry knows it: the furthest state that was reached, and what happened last.
public struct RunRow: Codable, Hashable, Sendable {
    /// The key of the state the run ends in: the run's identity.
    public var key: Digest
    /// A name for people.
    public var name: String
    /// `running`, `interrupted`, `failed` or `finished`.
    public var status: String
    /// Steps done.
    public var step: Int
    /// Steps in all.
    public var steps: Int
    /// Seconds since 1970 of the last change.
    public var updated: Double
    /// The recipe in canonical JSON.
    public var recipe: String
    /// The error that stopped it, if one did.
    public var failure: String?
    /// The key of the state after `step` steps; `nil` in rows of earlier versions.
    public var state: Digest?
    /// The version of that state; `nil` where it is not known.
    public var version: StateVersion?
    /// What `state` has seen of each source; `nil` in rows of earlier versions.
    public var exposure: ExposureLedger?
    /// The kernels that trained it last, see `Numerics.processor`; `nil` in rows of earlier versions.
    public var processor: String?

    package init(
        key: Digest, name: String, status: String, step: Int, steps: Int, updated: Double,
        recipe: String, failure: String? = nil, state: Digest? = nil,
        version: StateVersion? = nil, exposure: ExposureLedger? = nil, processor: String? = nil
    ) {
        self.key = key
        self.name = name
        self.status = status
        self.step = step
        self.steps = steps
        self.updated = updated
        self.recipe = recipe
        self.failure = failure
        self.state = state
        self.version = version
        self.exposure = exposure
        self.processor = processor
    }
}

/// A step's record with the states it leads from and to.
public struct StepEntry: Sendable {
    /// The key of the state before the step.
    public let parent: Digest
    /// The key of the state after it.
    public let state: Digest
    /// What was measured.
    public let record: StepRecord

    package init(parent: Digest, state: Digest, record: StepRecord) {
        self.parent = parent
        self.state = state
        self.record = record
    }
}
