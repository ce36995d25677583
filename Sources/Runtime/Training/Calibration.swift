import RuntimeData
import RuntimeModel
import RuntimeNumerics
import RuntimeSupport

/// Measures how fast this machine trains a recipe.
public enum Calibration {
    /// Where the time of a recipe's training steps goes.
    public struct Breakdown: Sendable {
        /// Steps that were measured.
        public let steps: Int
        /// Tokens in each.
        public let tokens: Int
        /// Seconds of all measured steps, work between kernels included.
        public let seconds: Double
        /// What each kernel did in all steps, the longest first.
        public let kernels: [Profile.Line]
        /// Floating-point operations of products in one step.
        public let operations: Double
        /// Operations a second of the machine's fastest product of large matrices, now, in the
        /// recipe's precision.
        public let ceiling: Double
    }

    /// Seconds per token of a training step: the fastest of a few steps on the recipe's own first batch.
    ///
    /// - Throws: `Interrupted`; errors of the model.
    public static func secondsPerToken(
        _ trajectory: Trajectory, makeStepper: MakeStepper = { CPUStepper($0) }, stop: ShouldStop
    ) throws -> Double {
        let bench = try Bench(trajectory, makeStepper)
        var best = Double.infinity
        for _ in 0..<3 { best = min(best, try bench.step(stop)) }
        return best / Double(bench.tokens)
    }

    /// Times the kernels of `steps` training steps on the initial weights and the recipe's first batch; no
    /// run changes.
    ///
    /// - Throws: `Interrupted`; errors of the model.
    public static func breakdown(_ trajectory: Trajectory, steps: Int, stop: ShouldStop) throws
        -> Breakdown
    {
        let bench = try Bench(trajectory, { CPUStepper($0) })
        for _ in 0..<2 { _ = try bench.step(stop) }  // fills the memory cache
        let (seconds, kernels) = try Profile.measure {
            try (0..<steps).reduce(0) { total, _ in total + (try bench.step(stop)) }
        }
        let columns = bench.input.batches[0].columns
        return Breakdown(
            steps: steps, tokens: bench.tokens, seconds: seconds, kernels: kernels,
            operations: trajectory.recipe.model.trainingOperationsPerToken(columns: columns)
                * Double(bench.tokens),
            ceiling: try ceiling(trajectory.recipe.precision))
    }

    /// Operations a second of a large product, the best of several.
    private static func ceiling(_ precision: Precision) throws -> Double {
        let (rows, inputs, outputs) = (4096, 512, 2048)
        let x = try Tensor.uniform([rows, inputs], seed: 1)
        let weight = try Tensor.uniform([outputs, inputs], seed: 2)
        let (_, kernels) = try Profile.measure {
            for _ in 0..<8 { _ = try x.linear(weight, precision: precision) }
        }
        // The mean of eight, the first of which also prepares the library.
        return kernels.filter { $0.kernel.hasPrefix("matmul") }
            .map { $0.operations / $0.seconds }.max() ?? 0
    }

    /// A model of a recipe with one batch, apart from any run.
    private struct Bench {
        let stepper: any Stepper
        let input: StepInput
        let tokens: Int

        init(_ trajectory: Trajectory, _ makeStepper: MakeStepper) throws {
            guard trajectory.steps > 0 else {
                throw RecipeError("steps", "the recipe has none that could be timed")
            }
            stepper = try makeStepper(TrainingState(trajectory.recipe))
            try stepper.load()
            input = try trajectory.input(0)
            tokens = input.batches.reduce(0) { $0 + $1.inputs.count }
        }

        /// One training step; its seconds.
        func step(_ stop: ShouldStop) throws -> Double {
            if stop() { throw Interrupted("interrupted while timing a training step") }
            let started = ContinuousClock.now
            _ = try stepper.step(input)
            return started.duration(to: .now) / .seconds(1)
        }
    }
}
