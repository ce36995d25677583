import Foundation

/// Fisher's F distribution.
public enum FDistribution {
    /// P(F > f) for `first` and `second` degrees of freedom.
    public static func upper(_ f: Double, _ first: Double, _ second: Double) -> Double {
        guard f > 0 else { return 1 }
        return StudentT.incompleteBeta(second / (second + first * f), second / 2, first / 2)
    }

    /// The f with P(F ≤ f) = `probability`, a probability in 0 ..< 1.
    public static func quantile(_ probability: Double, _ first: Double, _ second: Double) -> Double
    {
        Bisection.rising(probability) { 1 - upper($0, first, second) }
    }
}

/// The χ² distribution.
public enum ChiSquared {
    /// P(χ² ≤ x) for `degrees` degrees of freedom.
    public static func cumulative(_ x: Double, degrees: Double) -> Double {
        incompleteGamma(degrees / 2, x / 2)
    }

    /// The x with P(χ² ≤ x) = `probability`, a probability in 0 ..< 1.
    public static func quantile(_ probability: Double, degrees: Double) -> Double {
        Bisection.rising(probability) { cumulative($0, degrees: degrees) }
    }

    /// The regularised lower incomplete gamma function: a series below a + 1, a continued fraction above.
    ///
    /// - Source: Abramowitz and Stegun, 6.5.29 and 6.5.31.
    static func incompleteGamma(_ a: Double, _ x: Double) -> Double {
        guard x > 0 else { return 0 }
        let front = exp(a * log(x) - x - lgamma(a))
        guard x >= a + 1 else {
            var (term, sum, place) = (1 / a, 1 / a, a)
            while abs(term) > 1e-17 * abs(sum) {
                place += 1
                term *= x / place
                sum += term
            }
            return front * sum
        }
        var b = x + 1 - a
        var (c, d) = (1e300, 1 / b)
        var result = d
        for index in 1...1000 {
            let step = Double(index)
            let numerator = -step * (step - a)
            b += 2
            d = 1 / (numerator * d + b)
            c = b + numerator / c
            result *= c * d
            if abs(c * d - 1) < 1e-15 { break }
        }
        return 1 - front * result
    }
}

/// The normal distribution.
public enum Normal {
    /// P(|Z| > |z|).
    public static func twoSided(_ z: Double) -> Double { erfc(abs(z) / 2.0.squareRoot()) }
}

enum Bisection {
    /// Where a rising function of the positive numbers reaches a value.
    static func rising(_ value: Double, _ function: (Double) -> Double) -> Double {
        var (low, high) = (0.0, 1.0)
        while function(high) < value, high < 1e300 { high *= 2 }
        for _ in 0..<200 {
            let middle = (low + high) / 2
            if function(middle) < value { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}
