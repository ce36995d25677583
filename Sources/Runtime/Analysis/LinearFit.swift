import RuntimeSupport

/// A straight line of least squares, y = intercept + slope · x.
public struct LinearFit: Sendable {
    /// Rise of y for one unit of x, with Student's interval.
    public let slope: Interval
    /// y at x = 0.
    public let intercept: Double
    /// The standard deviation of the points around the line (n − 2).
    public let residual: Double
    /// Root mean square of the errors when every point is predicted from the line of the others.
    public let leaveOneOut: Double
    /// The same for the mean of the others instead of a line: what the line has to beat.
    public let leaveOneOutMean: Double
    /// How many points.
    public let count: Int
    private let center: Double
    private let spread: Double

    /// Fits a line to points.
    ///
    /// - Throws: `InvalidValue` for lists of different lengths, fewer than three points, a number that is not finite, or
    ///   a constant x.
    public init(_ x: [Double], _ y: [Double]) throws {
        guard x.count == y.count, x.count > 2 else {
            throw InvalidValue(
                "points", expected: "at least three, with as many y as x",
                found: "\(x.count) x, \(y.count) y")
        }
        guard (x + y).allSatisfy(\.isFinite) else {
            throw InvalidValue("points", expected: "finite numbers", found: "one that is not")
        }
        let mx = Samples.mean(x)
        let my = Samples.mean(y)
        let xx = x.reduce(0) { $0 + ($1 - mx) * ($1 - mx) }
        guard xx > 0 else {
            throw InvalidValue("x", expected: "at least two different values", found: "one")
        }
        let n = Double(x.count)
        let rise = zip(x, y).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) } / xx
        let start = my - rise * mx
        let errors = zip(x, y).map { $1 - start - rise * $0 }
        let deviation = (errors.reduce(0) { $0 + $1 * $1 } / (n - 2)).squareRoot()
        let half = StudentT.quantile(0.975, degrees: n - 2) * deviation / xx.squareRoot()
        slope = Interval(rise, low: rise - half, high: rise + half)
        intercept = start
        residual = deviation
        // A point's error without it follows from its leverage.
        let left = zip(x, errors).map { x, error in
            error / (1 - 1 / n - (x - mx) * (x - mx) / xx)
        }
        leaveOneOut = (left.reduce(0) { $0 + $1 * $1 } / n).squareRoot()
        let plain = y.map { ($0 - my) / (1 - 1 / n) }
        leaveOneOutMean = (plain.reduce(0) { $0 + $1 * $1 } / n).squareRoot()
        count = x.count
        center = mx
        spread = xx
    }

    /// The line at `x`, with the 95% interval of the mean there.
    public func mean(at x: Double) -> Interval {
        let n = Double(count)
        let value = intercept + slope.value * x
        let half =
            StudentT.quantile(0.975, degrees: n - 2) * residual
            * (1 / n + (x - center) * (x - center) / spread).squareRoot()
        return Interval(value, low: value - half, high: value + half)
    }
}
