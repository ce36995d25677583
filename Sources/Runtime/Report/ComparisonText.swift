import Foundation
import RuntimeAnalysis
import RuntimeTraining

extension StudyComparison {
    /// The comparison as a table: mean difference, 95% interval, multiples of the seed noise, p, and number of pairs.
    ///
    /// - Parameter label: How a line's label is shown.
    public func table(label: (String) -> String = { $0 }) -> TextTable {
        let columns = lines.first?.differences.map(\.column) ?? []
        let tested = comparisons > 0
        let noisy = lines.contains { $0.differences.contains { $0.paired.effect != nil } }
        var table = TextTable(
            ["against \(reference)"]
                + columns.flatMap {
                    ["Δ \($0)"] + (noisy ? ["/ noise"] : []) + (tested ? ["p"] : [])
                } + ["pairs"])
        for line in lines {
            var cells = [label(line.label)]
            for (item, p) in zip(line.differences, line.corrected) {
                let paired = item.paired
                cells.append(paired.estimate.count == 0 ? "" : signed(paired.estimate))
                if noisy { cells.append(paired.effect.map { String(format: "%+.1f", $0) } ?? "") }
                if tested { cells.append(p.map { String(format: "%.3g", $0) } ?? "") }
            }
            cells.append("\(line.differences.map(\.paired.estimate.count).min() ?? 0)")
            table.append(cells)
        }
        return table
    }

    /// What the columns of the table mean, a sentence or two each, and what is excluded.
    public var notes: [String] {
        var lines: [String] = []
        let pairs = self.lines.flatMap { $0.differences.map(\.paired.estimate.count) }
        if comparisons > 0, let most = pairs.max() {
            lines.append(
                "p: permutation test of the paired differences, two-sided"
                    + (comparisons > 1
                        ? ", by Holm's correction for \(comparisons) comparisons." : "."))
            let floor = PairedTests.floor(most)
            if floor > 0.05 {
                lines.append(
                    "With \(most) pairs no p is below \(String(format: "%.3g", floor)), before any correction; "
                        + "more seeds can show more.")
            }
        }
        if self.lines.contains(where: { $0.differences.contains { $0.paired.effect != nil } }) {
            lines.append(
                "/ noise: the difference over the standard deviation of \(reference) over seeds.")
        }
        return lines + exclusions.map { "excluded: \($0)" }
    }

    /// The table and what its columns mean.
    public func text() -> String {
        let notes = notes
        let gap = comparisons > 0 ? [""] : []
        return ([table().text()] + gap + notes).joined(separator: "\n")
    }

    private func signed(_ estimate: Estimate) -> String {
        (estimate.mean >= 0 ? "+" : "") + estimate.text()
    }
}
