import Foundation
import RuntimeAnalysis
import RuntimeEvaluation
import RuntimeStore
import RuntimeTraining

/// What a study's part of a report says.
public struct StudyReport {
    /// A part of it.
    public enum Part: String, CaseIterable, Sendable {
        /// The control's settings, and what every kind of arm does.
        case recipe
        /// Tokens and epochs of every source.
        case exposure
        /// Means of what was measured, with intervals and n.
        case losses
        /// Paired differences to the reference with tests, and their bars.
        case comparison
        /// Matrices over start and weight, where arms have both.
        case surface
        /// The course of finetuning.
        case curves
        /// What is in no number, and why.
        case exclusions
        /// The states that numbers belong to.
        case keys
    }

    /// What was found.
    public let result: StudyResult
    /// The arm that others are compared with; `nil` when there is none.
    public let reference: String?
    /// Columns that are compared and drawn.
    public let columns: [String]
    package let store: Store

    /// Prepares the report of a study.
    ///
    /// - Parameters:
    ///   - reference: The arm that others are compared with; by default `control`, if there is one.
    ///   - columns: By default all that was measured.
    /// - Throws: `RecipeError` naming an arm or column that does not exist.
    public init(
        _ result: StudyResult, against reference: String? = nil, columns: [String]? = nil,
        store: Store
    ) throws {
        let names = Set(result.rows.map(\.arm.name))
        if let reference, !names.contains(reference) {
            throw RecipeError(
                "report",
                "no arm is called \(reference); known: \(names.sorted().joined(separator: ", "))")
        }
        for name in columns ?? [] where !result.columns.contains(name) {
            throw RecipeError(
                "report",
                "no column is called \(name); known: \(result.columns.joined(separator: ", "))")
        }
        self.result = result
        self.reference = reference ?? (names.contains("control") ? "control" : nil)
        self.columns = columns ?? result.measured.map(\.name)
        self.store = store
    }

    private var others: [String] {
        var names: [String] = []
        for row in result.rows where row.arm.name != reference && !names.contains(row.arm.name) {
            names.append(row.arm.name)
        }
        return names
    }

    /// The blocks of some parts, each under a heading of the given level.
    ///
    /// - Throws: `RecipeError`; `RegistryError`.
    public func blocks(_ parts: [Part], level: Int) throws -> [ReportDocument.Block] {
        try parts.flatMap { part -> [ReportDocument.Block] in
            let (heading, blocks): (String, [ReportDocument.Block]) =
                switch part {
                case .recipe: ("Recipe", recipe())
                case .exposure: ("Exposure", exposure())
                case .losses: (areLosses ? "Losses" : "Measures", losses())
                case .comparison: ("Effects", try comparison())
                case .surface: ("Start and weight", try surface())
                case .curves: ("Finetuning", try curves())
                case .exclusions: ("Exclusions", exclusions())
                case .keys: ("State keys", keys())
                }
            return blocks.isEmpty ? [] : [.heading(heading, level: level)] + blocks
        }
    }

    // MARK: - Parts

    private func recipe() -> [ReportDocument.Block] {
        guard let recipe = result.rows.compactMap({ $0.base?.recipe }).first else { return [] }
        let model = recipe.model
        let rate = recipe.learningRate
        var table = TextTable(["setting", "value"])
        table.append([
            "model",
            "\(model.parameterCount) parameters: \(model.layers) layers, width \(model.width), \(model.heads) heads",
        ])
        if let weights = recipe.weights { table.append(["weights", weights.digest.hex]) }
        table.append([
            "tokenizer",
            "\(recipe.tokenizer.vocabularySize) tokens, digest \(recipe.tokenizer.digest.short)",
        ])
        table.append([
            "steps",
            "\(recipe.steps) of \(recipe.batch) sequences of \(model.context) tokens, \(recipe.steps * recipe.batch * model.context) tokens",
        ])
        table.append(["precision", recipe.precision.rawValue])
        table.append([
            "optimizer",
            recipe.optimizer.text,
        ])
        table.append([
            "learning rate",
            rate.segments == nil && rate.sampled == nil
                ? "\(rate.brief), warm-up \(rate.warmup)" : rate.brief,
        ])
        if let finetuning = result.rows.first(where: { !$0.candidates.isEmpty }) {
            let rates = finetuning.candidates.map { "\($0.settings.learningRate.peak)" }
            if let settings = finetuning.candidates.first?.settings {
                table.append([
                    "finetuning",
                    "\(settings.corpus.name): \(settings.epochs) epoch\(settings.epochs == 1 ? "" : "s"), batch \(settings.batch), learning rate \(rates.joined(separator: ", "))\(rates.count > 1 ? ", the best by loss on valid" : "")",
                ])
            }
        }
        var arms = TextTable(["arm", "seeds", "phases"])
        for (label, rows) in result.groups {
            let phases = rows.compactMap(\.base).first.map { base -> String in
                let phases = base.recipe.phases
                return phases.indices.map { index in
                    let end =
                        index + 1 < phases.count ? phases[index + 1].start : base.recipe.steps
                    let changes = base.recipe.changes(inPhase: index).map { "; \($0)" }
                    return
                        "\(phases[index].name) \(phases[index].start)–\(end): \(phases[index].mixtureText)\(changes.joined())"
                }.joined(separator: "; ")
            }
            arms.append([StudyResult.plain(label), seeds(rows), phases ?? ""])
        }
        return [
            .table(table, caption: "Settings that all arms share."),
            .table(arms, caption: "Arms, with the steps of their phases and the weights in them."),
        ]
    }

    private func seeds(_ rows: [StudyResult.Row]) -> String {
        var seeds: [String] = []
        for case let seed? in rows.map({ $0.arm.parameter("seed")?.description })
        where !seeds.contains(seed) {
            seeds.append(seed)
        }
        return seeds.joined(separator: ", ")
    }

    private func exposure() -> [ReportDocument.Block] {
        let names = Set(result.rows.flatMap { $0.base?.sources.map(\.name) ?? [] }).sorted()
        var table = TextTable(["arm"] + names.flatMap { ["\($0) tokens", "epochs"] })
        for (label, rows) in result.groups {
            guard let base = rows.compactMap(\.base).first else { continue }
            let total = base.exposure(at: base.steps).total
            table.append(
                [StudyResult.plain(label)]
                    + names.flatMap { name in
                        ["\(total[name].tokens)", String(format: "%.3f", total[name].epochs)]
                    })
        }
        return [
            .table(
                table,
                caption: "Tokens read of each source before finetuning; the same for every seed.")
        ] + overlap()
    }

    private func overlap() -> [ReportDocument.Block] {
        guard let overlap = result.overlap else { return [] }
        let sentences = overlap.sentences
        guard !sentences.isEmpty else {
            return [
                .paragraph(
                    "No held-out document is like one that is trained on: none is the same, none nearly "
                        + "(Jaccard similarity \(overlap.settings.near)), none shares \(overlap.settings.words) words in a row."
                )
            ]
        }
        return [
            .paragraph(
                "What held-out documents have in common with documents that are trained on:"),
            .list(sentences),
        ]
    }

    /// What each of the columns is, if a measure fills it.
    private var kinds: [MeasureColumn] {
        columns.compactMap { name in
            result.measured.first { name == $0.name || name == "\($0.name)_before" }
        }
    }

    private var areLosses: Bool {
        kinds.count == columns.count && kinds.allSatisfy { $0.unit == "nats a token" }
    }

    /// The units of the columns, and which way is better, where they are not all losses.
    private func units(ofDifferences: Bool) -> String {
        var parts: [(unit: MeasureColumn, names: [String])] = []
        for kind in kinds where !kind.unit.isEmpty || kind.better != nil {
            if let index = parts.firstIndex(where: {
                $0.unit.unit == kind.unit && $0.unit.better == kind.better
            }) {
                if !parts[index].names.contains(kind.name) { parts[index].names.append(kind.name) }
            } else {
                parts.append((kind, [kind.name]))
            }
        }
        return parts.map { kind, names in
            let better = kind.better.map { way in
                ofDifferences
                    ? (way == .lower ? "below zero is better" : "above zero is better")
                    : "\(way.rawValue) is better"
            }
            let what = [kind.unit.isEmpty ? nil : "in \(kind.unit)", better].compactMap { $0 }
            return " \(names.joined(separator: ", ")): \(what.joined(separator: "; "))."
        }.joined()
    }

    private func losses() -> [ReportDocument.Block] {
        let wanted = columns.flatMap { $0.hasSuffix("_before") ? [$0] : ["\($0)_before", $0] }
            .filter { result.columns.contains($0) }
        let records = result.records()
        let rateColumn = result.columns.firstIndex(of: "learning_rate")
        var table = TextTable(["arm"] + wanted + ["rate", "n"])
        for (label, rows) in result.groups {
            let members = result.rows.indices.filter { index in
                rows.contains { $0.arm.label == result.rows[index].arm.label }
            }
            var cells = [StudyResult.plain(label)]
            var least = members.count
            for name in wanted {
                let index = result.columns.firstIndex(of: name) ?? 0
                let values = Repetitions(
                    members.compactMap { member in
                        records[member][index].number.map { (result.rows[member].arm, $0) }
                    }
                ).items.map(\.value)
                least = min(least, values.count)
                cells.append(values.isEmpty ? "" : Estimate(values).text())
            }
            let rates = rateColumn.map { column in
                var seen: [String] = []
                for member in members {
                    let text = records[member][column].description
                    if !text.isEmpty, !seen.contains(text) { seen.append(text) }
                }
                return seen.joined(separator: ", ")
            }
            table.append(cells + [rates ?? "", "\(least)"])
        }
        return [
            .table(
                table,
                caption: areLosses
                    ? "Test loss in nats a token, mean ± half of Student's 95% interval over n seeds; NAME_before is the loss before finetuning. The learning rate was chosen on valid."
                    : "Mean ± half of Student's 95% interval over n seeds; NAME_before is the value before finetuning. The learning rate was chosen on valid.\(units(ofDifferences: false))"
            )
        ]
    }

    private func comparison() throws -> [ReportDocument.Block] {
        guard let reference, !others.isEmpty else { return [] }
        let comparison = try StudyComparison(
            result, names: others, against: reference, columns: columns)
        var blocks: [ReportDocument.Block] = [
            .table(
                comparison.table(label: StudyResult.plain),
                caption: areLosses
                    ? "Paired differences to \(reference) with the same seed, in nats a token, ± half of Student's 95% interval; below zero is better."
                    : "Paired differences to \(reference) with the same seed, ± half of Student's 95% interval.\(units(ofDifferences: true))"
            )
        ]
        if !comparison.notes.isEmpty {
            blocks.append(.paragraph(comparison.notes.joined(separator: " ")))
        }
        for column in columns {
            let figure = try result.bars(value: column, against: reference)
            blocks.append(.figure(figure.plot, caption: figure.caption))
        }
        return blocks
    }

    private func surface() throws -> [ReportDocument.Block] {
        guard result.parameterNames.contains("start"), result.parameterNames.contains("weight")
        else { return [] }
        return try columns.map { column in
            let figure = try result.heatMap(
                rows: "start", columns: "weight", value: column, against: reference)
            return .figure(figure.plot, caption: figure.caption)
        }
    }

    private func curves() throws -> [ReportDocument.Block] {
        guard result.rows.contains(where: { $0.chosen != nil }),
            let figure = try? result.curves(store)
        else { return [] }
        return [.figure(figure.plot, caption: figure.caption)]
    }

    private func exclusions() -> [ReportDocument.Block] {
        var lines = result.rows.compactMap { row in
            row.failure.map { "\(row.arm.label) failed and is in no number: \($0)" }
        }
        if let reference {
            let seeds = Set(
                result.rows.filter { $0.arm.name == reference && $0.failure == nil }.map {
                    $0.arm.parameter("seed")
                })
            lines += result.rows.filter {
                $0.failure == nil && !seeds.contains($0.arm.parameter("seed"))
            }.map { "\($0.arm.label) has no \(reference) of its seed and is in no difference" }
        }
        if lines.isEmpty {
            return [
                .paragraph(
                    "None: all \(result.rows.count) arms and seeds that were planned are in every number."
                )
            ]
        }
        return [.list(lines)]
    }

    private func keys() -> [ReportDocument.Block] {
        var table = TextTable(["arm", "before finetuning", "after finetuning"])
        for row in result.rows {
            table.append([
                StudyResult.plain(row.arm.label),
                row.base?.keys.last.map { String($0.hex.prefix(16)) } ?? "",
                row.chosen?.trajectory.keys.last.map { String($0.hex.prefix(16)) } ?? "",
            ])
        }
        return [
            .table(
                table,
                caption:
                    "The first 16 digits of each state's key, a hash over everything that led to it; equal keys are equal states."
            )
        ]
    }
}
