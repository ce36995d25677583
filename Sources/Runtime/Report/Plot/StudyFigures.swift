import Foundation
import RuntimeAnalysis
import RuntimeStore
import RuntimeTraining

extension StudyResult {
    /// Rows of arms that differ in their seeds only, in order of first appearance.
    public var groups: [(label: String, rows: [Row])] {
        var order: [String] = []
        var rows: [String: [Row]] = [:]
        for row in self.rows {
            let label = row.arm.withoutSeeds.label
            if rows[label] == nil { order.append(label) }
            rows[label, default: []].append(row)
        }
        return order.map { ($0, rows[$0] ?? []) }
    }

    /// What a column is.
    private struct Quantity {
        var name: String
        /// Empty where it has none.
        var unit = ""
        /// Whether lower or higher is better, as the end of a caption says it.
        var better = ""

        var label: String { unit.isEmpty ? name : "\(name), \(unit)" }

        /// What the numbers of a figure are.
        func values(against reference: String?) -> String {
            let difference = reference.map { "Δ against \($0)" } ?? ""
            return [difference, unit].filter { !$0.isEmpty }.joined(separator: ", ")
        }

        /// What stands above a figure.
        func title(against reference: String?) -> String {
            name + (reference.map { ": difference to \($0)" } ?? "")
        }

        /// What a caption says the numbers are.
        func mean(against reference: String?) -> String {
            "Mean\(reference.map { " difference to \($0) with the same seed" } ?? "") of the \(label)"
        }
    }

    private func quantity(_ column: String) -> Quantity {
        let before = column.hasSuffix("_before")
        let name = before ? String(column.dropLast(7)) : column
        let isFinetuned = rows.contains { !$0.candidates.isEmpty }
        let place = isFinetuned ? " \(before ? "before" : "after") finetuning" : ""
        if let column = measured.first(where: { $0.name == name }) {
            let better =
                switch column.better {
                case .lower?: " Below zero is better."
                case .higher?: " Above zero is better."
                case nil: ""
                }
            return Quantity(name: column.title + place, unit: column.unit, better: better)
        }
        return Quantity(name: column.replacing("_", with: " "))
    }

    private func column(_ name: String) throws -> Int {
        guard let index = columns.firstIndex(of: name) else {
            throw RecipeError(
                "plot", "no column is called \(name); known: \(columns.joined(separator: ", "))")
        }
        return index
    }

    /// Independent repetitions of a column, or of its paired differences to the reference, by the label without seeds.
    private func repetitions(_ name: String, against reference: String?) throws -> [String:
        [Double]]
    {
        let index = try column(name)
        let numbers = Dictionary(
            zip(rows.map(\.arm.label), records().map { $0[index].number }),
            uniquingKeysWith: { first, _ in first })
        func number(_ row: Row) -> Double? { numbers[row.arm.label] ?? nil }
        guard let reference else {
            return Dictionary(
                uniqueKeysWithValues: groups.map { label, rows in
                    let values = rows.compactMap { row in number(row).map { (row.arm, $0) } }
                    return (label, Repetitions(values).items.map(\.value))
                })
        }
        let effects = try PairedEffects(self, names: nil, against: reference, value: number)
        return Dictionary(
            uniqueKeysWithValues: effects.groups.map { ($0.label, $0.units.map(\.difference)) })
    }

    private static func interval(_ values: [Double]) -> Interval? {
        guard !values.isEmpty else { return nil }
        let estimate = Estimate(values)
        return Interval(
            estimate.mean, low: estimate.halfWidth.map { estimate.mean - $0 },
            high: estimate.halfWidth.map { estimate.mean + $0 })
    }

    private static func count(_ counts: [Int]) -> String {
        guard let least = counts.min(), let most = counts.max() else { return "n = 0" }
        let some = most == 1 ? "seed" : "seeds"
        return least == most ? "n = \(least) \(some)" : "n = \(least) to \(most) \(some)"
    }

    /// The figure's caption: what an interval and a number are.
    public struct Figure {
        /// The plot.
        public var plot: Plot
        /// What it shows, with n.
        public var caption: String
    }

    /// A matrix of means by two parameters, such as start and weight; arms without both are left out.
    ///
    /// - Parameter reference: With it, cells are mean differences to this arm with the same seed, and white is none.
    /// - Throws: `RecipeError` naming a column or arm that does not exist.
    public func heatMap(
        rows rowName: String, columns columnName: String, value: String, against reference: String?
    ) throws -> Figure {
        let (row, column) = (try self.column(rowName), try self.column(columnName))
        let all = try repetitions(value, against: reference)
        let records = Dictionary(
            zip(self.rows.map(\.arm.label), records()), uniquingKeysWith: { first, _ in first })
        let used = groups.compactMap { label, rows -> (label: String, cells: [ResultValue])? in
            guard let cells = rows.first.flatMap({ records[$0.arm.label] }),
                cells[row] != .missing, cells[column] != .missing
            else { return nil }
            return (label, cells)
        }
        guard !used.isEmpty else {
            throw RecipeError("plot", "no arm has both \(rowName) and \(columnName)")
        }
        let drawn = Set(used.map(\.label))
        try checkCells(
            [rowName, columnName], self.rows.filter { drawn.contains($0.arm.withoutSeeds.label) },
            for: "plot"
        ) { arm in
            let cells = records[arm.arm.label] ?? []
            return cells.isEmpty ? [] : [cells[row], cells[column]]
        }
        let rowValues = Self.ordered(used.map { $0.cells[row] })
        let columnValues = Self.ordered(used.map { $0.cells[column] })
        var counts: [Int] = []
        let cells = rowValues.map { rowValue in
            columnValues.map { columnValue -> Interval? in
                let found = used.filter {
                    $0.cells[row] == rowValue && $0.cells[column] == columnValue
                }.flatMap { all[$0.label] ?? [] }
                if !found.isEmpty { counts.append(found.count) }
                return Self.interval(found)
            }
        }
        let quantity = self.quantity(value)
        let map = try HeatMap(
            rows: rowValues.map(Self.short), columns: columnValues.map(Self.short), values: cells,
            x: columnName, y: rowName == "start" ? "start, step" : rowName,
            label: quantity.values(against: reference),
            isDiverging: reference != nil)
        let intervals = counts.contains { $0 > 1 }
        return Figure(
            plot: Plot(title: quantity.title(against: reference), map),
            caption:
                "\(quantity.mean(against: reference)), by \(rowName) and \(columnName); \(Self.count(counts)) a cell."
                + (intervals ? " ±: half of Student's 95% interval." : "")
                + (reference == nil ? "" : quantity.better))
    }

    /// Bars of every kind of arm: means, or mean differences to a reference arm with the same seed.
    ///
    /// - Throws: `RecipeError` naming a column or arm that does not exist.
    public func bars(value: String, against reference: String?) throws -> Figure {
        let all = try repetitions(value, against: reference)
        var bars: [BarPlot.Bar] = []
        var counts: [Int] = []
        for (label, members) in groups where members.first?.arm.name != reference {
            let found = all[label] ?? []
            guard let interval = Self.interval(found) else { continue }
            counts.append(found.count)
            bars.append(BarPlot.Bar(label: Self.plain(label), value: interval))
        }
        let quantity = self.quantity(value)
        let intervals = counts.contains { $0 > 1 }
        return Figure(
            plot: Plot(
                title: quantity.title(against: reference),
                BarPlot(bars: bars, label: quantity.values(against: reference))),
            caption:
                "\(quantity.mean(against: reference)); \(Self.count(counts)) a bar."
                + (intervals ? " Whiskers: Student's 95% interval." : " One seed: no interval.")
                + (reference == nil ? "" : quantity.better))
    }

    /// The valid loss of a corpus over pretraining and midtraining, by kind of arm: the mean over seeds, banded by the lowest
    /// and highest, at the steps at which every seed was measured.
    ///
    /// - Parameter store: Where the recorded losses are.
    /// - Throws: `RecipeError` when no loss of this corpus was recorded on the way; `RegistryError`.
    public func evaluationCurves(_ corpus: String, _ store: Store) throws -> Figure {
        let (all, known) = try validLosses(of: corpus, store)
        var series: [LinePlot.Series] = []
        var counts: [Int] = []
        for (label, courses) in all {
            let steps = courses.dropFirst().reduce(Set(courses[0].keys)) {
                $0.intersection($1.keys)
            }
            guard steps.count > 1 else { continue }
            counts.append(courses.count)
            let points = steps.sorted().map { step in
                let values = courses.compactMap { $0[step] }
                return LinePlot.Point(
                    x: Double(step),
                    y: Interval(
                        Samples.mean(values), low: values.count > 1 ? values.min() : nil,
                        high: values.count > 1 ? values.max() : nil))
            }
            series.append(
                .init(name: Self.plain(label), points: RunFigures.binned(points, most: 200)))
        }
        guard !series.isEmpty else {
            throw RecipeError(
                "curves",
                "no valid loss of \(corpus) was recorded at several steps"
                    + (known.isEmpty ? "" : "; known: \(known.joined(separator: ", "))")
                    + "; study:run { evaluate_every = … } records it while arms are trained")
        }
        return Figure(
            plot: Plot(
                title: "\(corpus) valid loss over training",
                LinePlot(
                    series: series, x: PlotAxis("step"), y: PlotAxis("valid loss, nats a token"))),
            caption: "Valid loss of \(corpus) over training, mean over \(Self.count(counts))"
                + (counts.contains { $0 > 1 }
                    ? "; bands reach from the lowest to the highest." : "."))
    }

    /// The training loss while finetuning, by kind of arm: the mean over seeds, banded by the lowest and highest.
    ///
    /// - Parameter store: Where the records of the steps are.
    /// - Throws: `RecipeError` when nothing was finetuned; `RegistryError`.
    public func curves(_ store: Store) throws -> Figure {
        var series: [LinePlot.Series] = []
        var counts: [Int] = []
        for (label, members) in groups {
            var byStep: [Int: [Double]] = [:]
            var seeds = 0
            for row in members {
                guard let chosen = row.chosen, let base = row.base else { continue }
                let keys = chosen.trajectory.keys[(base.steps + 1)...]
                let records = try store.registry.steps(Array(keys))
                if !records.isEmpty { seeds += 1 }
                for record in records {
                    byStep[record.step - base.steps, default: []].append(record.loss)
                }
            }
            guard seeds > 0 else { continue }
            counts.append(seeds)
            // Seeds whose chosen length differs would change what the mean is of.
            let points = byStep.sorted { $0.key < $1.key }.filter { $0.value.count == seeds }.map {
                LinePlot.Point(
                    x: Double($0.key),
                    y: Interval(
                        Samples.mean($0.value), low: seeds > 1 ? $0.value.min() : nil,
                        high: seeds > 1 ? $0.value.max() : nil))
            }
            series.append(
                .init(name: Self.plain(label), points: RunFigures.binned(points, most: 60)))
        }
        guard !series.isEmpty else {
            throw RecipeError("plot", "no record of finetuning is in the store")
        }
        return Figure(
            plot: Plot(
                title: "Training loss while finetuning",
                LinePlot(
                    series: series, x: PlotAxis("step of finetuning"),
                    y: PlotAxis("training loss, nats a token"))),
            caption:
                "Training loss of the chosen finetunings, mean over \(Self.count(counts))"
                + (counts.contains { $0 > 1 }
                    ? "; bands reach from the lowest to the highest." : "."))
    }
}
