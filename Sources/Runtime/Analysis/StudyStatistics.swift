import RuntimeSupport
import RuntimeTraining

extension StudyResult {
    /// The effects of two numeric parameters, one point an arm and repetition.
    ///
    /// - Throws: `RecipeError` naming what does not exist.
    public func twoWay(
        rows rowName: String, columns columnName: String, value: String, arms: [String]?,
        against reference: String, seed: UInt64 = 1
    ) throws -> TwoWay {
        let effects = try PairedEffects(
            self, names: arms, against: reference, value: measured(value))
        let wanted = arms.map(Set.init)
        let drawn = rows.filter { row in
            row.arm.name != reference && wanted?.contains(row.arm.name) ?? true
                && row.arm.number(rowName) != nil && row.arm.number(columnName) != nil
        }
        try checkCells([rowName, columnName], drawn, for: "interaction") { row in
            [rowName, columnName].map { .number(row.arm.number($0) ?? .nan) }
        }
        let points = effects.groups.flatMap { group -> [TwoWay.Point] in
            guard let row = group.arm.number(rowName), let column = group.arm.number(columnName)
            else { return [] }
            return group.units.map {
                TwoWay.Point(row: row, column: column, block: $0.seed, value: $0.difference)
            }
        }
        guard !points.isEmpty else {
            throw RecipeError(
                "rows, columns",
                "no arm with a result has numbers called \(rowName) and \(columnName) and a \(reference) of its seed"
                    + (exclusions.first.map { "; excluded: \($0)" } ?? ""))
        }
        return try TwoWay(points, seed: seed)
    }

    /// The variance of a measured column by trunk seed and finetuning seed, for every group of arms with more than one
    /// repetition.
    ///
    /// - Parameter reference: When given, the variance of paired differences from it instead.
    /// - Throws: `RecipeError` naming what does not exist.
    public func variances(of column: String, against reference: String? = nil) throws -> [(
        label: String, components: VarianceComponents
    )] {
        let measured = try measured(column)
        func key(_ arm: Arm) -> [String] {
            PairedEffects.seedNames.map { arm.parameter($0)?.description ?? "" }
        }
        if let reference, !self.rows.contains(where: { $0.arm.name == reference }) {
            throw RecipeError("against", "no arm is called \(reference)")
        }
        var order: [String] = []
        var groups: [String: [(trunk: String, value: Double)]] = [:]
        for row in rows where row.arm.name != reference {
            guard var value = measured(row) else { continue }
            if let reference {
                let other = rows.first {
                    $0.arm.name == reference && key($0.arm) == key(row.arm)
                }
                guard let base = other.flatMap(measured) else { continue }
                value -= base
            }
            let label = row.arm.withoutSeeds.label
            if groups[label] == nil { order.append(label) }
            groups[label, default: []].append((key(row.arm)[0], value))
        }
        return try order.compactMap { label in
            let values = groups[label] ?? []
            guard values.count > 1 else { return nil }
            var trunks: [String] = []
            for value in values where !trunks.contains(value.trunk) { trunks.append(value.trunk) }
            return (
                label,
                try VarianceComponents(
                    trunks.map { trunk in values.filter { $0.trunk == trunk }.map(\.value) })
            )
        }
    }
}
