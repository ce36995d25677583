import Foundation
import RuntimeSupport

/// A linear model with a random intercept for every group, by restricted maximum likelihood.
///
/// y = columns · β + u(group) + e, with u and e normal. Targets of finetuning differ in how much anything helps them; the
/// intercepts take that up, so that the slope says what happens within targets.
public struct MixedModel: Sendable {
    /// β, one for each column, with Wald's interval (normal, so too narrow for few groups).
    public let coefficients: [Interval]
    /// Standard errors of β.
    public let errors: [Double]
    /// p of β = 0 by the normal distribution.
    public let p: [Double]
    /// The variance of the intercepts.
    public let groupVariance: Double
    /// The variance of what is left.
    public let residualVariance: Double
    /// The restricted log-likelihood.
    public let logLikelihood: Double
    /// How many groups.
    public let groups: Int
    /// How many points.
    public let count: Int

    /// Fits the model.
    ///
    /// - Throws: `InvalidValue` for lists of different lengths, fewer than two groups, as many columns as points, columns
    ///   that follow from others, or an exact fit, of which no variance is left; `Interrupted`.
    /// - Source: Patterson and Thompson (1971), Recovery of inter-block information when block sizes are unequal.
    public init(
        _ y: [Double], _ columns: [[Double]], groups: [String], stop: ShouldStop = { false }
    ) throws {
        let names = Set(groups)
        guard y.count == groups.count, columns.allSatisfy({ $0.count == y.count }) else {
            throw InvalidValue(
                "points", expected: "as many values in every list", found: "other counts")
        }
        guard (columns.flatMap { $0 } + y).allSatisfy(\.isFinite) else {
            throw InvalidValue("points", expected: "finite numbers", found: "one that is not")
        }
        guard names.count > 1 else {
            throw InvalidValue("groups", expected: "at least two", found: names.count)
        }
        let plain = LeastSquares(columns, y)
        guard plain.rank == columns.count, y.count > columns.count else {
            throw InvalidValue(
                "columns", expected: "independent ones, fewer than points",
                found: "\(columns.count) of rank \(plain.rank), \(y.count) points")
        }
        let size = y.reduce(0) { $0 + $1 * $1 }
        guard plain.sum > 1e-24 * size else {
            throw InvalidValue(
                "y", expected: "values that the columns do not give exactly", found: "an exact fit")
        }
        let order = names.sorted()
        let places = Dictionary(grouping: groups.indices) { groups[$0] }
        let members = order.map { places[$0] ?? [] }
        func fit(_ share: Double) throws -> Fit {
            if stop() { throw Interrupted("interrupted while fitting a mixed model") }
            return Fit(y, columns, members, ratio: share / (1 - share))
        }
        // The share of the variance that lies between groups: a coarse look, then a golden section.
        let steps = 400
        let last = 1 - 1e-6
        let grid = (0..<steps).map { last * Double($0) / Double(steps - 1) }
        let values = try grid.map { try fit($0).logLikelihood }
        var best = 0
        for index in values.indices where values[index] > values[best] { best = index }
        var (low, high) = (grid[max(0, best - 1)], grid[min(steps - 1, best + 1)])
        let golden = (5.0.squareRoot() - 1) / 2
        for _ in 0..<100 {
            let left = high - golden * (high - low)
            let right = low + golden * (high - low)
            if try fit(left).logLikelihood >= fit(right).logLikelihood {
                high = right
            } else {
                low = left
            }
        }
        var found = try fit((low + high) / 2)
        // At the boundary nothing is left between groups.
        let none = try fit(0)
        if none.logLikelihood >= found.logLikelihood { found = none }
        let errors = found.covariance.map { $0.squareRoot() }
        coefficients = zip(found.beta, errors).map {
            Interval($0, low: $0 - 1.959963984540054 * $1, high: $0 + 1.959963984540054 * $1)
        }
        p = zip(found.beta, errors).map { Normal.twoSided($0 / $1) }
        self.errors = errors
        groupVariance = found.ratio * found.scale
        residualVariance = found.scale
        logLikelihood = found.logLikelihood
        self.groups = order.count
        count = y.count
    }

    /// The best coefficients for one ratio of the variances.
    private struct Fit {
        let ratio: Double
        let beta: [Double]
        /// Variances of the coefficients.
        let covariance: [Double]
        let scale: Double
        let logLikelihood: Double

        init(_ y: [Double], _ columns: [[Double]], _ members: [[Int]], ratio: Double) {
            let width = columns.count
            var square = [[Double]](repeating: Array(repeating: 0, count: width), count: width)
            var side = [Double](repeating: 0, count: width)
            var determinant = 0.0
            for group in members {
                let count = Double(group.count)
                let pull = ratio / (1 + count * ratio)
                determinant += log1p(count * ratio)
                let sums = columns.map { column in group.reduce(0) { $0 + column[$1] } }
                let total = group.reduce(0) { $0 + y[$1] }
                for a in 0..<width {
                    side[a] +=
                        group.reduce(0) { $0 + columns[a][$1] * y[$1] } - pull * sums[a] * total
                    for b in 0..<width {
                        square[a][b] +=
                            group.reduce(0) { $0 + columns[a][$1] * columns[b][$1] }
                            - pull * sums[a] * sums[b]
                    }
                }
            }
            let (inverse, logDeterminant) = Self.inverse(square)
            let beta = inverse.map { row in zip(row, side).reduce(0) { $0 + $1.0 * $1.1 } }
            var rest = 0.0
            for group in members {
                let pull = ratio / (1 + Double(group.count) * ratio)
                var (sum, squares) = (0.0, 0.0)
                for index in group {
                    let error =
                        y[index] - (0..<width).reduce(0) { $0 + beta[$1] * columns[$1][index] }
                    sum += error
                    squares += error * error
                }
                rest += squares - pull * sum * sum
            }
            let degrees = Double(y.count - width)
            let scale = rest / degrees
            self.ratio = ratio
            self.beta = beta
            self.scale = scale
            covariance = (0..<width).map { scale * inverse[$0][$0] }
            logLikelihood =
                -0.5 * (degrees * (log(2 * .pi * scale) + 1) + determinant + logDeterminant)
        }

        /// The inverse of a positive definite matrix and the logarithm of its determinant.
        private static func inverse(_ matrix: [[Double]]) -> ([[Double]], Double) {
            let size = matrix.count
            var rows = matrix.indices.map { row in
                matrix[row] + (0..<size).map { $0 == row ? 1.0 : 0.0 }
            }
            var logarithm = 0.0
            for pivot in 0..<size {
                let value = rows[pivot][pivot]
                logarithm += log(abs(value))
                rows[pivot] = rows[pivot].map { $0 / value }
                for row in 0..<size where row != pivot {
                    let factor = rows[row][pivot]
                    for column in rows[row].indices {
                        rows[row][column] -= factor * rows[pivot][column]
                    }
                }
            }
            return (rows.map { Array($0[size...]) }, logarithm)
        }
    }
}
