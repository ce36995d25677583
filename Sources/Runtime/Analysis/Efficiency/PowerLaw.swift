import Foundation

/// A value that falls or rises with the amount of training towards a limit: `limit + scale · amount^−exponent`.
///
/// - Source: Hestness et al. 2017 (arXiv 1712.00409) for losses by amount of data; Hoffmann et al. 2022 (arXiv 2203.15556) for
///   the limit.
public struct PowerLaw: Hashable, Sendable {
    /// The value that no amount passes.
    public let limit: Double
    /// The distance to it at an amount of 1; below 0 for a value that rises.
    public let scale: Double
    /// How fast it comes near; above 0.
    public let exponent: Double
    /// The root of the mean squared residual.
    public let residual: Double
    /// The amounts that it was fitted to, from the lowest to the highest.
    public let range: ClosedRange<Double>

    /// The exponents that are tried; below the first, the law is a logarithm, beyond the last, a step.
    private static let exponents = (lowest: 0.01, highest: 8.0)

    /// The law of least squares.
    ///
    /// For a given exponent it is a line, so that only the exponent is searched for.
    ///
    /// - Throws: `FrameError` for fewer than three distinct amounts, amounts that are not above 0, and values that do not get
    ///   near a limit.
    public init(_ points: [(amount: Double, value: Double)], for field: String) throws {
        let amounts = Set(points.map(\.amount))
        guard let low = amounts.min(), let high = amounts.max(), amounts.count >= 3 else {
            throw FrameError(
                field, "at least 3 different amounts of training expected, got \(amounts.count)")
        }
        guard low > 0, points.allSatisfy({ $0.value.isFinite && $0.amount.isFinite }) else {
            throw FrameError(
                field, "finite values at amounts above 0 expected, got an amount of \(low)")
        }
        // Amounts near 1, so that powers of them stay in range.
        let unit = exp(points.reduce(0) { $0 + log($1.amount) } / Double(points.count))
        func line(_ exponent: Double) -> (limit: Double, scale: Double, squares: Double) {
            let x = points.map { pow($0.amount / unit, -exponent) }
            let (mx, my) = (Samples.mean(x), Samples.mean(points.map(\.value)))
            var (xx, xy) = (0.0, 0.0)
            for (x, point) in zip(x, points) {
                xx += (x - mx) * (x - mx)
                xy += (x - mx) * (point.value - my)
            }
            let scale = xx > 0 ? xy / xx : 0
            let limit = my - scale * mx
            let squares = zip(x, points).reduce(0) { sum, pair in
                let error = pair.1.value - limit - scale * pair.0
                return sum + error * error
            }
            return (limit, scale, squares)
        }
        let (first, last) = (log(Self.exponents.lowest), log(Self.exponents.highest))
        let steps = 400
        func place(_ step: Int) -> Double { first + (last - first) * Double(step) / Double(steps) }
        let errors = (0...steps).map { line(exp(place($0))).squares }
        let best = errors.indices.min { errors[$0] < errors[$1] } ?? 0
        guard best > 0, best < steps else {
            throw FrameError(
                field,
                "the values at \(amounts.count) amounts do not get near a limit as a power law does (the exponent would be \(best == 0 ? "0" : "without bound"))"
            )
        }
        let exponent = exp(
            Self.lowest(place(best - 1), place(best + 1)) { line(exp($0)).squares })
        let found = line(exponent)
        self.exponent = exponent
        limit = found.limit
        scale = found.scale * pow(unit, exponent)
        residual = (found.squares / Double(points.count)).squareRoot()
        range = low...high
    }

    /// The place of the lowest value between two places, by golden sections.
    private static func lowest(_ low: Double, _ high: Double, _ body: (Double) -> Double) -> Double
    {
        let ratio = (5.0.squareRoot() - 1) / 2
        var (low, high) = (low, high)
        var (a, b) = (high - ratio * (high - low), low + ratio * (high - low))
        var (atA, atB) = (body(a), body(b))
        for _ in 0..<100 {
            if atA < atB {
                (high, b, atB) = (b, a, atA)
                a = high - ratio * (high - low)
                atA = body(a)
            } else {
                (low, a, atA) = (a, b, atB)
                b = low + ratio * (high - low)
                atB = body(b)
            }
        }
        return (low + high) / 2
    }

    /// The value at an amount.
    public func value(at amount: Double) -> Double { limit + scale * pow(amount, -exponent) }

    /// The amount at which the law has a value; `nil` where that is outside of the amounts that it was fitted to.
    public func amount(of value: Double) -> Double? {
        let ratio = (value - limit) / scale
        guard ratio > 0 else { return nil }
        let amount = pow(ratio, -1 / exponent)
        // The ends themselves are inside, rounding aside.
        let slack = 1e-9
        guard amount >= range.lowerBound * (1 - slack), amount <= range.upperBound * (1 + slack)
        else {
            return nil
        }
        return amount
    }
}
