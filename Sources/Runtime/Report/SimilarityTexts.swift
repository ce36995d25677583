import Foundation
import RuntimeAnalysis
import RuntimeSupport

extension Similarity {
    /// The matrix for people, with what it was measured on.
    public func text(stop: ShouldStop = Interruption.stop) throws -> String {
        var table = TextTable([settings.metric.label] + names)
        // An interval that was asked for and that the documents cannot tell.
        let unknown = settings.bootstrap > 1 ? " ±?" : ""
        let cells = try matrix(stop: stop)
        for (name, row) in zip(names, cells) {
            table.append(
                [name]
                    + row.map { cell in
                        let half = cell.low.flatMap { low in cell.high.map { ($0 - low) / 2 } }
                        return String(format: "%.3f", cell.value)
                            + (half.map { String(format: " ±%.3f", $0) } ?? unknown)
                    })
        }
        let hasUnknown = !unknown.isEmpty && cells.joined().contains { $0.low == nil }
        let note = " ±?: unknown, as a corpus has a single document to resample."
        return [table.text(), "", basis + (hasUnknown ? note : "")].joined(separator: "\n")
    }

    /// What the values rest on, in sentences.
    public var basis: String {
        let read = samples.map { "\($0.name) \($0.documents)" }.joined(separator: ", ")
        let what = settings.metric == .gradient ? "Blocks of windows or examples" : "Documents"
        var lines = [
            "\(what) (\(settings.sampling.rawValue) of \(settings.split.rawValue)): \(read)."
        ]
        if settings.metric.countsSequences {
            lines.append("n = \(lengths.map(String.init).joined(separator: ", ")).")
        }
        if settings.metric == .crossEntropy {
            lines.append(
                "Rows are scored under models of the columns, on other documents; lower is closer; only the scored are resampled."
            )
        }
        if settings.bootstrap > 0 {
            lines.append(
                "±: half of the 95% interval over \(settings.bootstrap) resamples of the documents."
            )
        }
        return lines.joined(separator: " ")
    }
}

extension Recommendation {
    /// The ranking for people, and what it rests on.
    public func text() -> String {
        let timed = lines.contains { $0.start != nil }
        var table = TextTable(
            ["rank", "candidate", "weight"] + (timed ? ["start"] : [])
                + ["proximity advantage [95%]", "behind the first"]
                + (model == nil ? [] : ["predicted gain [95%]"]))
        for (rank, line) in lines.enumerated() {
            let tied = rank > 0 && line.isTied && line.behind?.low != nil ? " (not told apart)" : ""
            table.append(
                ["\(rank + 1)", line.candidate, String(format: "%g", line.weight)]
                    + (timed ? [line.start.map { String(format: "%g", $0) } ?? ""] : [])
                    + [
                        line.proximity.advantage.text(signed: true),
                        line.behind.map { $0.text() + tied } ?? "",
                        line.predicted?.text(signed: true) ?? "",
                    ])
        }
        return
            ([
                "Mixtures of \(general) for \(target) by \(similarity.settings.metric.label)",
                table.text(), "", similarity.basis,
            ] + ground).joined(separator: "\n")
    }

    private var ground: [String] {
        guard let model else {
            return [
                "Rests on text alone: nothing was trained. The advantage predicts which candidate helps more, not by how much;",
                "it grows with weight and knows neither start time nor what the general text loses. Test weights with a study.",
            ]
        }
        func number(_ value: Double) -> String { String(format: "%.4f", value) }
        let beats = model.leaveOneOut < model.leaveOneOutMean
        return [
            "Predicted gain: loss saved on the target as a part of the control's, from \(model.count) arms and targets of finished",
            "studies (r = \(model.correlation.pearson.text())). Left out one at a time they are missed by "
                + "\(number(model.leaveOneOut)), by their mean alone by \(number(model.leaveOneOutMean)): "
                + (beats ? "the advantage predicts." : "the advantage does not predict here."),
        ]
    }
}
