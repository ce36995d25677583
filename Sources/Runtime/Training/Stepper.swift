import RuntimeData
import RuntimeEvaluation
import RuntimeModel
import RuntimeNumerics
import RuntimeSupport

/// A state that training is at: a model's parameters and what its optimizer keeps, in flat buffers in this machine's memory.
public final class TrainingState {
    /// The model.
    public private(set) var model: any LanguageModel
    /// What its optimizer keeps.
    public private(set) var optimizer: OptimizerState

    /// The state before a recipe's first step.
    ///
    /// - Throws: `OutOfMemory`; errors of weights that are given; `Interrupted`.
    public init(_ recipe: Recipe, stop: ShouldStop = { false }) throws {
        model = try recipe.initialModel(stop: stop)
        optimizer = try OptimizerState(model.parameters, recipe.optimizer)
    }

    /// Whether a step with this model, arithmetic and kind of optimizer can be taken from the state as it is.
    func fits(
        _ configuration: any ModelConfiguration, _ precision: Precision, _ kind: any Optimizer
    ) -> Bool {
        optimizer.optimizer.kind == kind.kind && model.precision == precision
            && RecordedModel(model.configuration) == RecordedModel(configuration)
    }

    /// Goes on with the same parameters in another shape or arithmetic, and with buffers of zeros where the kind of
    /// optimizer is another.
    ///
    /// - Throws: `OutOfMemory`.
    public func use(
        _ configuration: any ModelConfiguration, _ precision: Precision, _ kind: any Optimizer
    ) throws {
        if model.precision != precision
            || RecordedModel(model.configuration) != RecordedModel(configuration)
        {
            model = try configuration.model(of: model.parameters, precision: precision)
        }
        if optimizer.optimizer.kind != kind.kind {
            optimizer = try OptimizerState(model.parameters, kind)
        }
    }
}

/// What carries out whole training steps on a device.
///
/// A run hands over a state, asks for steps, and has the state brought back before a checkpoint is written or somebody looks
/// at the model. Between two steps the state may live anywhere: only its flat buffers cross.
public protocol Stepper: AnyObject {
    /// The state that steps are taken from.
    var state: TrainingState { get }
    /// Takes over what the buffers of the state hold now.
    func load() throws
    /// Carries out one step: gradients over all batches, then the optimizer.
    ///
    /// - Throws: `NotFiniteError`, and the state is the one before the step; errors of the model or the device.
    func step(_ input: StepInput) throws -> StepOutcome
    /// Brings the buffers of the state up to date.
    func read() throws
    /// Measures the present state.
    ///
    /// - Throws: as `Measure.evaluate`.
    func evaluate<M: Measure>(_ measure: M, _ setting: MeasureSetting) throws -> M.Outcome
}

extension Stepper {
    /// Measures the state's model on this machine's processor.
    public func evaluate<M: Measure>(
        _ measure: M, _ setting: MeasureSetting
    ) throws -> M.Outcome {
        try read()
        return try measure.evaluate(state.model, setting)
    }
}

/// Makes what carries out the steps of a run from its state.
public typealias MakeStepper = @Sendable (TrainingState) throws -> any Stepper

/// What one step needs to know.
public struct StepInput {
    /// The parts of the step's batch, whose gradients are added.
    public let batches: [TokenBatch]
    /// The learning rate.
    public let learningRate: Double
    /// The optimizer's settings.
    public let optimizer: any Optimizer
    /// Whether what the optimizer keeps is set to zero before the step.
    public let resetsOptimizer: Bool

    /// The shape of the model.
    public let model: any ModelConfiguration
    /// The arithmetic of its products.
    public let precision: Precision

    /// Tokens whose loss counts, in all batches, each by the weight of its batch.
    public var counted: Double { batches.reduce(0) { $0 + $1.weight * Double($1.counted) } }
}

/// What one step measured.
public struct StepOutcome: Sendable {
    /// The mean loss before the update in nats a counted token.
    public let loss: Double
    /// The norm of the gradient before clipping.
    public let gradientNorm: Double

    /// Creates an outcome.
    public init(loss: Double, gradientNorm: Double) {
        self.loss = loss
        self.gradientNorm = gradientNorm
    }
}

/// Steps on this machine's processor, in the buffers of the state themselves.
public final class CPUStepper: Stepper {
    /// The state.
    public let state: TrainingState

    /// Takes steps from a state.
    public init(_ state: TrainingState) { self.state = state }

    /// Nothing to do: the state is where it is.
    public func load() {}

    /// Nothing to do: the state is where it is.
    public func read() {}

    /// Carries out one step.
    public func step(_ input: StepInput) throws -> StepOutcome {
        let (model, optimizer) = (state.model, state.optimizer)
        if input.resetsOptimizer { optimizer.reset() }
        try optimizer.use(input.optimizer)
        let counted = input.counted
        var nats = 0.0
        model.parameters.zeroGradients()
        for batch in input.batches {
            let scale = Float(batch.weight) / Float(counted)
            nats += batch.weight * (try model.accumulateGradients(batch, scale: scale).nats)
        }
        let loss = nats / counted
        guard loss.isFinite else {
            throw NotFiniteError(step: optimizer.steps + 1, what: "the loss")
        }
        let norm = try optimizer.step(learningRate: input.learningRate)
        return StepOutcome(loss: loss, gradientNorm: norm)
    }
}

extension Trajectory {
    /// What step `step` needs to know, counted from 0.
    ///
    /// - Throws: errors of reading the data.
    public func input(_ step: Int) throws -> StepInput {
        StepInput(
            batches: try batches(step), learningRate: learningRate(step),
            optimizer: optimizer(step), resetsOptimizer: resetsOptimizer(step),
            model: configuration(step), precision: precision(step))
    }
}
