import RuntimeSupport

/// Gain predicted from proximity advantage by what finished studies measured.
public struct GainModel: Sendable {
    /// Whether the part of training that is left at the start counts too.
    public let usesStart: Bool
    /// How many mixtures and targets it rests on.
    public let count: Int
    /// Root mean square error of predicting every point from the others.
    public let leaveOneOut: Double
    /// The same from the mean of the others: what the model has to beat.
    public let leaveOneOutMean: Double
    /// The correlation of advantage and gain.
    public let correlation: Correlation
    private let fit: LeastSquares
    private let deviation: Double

    /// Fits gain = a + b · advantage, or with `usesStart` a + (b + c · rest) · advantage, rest being the part of training
    /// that is left when the mixture begins.
    ///
    /// - Throws: `InvalidValue` for too few points, or points that do not tell the coefficients apart.
    public init(_ points: [ProximityGain.Point], usesStart: Bool) throws {
        let rows = points.map { Self.row($0.advantage.value, $0.rest, usesStart) }
        let columns = (rows.first ?? []).indices.map { column in rows.map { $0[column] } }
        let y = points.map(\.gain.value)
        let found = LeastSquares(columns, y)
        let degrees = points.count - columns.count
        guard degrees > 1, found.rank == columns.count, let error = found.leaveOneOut else {
            throw InvalidValue(
                "results",
                expected: "at least \(columns.count + 2) arms and targets of different advantage"
                    + (usesStart ? " and different starts" : ""),
                found: "\(points.count) of rank \(found.rank)")
        }
        correlation = try Correlation(points.map(\.advantage.value), y)
        leaveOneOutMean = correlation.fit.leaveOneOutMean
        leaveOneOut = error
        deviation = (found.sum / Double(degrees)).squareRoot()
        count = points.count
        fit = found
        self.usesStart = usesStart
    }

    private static func row(_ advantage: Double, _ rest: Double, _ usesStart: Bool) -> [Double] {
        usesStart ? [1, advantage, advantage * rest] : [1, advantage]
    }

    /// The gain of one more mixture, with the 95% interval of a single point.
    public func predict(advantage: Double, rest: Double = 1) -> Interval {
        let row = Self.row(advantage, rest, usesStart)
        let value = zip(row, fit.coefficients).reduce(0) { $0 + $1.0 * $1.1 }
        let half =
            StudentT.quantile(0.975, degrees: Double(count - row.count)) * deviation
            * (1 + fit.leverage(of: row)).squareRoot()
        return Interval(value, low: value - half, high: value + half)
    }
}
