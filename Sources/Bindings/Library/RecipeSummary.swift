import Runtime

/// A recipe in a few lines.
enum RecipeSummary {
    static func text(_ recipe: Recipe) -> String {
        let model = recipe.model
        var lines = ["recipe: \(model.parameterCount) parameters, \(size(recipe))"]
        if recipe.steps > 0 {
            lines.append(
                "  learning rate: \(recipe.learningRate.brief); \(recipe.optimizer.brief)"
            )
        }
        if let weights = recipe.weights {
            lines.append("  weights of \(weights.folder) (\(weights.digest.short))")
        }
        for index in recipe.phases.indices {
            lines.append("  \(recipe.phases[index].name) \(phase(recipe, index))")
        }
        for finetuning in recipe.finetunings {
            lines.append(
                "  finetune on \(finetuning.corpus.name): \(finetuning.epochs) epochs, batch \(finetuning.batch), "
                    + "\(finetuning.learningRate.brief)" + replay(finetuning))
        }
        return lines.joined(separator: "\n")
    }

    /// The steps of a phase, its mixture, and what else it changes.
    private static func phase(_ recipe: Recipe, _ index: Int) -> String {
        let phase = recipe.phases[index]
        let part = phase.startFraction.map { " (\(percent($0)))" } ?? ""
        let end = index + 1 < recipe.phases.count ? recipe.phases[index + 1].start : recipe.steps
        let changes = recipe.changes(inPhase: index)
        return "\(phase.start)\(part) ..< \(end): \(phase.mixtureText)"
            + (changes.isEmpty ? "" : "; " + changes.joined(separator: "; "))
    }

    /// What is read beside the examples.
    private static func replay(_ finetuning: Finetuning) -> String {
        finetuning.replay.map { "; replay \(percent($0.share)) of \($0.mixture)" } ?? ""
    }

    private static func percent(_ fraction: Double) -> String {
        "\(Progress.decimals(100 * fraction, 6).replacing(/\.?0+$/, with: ""))%"
    }

    /// How long it trains before finetuning, and on how much.
    private static func size(_ recipe: Recipe) -> String {
        var tail = "seed \(recipe.seed), \(recipe.precision.rawValue)"
        if let order = recipe.orderSeed { tail += ", order seed \(order)" }
        if let phase = recipe.phaseSeed { tail += ", phase seed \(phase)" }
        if let part = recipe.dataFraction { tail += ", sources cut to \(percent(part))" }
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
                    "\(rate.brief); \(recipe.optimizer.brief)"
                ))
        }
        for index in recipe.phases.indices {
            rows.append((recipe.phases[index].name, phase(recipe, index)))
        }
        for finetuning in recipe.finetunings {
            rows.append(
                (
                    "finetune",
                    "\(finetuning.corpus.name): \(finetuning.epochs) epochs, batch \(finetuning.batch), "
                        + "\(finetuning.learningRate.brief)" + replay(finetuning)
                ))
        }
        return Card("recipe", rows)
    }
}
