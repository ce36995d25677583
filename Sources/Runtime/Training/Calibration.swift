/// Measures how fast this machine trains a recipe.
public enum Calibration {
    /// Seconds per token of a training step: the fastest of a few steps on the recipe's own first batch.
    ///
    /// - Throws: `Interrupted`; errors of the model.
    public static func secondsPerToken(_ trajectory: Trajectory, stop: ShouldStop) throws -> Double
    {
        let recipe = trajectory.recipe
        let model = try NeoX(recipe.model, seed: recipe.seed, precision: recipe.precision)
        let optimizer = try AdamW(model.parameters, settings: recipe.optimizer)
        let batches = try trajectory.batches(0)
        let tokens = batches.reduce(0) { $0 + $1.inputs.count }
        var best = Double.infinity
        for _ in 0..<3 {
            if stop() { throw Interrupted("interrupted while timing a training step") }
            let started = ContinuousClock.now
            model.parameters.zeroGradients()
            for batch in batches {
                _ = try model.accumulateGradients(batch, scale: 1 / Float(tokens))
            }
            _ = try optimizer.step(learningRate: trajectory.learningRate(0))
            best = min(best, started.duration(to: .now) / .seconds(1))
        }
        return best / Double(tokens)
    }
}
