import RuntimeModel
import RuntimeSupport

extension Trajectory {
    /// What training to a state costs and shows.
    public struct Cost: Sendable {
        /// Tokens of all steps; of finetuning, as many as full sequences have.
        public var tokens = 0
        /// Floating-point operations of all steps, forward and backward.
        public var operations = 0.0
        /// Tokens of each source, each counted by its step's learning rate as a part of the recipe's highest: what was read
        /// while the rate was high moved the weights more.
        public var weighted: [String: Double] = [:]
    }

    /// The cost of the steps of a range.
    ///
    /// - Throws: `Interrupted` when `stop` says so.
    public func cost(of steps: Range<Int>, stop: ShouldStop = { false }) throws -> Cost {
        var cost = Cost()
        for step in steps {
            if step % 1024 == 0, stop() {
                throw Interrupted("interrupted while costs were added up")
            }
            let tokens = tokens(in: step..<step + 1)
            let model = configuration(step)
            cost.tokens += tokens
            cost.operations +=
                Double(tokens) * model.trainingOperationsPerToken(columns: model.context)
            guard !isFinetuning(step) else { continue }
            let part = learningRate(step) / recipe.learningRate.peak
            for row in rows(step) {
                cost.weighted[row.source.name, default: 0] += part * Double(row.source.context)
            }
        }
        return cost
    }
}
