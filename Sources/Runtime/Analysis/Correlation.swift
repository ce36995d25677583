import Foundation
import RuntimeSupport

/// How far two lists of numbers rise and fall together.
public struct Correlation: Sendable {
    /// Pearson's r with Fisher's interval (from 4 points on).
    public let pearson: Interval
    /// p of r = 0 by Student's t with n − 2 degrees of freedom.
    public let pearsonP: Double
    /// Spearman's rho: r of the ranks, with the interval of Bonett and Wright.
    public let spearman: Interval
    /// p of rho = 0 by Student's t.
    public let spearmanP: Double
    /// The straight line of least squares.
    public let fit: LinearFit
    /// How many points.
    public var count: Int { fit.count }

    /// Correlates two lists of equal length.
    ///
    /// - Throws: `InvalidValue` for fewer than three points, or when one list is constant.
    /// - Source: Fisher (1921); Bonett and Wright (2000), Sample size requirements for estimating Pearson, Kendall and
    ///   Spearman correlations.
    public init(_ x: [Double], _ y: [Double]) throws {
        fit = try LinearFit(x, y)
        guard Set(y).count > 1 else {
            throw InvalidValue("y", expected: "at least two different values", found: "one")
        }
        let count = Double(x.count)
        let (r, rho) = (Self.product(x, y), Self.product(Samples.ranks(x), Samples.ranks(y)))
        pearson = Self.interval(r, count, 1)
        spearman = Self.interval(rho, count, 1 + rho * rho / 2)
        pearsonP = Self.p(r, count)
        spearmanP = Self.p(rho, count)
    }

    private static func product(_ x: [Double], _ y: [Double]) -> Double {
        let (mx, my) = (Samples.mean(x), Samples.mean(y))
        var (xx, yy, xy) = (0.0, 0.0, 0.0)
        for (a, b) in zip(x, y) {
            xx += (a - mx) * (a - mx)
            yy += (b - my) * (b - my)
            xy += (a - mx) * (b - my)
        }
        return max(-1, min(1, xy / (xx * yy).squareRoot()))
    }

    private static func interval(_ r: Double, _ count: Double, _ variance: Double) -> Interval {
        guard count > 3 else { return Interval(r) }
        let half = 1.959963984540054 * (variance / (count - 3)).squareRoot()
        return Interval(r, low: tanh(atanh(r) - half), high: tanh(atanh(r) + half))
    }

    private static func p(_ r: Double, _ count: Double) -> Double {
        guard abs(r) < 1 else { return 0 }
        let t = abs(r) * ((count - 2) / (1 - r * r)).squareRoot()
        return 2 * StudentT.cumulative(-t, degrees: count - 2)
    }
}
