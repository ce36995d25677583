import Foundation

/// How alike two distributions over the same features are; all of these are symmetric.
package enum DistributionSimilarity {
    /// The three parts of the paper's token metric.
    package struct Parts {
        /// The cosine of the angle between the two, from 0 to 1.
        package var cosine: Double
        /// Features of both over features of either.
        package var jaccard: Double
        /// The Jensen–Shannon divergence in nats, from 0 to ln 2.
        package var divergence: Double

        /// 1 / (1 + JSD).
        var closeness: Double { 1 / (1 + divergence) }

        /// 0.4 · cosine + 0.3 · Jaccard + 0.3 / (1 + JSD).
        ///
        /// - Source: arXiv 2510.14865, appendix on domain similarity.
        package var combined: Double { 0.4 * cosine + 0.3 * jaccard + 0.3 * closeness }
    }

    /// The parts for two distributions, each summing to 1.
    ///
    /// - Source: Lin (1991), Divergence measures based on the Shannon entropy.
    package static func parts(_ p: [Double], _ q: [Double]) -> Parts {
        var (pp, qq, pq, divergence) = (0.0, 0.0, 0.0, 0.0)
        var (both, either) = (0, 0)
        for (a, b) in zip(p, q) {
            pp += a * a
            qq += b * b
            pq += a * b
            if a > 0 || b > 0 { either += 1 }
            if a > 0 && b > 0 { both += 1 }
            let middle = (a + b) / 2
            // One sum of both sides, so that exchanging them gives the same bits.
            divergence +=
                (a > 0 ? a / 2 * log(a / middle) : 0) + (b > 0 ? b / 2 * log(b / middle) : 0)
        }
        // Rounding may go a hair beyond the bounds.
        return Parts(
            cosine: pp > 0 && qq > 0 ? min(1, pq / (pp * qq).squareRoot()) : 0,
            jaccard: either > 0 ? Double(both) / Double(either) : 0,
            divergence: max(0, min(log(2), divergence)))
    }

    /// The value of a metric, given a distribution for every length of n-grams.
    package static func value(_ metric: SimilarityMetric, _ p: [[Double]], _ q: [[Double]])
        -> Double
    {
        let scales = zip(p, q).map { parts($0, $1) }
        guard let first = scales.first else { return .nan }
        switch metric {
        case .tokens: return first.combined
        case .tokenJaccard: return first.jaccard
        case .tokenJensenShannon: return first.closeness
        case .charactersJensenShannon:
            return Samples.mean(scales.map { 1 - $0.divergence / log(2) })
        case .tokenCosine, .words, .characters: return first.cosine
        case .crossEntropy, .compression, .gradient: return .nan
        }
    }

    /// Distributions added with the weights of a mixture: exact, as nothing is drawn.
    package static func blend(_ parts: [(weight: Double, distribution: [Double])]) -> [Double] {
        guard let first = parts.first else { return [] }
        guard parts.count > 1 || first.weight != 1 else { return first.distribution }
        var sum = [Double](repeating: 0, count: first.distribution.count)
        for part in parts {
            for index in sum.indices { sum[index] += part.weight * part.distribution[index] }
        }
        return sum
    }
}
