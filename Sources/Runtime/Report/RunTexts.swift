import Foundation
import RuntimeStore
import RuntimeSupport
import RuntimeTraining

extension StepRecord {
    /// Records as CSV, a line a step.
    public static func csv(_ records: [StepRecord]) -> String {
        var table = TextTable([
            "step", "loss", "learning_rate", "gradient_norm", "tokens", "seconds",
        ])
        for record in records {
            table.append([
                "\(record.step)", "\(record.loss)", "\(record.learningRate)",
                "\(record.gradientNorm)", "\(record.tokens)", "\(record.seconds)",
            ])
        }
        return table.csv()
    }
}

extension StoredRun {
    package var recipe: RecipeText? {
        try? JSONDecoder().decode(RecipeText.self, from: Data(row.recipe.utf8))
    }

    /// Trained numbers of its model; `nil` if the recipe is of another version and cannot be read.
    public var parameters: Int? { recipe?.model.configuration.parameterCount }

    private var modelText: String {
        guard let model = recipe?.model.configuration else { return "?" }
        return "\(RunList.count(model.parameterCount)) (\(model.layers)×\(model.width))"
    }

    /// Everything known of the run, for people.
    ///
    /// - Parameter history: The records of its steps; the last few are shown.
    public func text(history: [StepRecord]) -> String {
        var lines = [
            "run \(row.name.singleLine)",
            "key          \(row.key.hex)",
            "status       \(status), \(row.step) of \(row.steps) steps, \(RunList.time(row.updated))",
        ]
        if let failure = row.failure { lines.append("failure      \(failure.singleLine)") }
        if let state = row.state { lines.append("state        \(state.hex)") }
        lines += recipeLines
        if let processor = row.processor { lines.append("kernels      \(processor.singleLine)") }
        if let exposure = row.exposure, !exposure.phases.isEmpty {
            var table = TextTable(["phase", "source", "tokens", "epochs"])
            for phase in exposure.phases {
                for (name, entry) in phase.exposure.entries.sorted(by: { $0.key < $1.key }) {
                    let epochs = String(format: "%.3f", entry.epochs)
                    table.append([phase.name, name, "\(entry.tokens)", epochs])
                }
            }
            lines += ["", "Exposure after \(row.step) steps", table.text()]
        }
        if !history.isEmpty {
            var table = TextTable(["step", "loss", "learning rate", "gradient norm"])
            for record in history.suffix(5) {
                table.append([
                    "\(record.step)", String(format: "%.4f", record.loss),
                    String(format: "%.3e", record.learningRate),
                    String(format: "%.4f", record.gradientNorm),
                ])
            }
            lines += ["", "Last of \(history.count) recorded steps", table.text()]
        }
        var table = TextTable(["step", "state", "size", "kept"])
        for checkpoint in checkpoints.reversed() {
            table.append([
                "\(checkpoint.step)", checkpoint.key.short, Amount.bytes(checkpoint.bytes),
                checkpoint.rolling ? "until the next" : "yes",
            ])
        }
        lines += ["", checkpoints.isEmpty ? "No checkpoints" : "Checkpoints\n" + table.text()]
        return lines.joined(separator: "\n")
    }

    private var recipeLines: [String] {
        guard let recipe else { return ["recipe       \(row.recipe)"] }
        let model = recipe.model.configuration
        var lines = [
            "model        \(model.parameterCount) parameters: \(model.layers) layers, width \(model.width), "
                + "\(model.heads) heads, context \(model.context), vocabulary \(model.vocabulary)",
            "recipe       \(recipe.upto.map { "\($0) of " } ?? "")\(recipe.steps) steps × "
                + "\(recipe.batch) sequences, seed \(recipe.seed), "
                + "\(recipe.precision)"
                + (recipe.accumulate > 1 ? ", in \(recipe.accumulate) parts" : ""),
            "optimizer    \(recipe.learning_rate.brief); \(recipe.optimizer.optimizer.text)",
        ]
        if let weights = recipe.weights { lines.append("weights      \(weights)") }
        for (index, phase) in recipe.phases.enumerated() {
            let end =
                index + 1 < recipe.phases.count ? recipe.phases[index + 1].start : recipe.steps
            let weights = phase.weights.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            lines.append(
                (index == 0 ? "phases       " : "             ")
                    + "\(phase.name) \(phase.start) ..< \(end): "
                    + (phase.ramp ?? weights.joined(separator: ", "))
                    + phase.changes(recipe.learning_rate).map { "; \($0)" }.joined())
        }
        for finetune in [recipe.finetune].compactMap({ $0 }) + (recipe.then_finetune ?? []) {
            lines.append(
                "finetune     \(finetune.corpus): \(finetune.epochs) epochs, batch \(finetune.batch), "
                    + "peak \(finetune.learning_rate.peak)")
        }
        return lines
    }

    fileprivate var cells: [String] {
        [
            row.key.short, row.name, status, "\(row.step)/\(row.steps)", modelText,
            RunList.time(row.updated), Amount.bytes(bytes),
        ]
    }
}

/// The runs of a store as a list.
public enum RunList {
    private struct Item: Encodable {
        let key: String
        let name: String
        let status: String
        let step: Int
        let steps: Int
        let parameters: Int?
        let updated: Double
        let bytes: Int
        let failure: String?
        let processor: String?
    }

    private static func count(_ number: Int, _ what: String) -> String {
        "\(number) \(what)\(number == 1 ? "" : "s")"
    }

    /// A table for people, with the bytes of all checkpoints below it.
    public static func text(_ runs: [StoredRun]) -> String {
        guard !runs.isEmpty else { return "no runs" }
        var table = TextTable(["key", "name", "status", "step", "model", "when", "disk"])
        for run in runs { table.append(run.cells) }
        var sizes: [Digest: Int] = [:]
        for checkpoint in runs.flatMap(\.checkpoints) { sizes[checkpoint.key] = checkpoint.bytes }
        return table.text()
            + "\n\n\(count(runs.count, "run")); \(count(sizes.count, "checkpoint")), "
            + "\(Amount.bytes(sizes.values.reduce(0, +))) in all (runs share some)"
    }

    /// An array of objects with sorted keys.
    public static func json(_ runs: [StoredRun]) throws -> String {
        try CanonicalJSON.text(
            runs.map { run in
                Item(
                    key: run.row.key.hex, name: run.row.name, status: run.status,
                    step: run.row.step, steps: run.row.steps, parameters: run.parameters,
                    updated: run.row.updated, bytes: run.bytes, failure: run.row.failure,
                    processor: run.row.processor)
            }, pretty: true)
    }

    /// `2026-01-31 09:30`, local time.
    package static func time(_ seconds: Double) -> String {
        var clock = time_t(seconds)
        var fields = tm()
        localtime_r(&clock, &fields)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%d %H:%M", &fields)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A number with up to six decimals and no superfluous zero.
    static func decimal(_ value: Double) -> String { String(format: "%.6g", value) }

    /// `411k`, `1.4M`.
    package static func count(_ value: Int) -> String {
        switch value {
        case ..<10_000: "\(value)"
        case ..<1_000_000: "\(value / 1000)k"
        case ..<1_000_000_000: String(format: "%.1fM", Double(value) / 1e6)
        default: String(format: "%.1fB", Double(value) / 1e9)
        }
    }
}

extension [Garbage] {
    /// What went, or would, by kind.
    public func text(dryRun: Bool) -> String {
        let verb = dryRun ? "would remove" : "removed"
        let lines = Garbage.Kind.allCases.compactMap { kind -> String? in
            let items = filter { $0.kind == kind }
            guard !items.isEmpty else { return nil }
            let what =
                switch kind {
                case .checkpoint: "checkpoints that no run needs"
                case .temporary: "unfinished files of processes that have ended"
                case .damaged: "damaged checkpoints that were set aside"
                case .journal: "journals, now in one"
                case .claim: "claims that nobody has"
                }
            let bytes = items.reduce(0) { $0 + $1.bytes }
            return "\(verb) \(items.count) \(what), \(Amount.bytes(bytes))"
        }
        return lines.isEmpty ? "nothing to collect" : lines.joined(separator: "\n")
    }
}
