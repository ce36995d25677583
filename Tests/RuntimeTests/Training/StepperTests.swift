import Foundation
import Runtime
import Synchronization
import Testing

/// A device with a memory of its own: it carries out steps on copies, so that the run's buffers are stale until they are read.
private final class ApartStepper: Stepper {
    final class Counts: Sendable {
        let steps = Atomic<Int>(0)
        let reads = Atomic<Int>(0)
    }

    let state: TrainingState
    private let own: TrainingState
    private let counts: Counts

    init(_ state: TrainingState, _ recipe: Recipe, _ counts: Counts) throws {
        self.state = state
        self.counts = counts
        own = try TrainingState(recipe)
    }

    private static func copy(_ source: TrainingState, to target: TrainingState) throws {
        _ = target.model.parameters.values.update(from: source.model.parameters.values)
        for (from, to) in zip(source.optimizer.buffers, target.optimizer.buffers) {
            _ = to.values.update(from: from.values)
        }
        try target.optimizer.restore(steps: source.optimizer.steps)
    }

    func load() throws {
        try own.use(
            state.model.configuration, state.model.precision, state.optimizer.optimizer)
        try Self.copy(state, to: own)
    }

    func read() throws {
        counts.reads.add(1, ordering: .relaxed)
        try Self.copy(own, to: state)
    }

    func step(_ input: StepInput) throws -> StepOutcome {
        counts.steps.add(1, ordering: .relaxed)
        return try CPUStepper(own).step(input)
    }
}

@Suite("Steppers")
struct StepperTests {
    private let counts = ApartStepper.Counts()

    private func options(_ recipe: Recipe) -> RunOptions {
        let counts = counts
        var options = RunOptions()
        options.makeStepper = { try ApartStepper($0, recipe, counts) }
        return options
    }

    @Test(
        "a run on a device apart gives the same bits, records and losses, and goes on where the processor was"
    )
    func run() throws {
        let (one, two) = (try Laboratory(), try Laboratory())
        func run(_ laboratory: Laboratory) throws -> Run {
            try laboratory.run(try laboratory.midtrained().finetuned(laboratory.finetuning()))
        }
        let plain = try run(one)
        try plain.train()

        let first = try run(two)
        let recipe = first.trajectory.recipe
        try first.train(to: 4, options: options(recipe))
        #expect(counts.steps.load(ordering: .relaxed) == 4)
        // What is measured in the middle is the state there, not the one that was loaded.
        let set = EvaluationSet(two.prose, .valid, limit: 4)
        let middle = try run(one)
        let oneSet = EvaluationSet(one.prose, .valid, limit: 4)
        _ = try middle.model()
        let second = try run(two)
        #expect(second.step == 4)
        try second.train(to: 9)  // on the processor
        let third = try run(two)
        try third.train(options: options(recipe))
        #expect(counts.steps.load(ordering: .relaxed) == 4 + plain.trajectory.steps - 9)
        #expect(try third.evaluate(set, options(recipe)) == plain.evaluate(oneSet))
        #expect(try third.bits() == plain.bits())
        let losses = try (plain.records().map(\.loss), third.records().map(\.loss))
        #expect(losses.0 == losses.1 && losses.0.count == plain.trajectory.steps)
    }

    @Test("the model and a loss in the middle of training are those of the present state")
    func present() throws {
        let (one, two) = (try Laboratory(), try Laboratory())
        let (plain, apart) = (try one.run(one.base), try two.run(two.base))
        let options = options(two.base)
        for target in [3, 6] {
            try plain.train(to: target)
            try apart.train(to: target, options: options)
            #expect(
                Array(try apart.model().parameters.values)
                    == Array(try plain.model().parameters.values))
            let (a, b) = (
                try apart.evaluate(EvaluationSet(two.code, .valid, limit: 2), options),
                try plain.evaluate(EvaluationSet(one.code, .valid, limit: 2))
            )
            #expect(a == b)
        }
        #expect(counts.steps.load(ordering: .relaxed) == 6)
        #expect(counts.reads.load(ordering: .relaxed) > 0)
    }

    @Test("a step that is not finite leaves the state before it")
    func notFinite() throws {
        let laboratory = try Laboratory()
        var recipe = laboratory.base
        recipe.learningRate.peak = 1e30
        recipe.learningRate.minimum = 1e30
        recipe.learningRate.warmup = 0
        let run = try laboratory.run(recipe)
        let error = #expect(throws: NotFiniteError.self) {
            try run.train(options: options(recipe))
        }
        let failed = try #require(error?.step)
        #expect(run.step == failed - 1 && run.step > 0)
        let bits = try run.bits()
        // The processor stops at the same step, with the same state.
        let other = try Laboratory()
        let plain = try other.run(recipe)
        #expect(throws: NotFiniteError.self) { try plain.train() }
        #expect(try plain.step == run.step && plain.bits() == bits)
    }

    @Test("a study on a device apart gives the same rows, and its steps are carried out there")
    func study() throws {
        func study(_ laboratory: Laboratory) throws -> Study {
            try Study(
                arms: [
                    Arm(
                        name: "control", parameters: [], recipe: laboratory.base,
                        finetuning: [laboratory.finetuning()]),
                    Arm(
                        name: "midtrained", parameters: [], recipe: try laboratory.midtrained(),
                        finetuning: [laboratory.finetuning()]),
                ], evaluate: [laboratory.prose, laboratory.tasks], evaluationLimit: 4,
                store: laboratory.store)
        }
        let (one, two) = (try Laboratory(), try Laboratory())
        let plain = try study(one).run()
        var options = StudyOptions()
        let counts = counts
        let recipe = two.base
        options.makeStepper = { try ApartStepper($0, recipe, counts) }
        let apart = try study(two).run(options: options)
        #expect(apart.csv() == plain.csv())
        #expect(apart.trainedSteps == plain.trainedSteps)
        #expect(counts.steps.load(ordering: .relaxed) == apart.trainedSteps)
    }
}
