import RuntimeSupport

/// Whether two settings, such as start and weight, act together: an analysis of variance of paired effects with seeds as
/// blocks, and the size of the interaction with intervals over seeds.
public struct TwoWay: Sendable {
    /// The effect of one arm at one seed.
    public struct Point: Sendable {
        /// The first setting, such as the start.
        public let row: Double
        /// The second, such as the weight.
        public let column: Double
        /// The seed.
        public let block: String
        /// The effect.
        public let value: Double

        /// A point.
        public init(row: Double, column: Double, block: String, value: Double) {
            (self.row, self.column, self.block, self.value) = (row, column, block, value)
        }
    }

    /// One line of the analysis of variance.
    public struct Term: Sendable {
        /// `rows`, `columns`, `interaction` or `seeds`.
        public let name: String
        /// Degrees of freedom.
        public let degrees: Int
        /// The sum of squares that the term explains beyond those without it (type II).
        public let sum: Double
        /// F; `nil` without residual degrees of freedom.
        public let f: Double?
        /// P(F ≥ f).
        public let p: Double?
    }

    /// The effects of one combination of the settings.
    public struct Cell: Sendable {
        /// The first setting.
        public let row: Double
        /// The second.
        public let column: Double
        /// Mean over seeds with Student's interval.
        public let estimate: Estimate
        /// Mean over seeds with the interval of 2000 resamples.
        public let bootstrap: Interval
    }

    /// A linear contrast of every seed.
    public struct Contrast: Sendable {
        /// Mean over seeds with Student's interval.
        public let estimate: Estimate
        /// Mean over seeds with the interval of 2000 resamples.
        public let bootstrap: Interval
        /// p of the exact permutation of signs over seeds.
        public let permutationP: Double
    }

    /// Rows, columns, interaction and seeds.
    public let terms: [Term]
    /// Residual degrees of freedom.
    public let residualDegrees: Int
    /// Residual mean square; `nil` without degrees of freedom.
    public let residualMean: Double?
    /// Mean effects, by row, then column.
    public let cells: [Cell]
    /// Change from the lowest to the highest row, at the middle column, by each seed's plane with a product.
    public let rowChange: Contrast?
    /// Change from the lowest to the highest column, at the middle row.
    public let columnChange: Contrast?
    /// How much larger the columns' change is at the highest row than at the lowest.
    public let interaction: Contrast?

    /// Analyses points; combinations may be missing.
    ///
    /// - Throws: `InvalidValue` for fewer than two rows or columns, or a value that is not finite.
    /// - Source: Scheffé (1959), The analysis of variance, chapter 4; Langsrud (2003), ANOVA for unbalanced data: use
    ///   type II.
    public init(_ points: [Point], seed: UInt64 = 1) throws {
        let rows = Set(points.map(\.row)).sorted()
        let columns = Set(points.map(\.column)).sorted()
        var blocks: [String] = []
        for point in points where !blocks.contains(point.block) { blocks.append(point.block) }
        guard rows.count > 1, columns.count > 1 else {
            throw InvalidValue(
                "points", expected: "at least two values of either setting",
                found: "\(rows.count) and \(columns.count)")
        }
        guard points.allSatisfy({ $0.value.isFinite }) else {
            throw InvalidValue("points", expected: "finite effects", found: "one that is not")
        }
        let y = points.map(\.value)
        func indicators<Level: Equatable>(_ levels: [Level], _ of: (Point) -> Level) -> [[Double]] {
            levels.dropFirst().map { level in points.map { of($0) == level ? 1 : 0 } }
        }
        let one = [[Double](repeating: 1, count: points.count)]
        let a = indicators(rows) { $0.row }
        let b = indicators(columns) { $0.column }
        let s = indicators(blocks) { $0.block }
        let ab = a.flatMap { x in b.map { z in zip(x, z).map { $0 * $1 } } }
        let full = LeastSquares(one + s + a + b + ab, y)
        let degrees = points.count - full.rank
        let size = y.reduce(0) { $0 + $1 * $1 }
        // What rounding leaves of an exact fit is not noise.
        let mean = degrees > 0 && full.sum > 1e-24 * size ? full.sum / Double(degrees) : nil
        func term(_ name: String, _ less: [[Double]], _ more: [[Double]]) -> Term {
            let (without, with) = (LeastSquares(less, y), LeastSquares(less + more, y))
            let sum = max(0, without.sum - with.sum)
            let own = with.rank - without.rank
            guard let mean, own > 0 else {
                return Term(name: name, degrees: own, sum: sum, f: nil, p: nil)
            }
            let f = sum / Double(own) / mean
            return Term(
                name: name, degrees: own, sum: sum, f: f,
                p: FDistribution.upper(f, Double(own), Double(degrees)))
        }
        terms =
            [
                term("rows", one + s + b, a), term("columns", one + s + a, b),
                term("interaction", one + s + a + b, ab),
            ] + (blocks.count > 1 ? [term("seeds", one + a + b + ab, s)] : [])
        residualDegrees = degrees
        residualMean = mean
        cells = try rows.flatMap { row in
            try columns.compactMap { column -> Cell? in
                let values = points.filter { $0.row == row && $0.column == column }.map(\.value)
                guard !values.isEmpty else { return nil }
                return Cell(
                    row: row, column: column, estimate: Estimate(values),
                    bootstrap: try Bootstrap.mean(values, seed: seed))
            }
        }
        let slopes = blocks.compactMap { block in
            Self.slopes(points.filter { $0.block == block }, rows, columns)
        }
        func contrast(_ values: [Double]) throws -> Contrast? {
            guard !values.isEmpty else { return nil }
            return Contrast(
                estimate: Estimate(values), bootstrap: try Bootstrap.mean(values, seed: seed),
                permutationP: try PairedTests.permutation(values, seed: seed))
        }
        rowChange = try contrast(slopes.map { $0[0] })
        columnChange = try contrast(slopes.map { $0[1] })
        interaction = try contrast(slopes.map { $0[2] })
    }

    /// The changes along rows and columns and of both together, from lowest to highest, for one seed.
    private static func slopes(_ points: [Point], _ rows: [Double], _ columns: [Double])
        -> [Double]?
    {
        let (row, column) = (Samples.mean(rows), Samples.mean(columns))
        let high = rows[rows.count - 1] - rows[0]
        let wide = columns[columns.count - 1] - columns[0]
        let x = points.map { ($0.row - row) / high }
        let z = points.map { ($0.column - column) / wide }
        let fit = LeastSquares(
            [points.map { _ in 1 }, x, z, zip(x, z).map { $0 * $1 }], points.map(\.value))
        return fit.rank == 4 ? Array(fit.coefficients[1...]) : nil
    }
}
