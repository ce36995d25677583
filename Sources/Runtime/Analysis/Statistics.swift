import Foundation

/// A mean with what it rests on.
public struct Estimate: Hashable, Sendable {
    /// The mean.
    public let mean: Double
    /// Half the width of the interval, 95% unless another is asked for; `nil` when there are fewer than two values.
    public let halfWidth: Double?
    /// How many values.
    public let count: Int

    /// The mean of `values` with Student's t interval.
    ///
    /// - Parameter confidence: How often such intervals hold the mean of all; between 0 and 1.
    /// - Source: Student (1908), The probable error of a mean.
    public init(_ values: [Double], confidence: Double = 0.95) {
        count = values.count
        mean = values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
        guard values.count > 1 else {
            halfWidth = nil
            return
        }
        let center = mean
        let squares = values.reduce(0) { $0 + ($1 - center) * ($1 - center) }
        let deviation = (squares / Double(count - 1)).squareRoot()
        halfWidth =
            StudentT.quantile((1 + confidence) / 2, degrees: Double(count - 1)) * deviation
            / Double(count).squareRoot()
    }

    /// `mean ± half-width`, with the given number of decimals.
    public func text(decimals: Int = 4) -> String {
        let middle = String(format: "%.\(decimals)f", mean)
        guard let halfWidth else { return middle }
        return "\(middle) ±\(String(format: "%.\(decimals)f", halfWidth))"
    }
}

/// Student's t distribution.
public enum StudentT {
    /// P(T ≤ t) for `degrees` degrees of freedom.
    public static func cumulative(_ t: Double, degrees: Double) -> Double {
        let tail = 0.5 * incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5)
        return t > 0 ? 1 - tail : tail
    }

    /// The t with P(T ≤ t) = `probability`, for a probability in 0 ..< 1 (exclusive).
    public static func quantile(_ probability: Double, degrees: Double) -> Double {
        var (low, high) = (-1.0, 1.0)
        while cumulative(low, degrees: degrees) > probability { low *= 2 }
        while cumulative(high, degrees: degrees) < probability { high *= 2 }
        for _ in 0..<200 {
            let middle = (low + high) / 2
            if cumulative(middle, degrees: degrees) < probability {
                low = middle
            } else {
                high = middle
            }
        }
        return (low + high) / 2
    }

    /// The regularised incomplete beta function by its continued fraction (modified Lentz).
    ///
    /// - Source: Abramowitz and Stegun, 26.5.8.
    static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        // The fraction converges quickly on one side of the mean; use the symmetry on the other.
        if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
        let logBeta = lgamma(a) + lgamma(b) - lgamma(a + b)
        let front = exp(a * log(x) + b * log(1 - x) - logBeta) / a
        let tiny = 1e-300
        var (c, d) = (1.0, 1 - (a + b) * x / (a + 1))
        if abs(d) < tiny { d = tiny }
        d = 1 / d
        var result = d
        for index in 1...500 {
            let m = Double(index)
            let place = a + 2 * m
            let even = m * (b - m) * x / ((place - 1) * place)
            let odd = -(a + m) * (a + b + m) * x / (place * (place + 1))
            for numerator in [even, odd] {
                d = 1 + numerator * d
                if abs(d) < tiny { d = tiny }
                d = 1 / d
                c = 1 + numerator / c
                if abs(c) < tiny { c = tiny }
                result *= c * d
            }
            if abs(c * d - 1) < 1e-15 { break }
        }
        return front * result
    }
}
