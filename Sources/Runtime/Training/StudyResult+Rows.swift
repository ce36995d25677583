import RuntimeEvaluation
import RuntimeSupport

extension StudyResult {
    /// The result with the rows at some places only, in their order.
    package func keeping(_ places: [Int]) -> StudyResult {
        var result = self
        result.rows = places.map { rows[$0] }
        let whole = wholeCount ?? rows.count
        result.wholeCount = places.count == whole ? nil : whole
        return result
    }

    /// The result with a further measured column; `nil` where a row has no value.
    package func adding(_ column: MeasureColumn, _ values: [Double?]) -> StudyResult {
        var result = self
        result.measured.append(column)
        result.added.insert(column.name)
        for (place, value) in values.enumerated() { result.rows[place].added[column.name] = value }
        return result
    }

    /// The result with a further parameter of its arms; `nil` where an arm has none.
    package func adding(parameter name: String, _ values: [ArmValue?]) -> StudyResult {
        var result = self
        for (place, value) in values.enumerated() {
            guard let value else { continue }
            let parameters = rows[place].arm.parameters
            let end =
                parameters.firstIndex { PairedEffects.seedNames.contains($0.name) }
                ?? parameters.count
            result.rows[place].arm.parameters.insert((name, value), at: end)
        }
        return result
    }

    /// The rows of two studies.
    ///
    /// A row that both have, with the same state and measures, stands in it once.
    ///
    /// - Throws: `RecipeError` naming arms that nothing tells apart, and columns that are not the same.
    public func appending(_ other: StudyResult) throws -> StudyResult {
        for column in other.measured {
            guard let mine = measured.first(where: { $0.name == column.name }) else { continue }
            guard mine == column, added.contains(column.name) == other.added.contains(column.name)
            else {
                throw RecipeError(
                    "..",
                    "both have a column \(column.name), but not the same: \(mine.title) and \(column.title)"
                )
            }
        }
        var result = self
        result.measured += other.measured.filter { column in
            !measured.contains { $0.name == column.name }
        }
        result.added.formUnion(other.added)
        let places = Dictionary(
            rows.enumerated().map { ($1.arm.label, $0) }, uniquingKeysWith: { first, _ in first })
        for row in other.rows {
            guard let place = places[row.arm.label] else {
                result.rows.append(row)
                continue
            }
            let mine = rows[place]
            guard mine.key == row.key, mine.failure == row.failure,
                other.measured.allSatisfy({
                    mine.after[$0.name] == row.after[$0.name]
                        && mine.before[$0.name] == row.before[$0.name]
                        && mine.added[$0.name] == row.added[$0.name]
                })
            else {
                throw RecipeError(
                    "..",
                    "both have \(Self.plain(row.arm.label)), and not the same values; a parameter tells them apart: a:with { study = \"'first'\" } .. b:with { study = \"'second'\" }"
                )
            }
        }
        // What both have took no further steps.
        guard result.rows.count > rows.count else { return result }
        result.trainedSteps = Int.saturatingSum(trainedSteps, other.trainedSteps)
        result.distinctSteps = Int.saturatingSum(distinctSteps, other.distinctSteps)
        result.naiveSteps = Int.saturatingSum(naiveSteps, other.naiveSteps)
        result.wholeCount = nil
        return result
    }
}
