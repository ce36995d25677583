/// A paired comparison of two kinds of arms: the same seed on both sides of every difference.
public struct StudyComparison {
    /// One line: arms that share everything but the seed, against their reference.
    public struct Line {
        /// The arms' name and parameters but the seed.
        public let label: String
        /// Differences to the reference with the same seed, by column.
        public let differences: [(column: String, estimate: Estimate)]
    }

    /// The reference's name.
    public let reference: String
    /// The lines in order of the study's arms.
    public let lines: [Line]

    /// Compares every arm whose name is among `names` with the arm called `reference` of the same seed.
    ///
    /// - Throws: `RecipeError` naming an arm that does not exist.
    public init(
        _ result: StudyResult, names: [String], against reference: String, columns: [String]
    ) throws {
        let known = Set(result.rows.map(\.arm.name))
        for name in names + [reference] where !known.contains(name) {
            throw RecipeError(
                "compare",
                "no arm is called \(name); known: \(known.sorted().joined(separator: ", "))")
        }
        let all = result.columns
        let indices = try columns.map { name in
            guard let index = all.firstIndex(of: name) else {
                throw RecipeError(
                    "compare", "no column is called \(name); known: \(all.joined(separator: ", "))")
            }
            return index
        }
        let records = result.records()
        var references: [ArmValue?: [ResultValue]] = [:]
        for (row, record) in zip(result.rows, records) where row.arm.name == reference {
            references[row.arm.parameter("seed")] = record
        }
        var order: [String] = []
        var groups: [String: [[Double]]] = [:]
        for (row, record) in zip(result.rows, records)
        where names.contains(row.arm.name) && row.arm.name != reference {
            var arm = row.arm
            arm.parameters.removeAll { $0.name == "seed" }
            if groups[arm.label] == nil {
                order.append(arm.label)
                groups[arm.label] = indices.map { _ in [] }
            }
            guard let other = references[row.arm.parameter("seed")] else { continue }
            for (slot, index) in indices.enumerated() {
                if let a = record[index].number, let b = other[index].number {
                    groups[arm.label]?[slot].append(a - b)
                }
            }
        }
        self.reference = reference
        lines = order.map { label in
            let values = groups[label] ?? []
            return Line(label: label, differences: zip(columns, values).map { ($0, Estimate($1)) })
        }
    }

    /// The comparison as a table: mean difference, 95% interval and number of pairs.
    public func table() -> TextTable {
        let columns = lines.first?.differences.map(\.column) ?? []
        var table = TextTable(["against \(reference)"] + columns.map { "Δ \($0)" } + ["pairs"])
        for line in lines {
            let pairs = line.differences.map(\.estimate.count)
            table.append(
                [line.label]
                    + line.differences.map { $0.estimate.count == 0 ? "" : signed($0.estimate) }
                    + ["\(pairs.min() ?? 0)"])
        }
        return table
    }

    private func signed(_ estimate: Estimate) -> String {
        (estimate.mean >= 0 ? "+" : "") + estimate.text()
    }
}
