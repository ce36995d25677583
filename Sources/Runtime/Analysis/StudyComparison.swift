import RuntimeTraining

/// A paired comparison of two kinds of arms: the same seed on both sides of every difference.
public struct StudyComparison {
    /// One line: arms that share everything but the seed, against their reference.
    public struct Line {
        /// The arms' name and parameters but the seed.
        public let label: String
        /// Differences to the reference with the same seed, by column.
        public let differences: [(column: String, paired: PairedComparison)]
        /// p of the permutation test, by column, by Holm's correction for all lines and columns with two pairs or more;
        /// `nil` for fewer.
        public fileprivate(set) var corrected: [Double?]
    }

    /// The reference's name.
    public let reference: String
    /// The lines in order of the study's arms.
    public let lines: [Line]
    /// Arms without a result, and why.
    public let exclusions: [String]
    /// How many p values Holm's correction is for.
    public let comparisons: Int

    /// Compares every arm whose name is among `names` with the arm called `reference` of the same seed; see
    /// `PairedEffects` for what counts as a repetition.
    ///
    /// - Throws: `RecipeError` naming an arm that does not exist.
    public init(
        _ result: StudyResult, names: [String], against reference: String, columns: [String]
    ) throws {
        let all = result.columns
        let indices = try columns.map { name in
            guard let index = all.firstIndex(of: name) else {
                throw RecipeError(
                    "compare", "no column is called \(name); known: \(all.joined(separator: ", "))")
            }
            return index
        }
        let records = Dictionary(
            zip(result.rows.map(\.arm.label), result.records()),
            uniquingKeysWith: { first, _ in first })
        let effects = try indices.map { index in
            try PairedEffects(result, names: names, against: reference) { row in
                records[row.arm.label]?[index].number
            }
        }
        self.reference = reference
        exclusions = result.exclusions
        var found = try (effects.first?.groups ?? []).indices.map { place in
            let paired = try effects.map { effect in
                try PairedComparison(
                    differences: effect.groups[place].units.map(\.difference),
                    reference: effect.groups[place].references.sorted())
            }
            return Line(
                label: effects[0].groups[place].label,
                differences: zip(columns, paired).map { ($0, $1) },
                corrected: paired.map { _ in nil })
        }
        // Every p value that is shown counts as one comparison.
        let places = found.indices.flatMap { line in
            found[line].differences.indices.compactMap {
                found[line].differences[$0].paired.differences.count > 1 ? (line, $0) : nil
            }
        }
        let corrected = PairedTests.holm(
            places.map { found[$0].differences[$1].paired.permutationP })
        for (place, value) in zip(places, corrected) { found[place.0].corrected[place.1] = value }
        lines = found
        comparisons = places.count
    }
}
