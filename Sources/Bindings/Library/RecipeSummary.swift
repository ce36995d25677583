import Runtime

/// A recipe in a few lines.
enum RecipeSummary {
    static func text(_ recipe: Recipe) -> String {
        let model = recipe.model
        var lines = ["recipe: \(model.parameterCount) parameters, \(size(recipe))"]
        if recipe.steps > 0 {
            lines.append(
                "  \(recipe.learningRate.kind.rawValue) schedule, peak \(recipe.learningRate.peak), "
                    + "minimum \(recipe.learningRate.minimum); \(recipe.optimizer.brief)"
            )
        }
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

    /// How long it trains before finetuning, and on how much.
    private static func size(_ recipe: Recipe) -> String {
        let tail = "seed \(recipe.seed), \(recipe.precision.rawValue)"
        if recipe.steps == 0 { return "no steps of pretraining, \(tail)" }
        let stop = recipe.stop.map { "\($0) of " } ?? ""
        return
            "\(stop)\(recipe.steps) steps × \(recipe.batch) sequences × \(recipe.model.context) tokens, \(tail)"
    }

    /// The same as a table.
    static func card(_ recipe: Recipe) -> Card {
        let (model, rate) = (recipe.model, recipe.learningRate)
        var rows: [(String, String?)] = []
        rows.append(
            (
                "model",
                "\(model.parameterCount) parameters, \(model.layers) layers, width \(model.width)"
            ))
        if let weights = recipe.weights {
            rows.append(("weights", "\(weights.folder) (\(weights.digest.short))"))
        }
        rows.append(("training", size(recipe)))
        if recipe.steps > 0 {
            rows.append(
                (
                    "optimizer",
                    "\(rate.kind.rawValue), peak \(rate.peak), minimum \(rate.minimum); "
                        + recipe.optimizer.brief
                ))
        }
        for (index, phase) in recipe.phases.enumerated() {
            let next = index + 1
            let end = next < recipe.phases.count ? recipe.phases[next].start : recipe.steps
            rows.append((phase.name, "\(phase.start) ..< \(end): \(phase.mixture)"))
        }
        if let finetuning = recipe.finetuning {
            rows.append(
                (
                    "finetune",
                    "\(finetuning.corpus.name): \(finetuning.epochs) epochs, batch \(finetuning.batch), "
                        + "peak \(finetuning.learningRate.peak)"
                ))
        }
        return Card("recipe", rows)
    }
}
