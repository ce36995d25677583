import Runtime

/// A recipe in a few lines.
enum RecipeSummary {
    static func text(_ recipe: Recipe) -> String {
        let model = recipe.model
        var lines = [
            "recipe: \(model.parameterCount) parameters, \(recipe.stop.map { "\($0) of " } ?? "")\(recipe.steps) steps × \(recipe.batch) sequences × "
                + "\(model.context) tokens, seed \(recipe.seed), \(recipe.precision.rawValue)",
            "  \(recipe.learningRate.kind.rawValue) schedule, peak \(recipe.learningRate.peak), "
                + "minimum \(recipe.learningRate.minimum), weight decay \(recipe.optimizer.weightDecay)",
        ]
        if let weights = recipe.weights {
            lines.append("  weights of \(weights.folder) (\(weights.digest.short))")
        }
        for (index, phase) in recipe.phases.enumerated() {
            let end =
                index + 1 < recipe.phases.count ? recipe.phases[index + 1].start : recipe.steps
            lines.append("  \(phase.name) \(phase.start) ..< \(end): \(phase.mixture)")
        }
        if let finetuning = recipe.finetuning {
            lines.append(
                "  finetune on \(finetuning.corpus.name): \(finetuning.epochs) epochs, batch \(finetuning.batch), "
                    + "peak \(finetuning.learningRate.peak)")
        }
        return lines.joined(separator: "\n")
    }
}
