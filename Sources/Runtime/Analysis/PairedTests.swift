import Foundation
import RuntimeSupport

/// Exact tests of paired differences against 0, two-sided.
public enum PairedTests {
    /// The sign test: how likely signs at least as one-sided are under a fair coin; differences of 0 do not count.
    ///
    /// - Returns: The p value; 1 when no difference is left.
    /// - Source: Conover (1999), Practical nonparametric statistics, section 3.4.
    public static func sign(_ differences: [Double]) -> Double {
        let positive = differences.count { $0 > 0 }
        let negative = differences.count { $0 < 0 }
        let count = positive + negative
        guard count > 0 else { return 1 }
        var tail = 0.0
        let all = lgamma(Double(count) + 1) - Double(count) * log(2.0)
        for index in 0...min(positive, negative) {
            let ways: Double = lgamma(Double(index) + 1) + lgamma(Double(count - index) + 1)
            tail += exp(all - ways)
        }
        return min(1, 2 * tail)
    }

    /// Up to this many pairs every assignment of signs is counted.
    public static let exactLimit = 20

    /// Random assignments of signs beyond `exactLimit` pairs.
    public static let draws = 100_000

    /// The permutation test of the mean: how often random signs give a mean at least as far from 0.
    ///
    /// Exact up to 20 pairs; beyond, from 100,000 seeded draws, the data counted among them.
    ///
    /// - Throws: `Interrupted`.
    /// - Source: Fisher (1935), The design of experiments, section 21; Phipson and Smyth (2010) for the draws.
    public static func permutation(
        _ differences: [Double], seed: UInt64 = 1, stop: ShouldStop = { false }
    ) throws -> Double {
        guard !differences.isEmpty else { return 1 }
        let observed = abs(differences.reduce(0, +))
        // Sums that differ by rounding only are equal.
        let slack = 1e-12 * differences.reduce(0) { $0 + abs($1) }
        let count = differences.count
        guard count <= exactLimit else {
            let stream = RandomStream(seed: seed, "permutation")
            var extreme = 1
            let words = (count + 63) / 64
            for draw in 0..<draws {
                if stop() { throw Interrupted("interrupted while drawing signs") }
                var sum = 0.0
                var bits: UInt64 = 0
                for index in 0..<count {
                    if index % 64 == 0 { bits = stream.bits(UInt64(draw * words + index / 64)) }
                    sum += bits & 1 == 0 ? differences[index] : -differences[index]
                    bits >>= 1
                }
                if abs(sum) >= observed - slack { extreme += 1 }
            }
            return Double(extreme) / Double(draws + 1)
        }
        // The overall sign is symmetric: the last difference keeps its own.
        var extreme = 0
        let total = 1 << (count - 1)
        for pattern in 0..<total {
            var sum = differences[count - 1]
            for index in 0..<(count - 1) {
                sum += pattern >> index & 1 == 0 ? differences[index] : -differences[index]
            }
            if abs(sum) >= observed - slack { extreme += 1 }
        }
        return Double(extreme) / Double(total)
    }

    /// The smallest p value that the permutation test can give for `count` pairs: 2^(1 − count).
    public static func floor(_ count: Int) -> Double {
        count == 0 ? 1 : count <= exactLimit ? exp2(Double(1 - count)) : 1 / Double(draws + 1)
    }

    /// Holm's correction: p values such that rejecting those below α makes any false rejection at most α likely.
    ///
    /// - Source: Holm (1979), A simple sequentially rejective multiple test procedure.
    public static func holm(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted {
            values[$0] != values[$1] ? values[$0] < values[$1] : $0 < $1
        }
        var result = values
        var largest = 0.0
        for (rank, index) in order.enumerated() {
            largest = max(largest, min(1, values[index] * Double(values.count - rank)))
            result[index] = largest
        }
        return result
    }
}
