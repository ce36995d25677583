import Foundation
import RuntimeSupport

/// What paired differences say: how large, how sure, against what noise.
public struct PairedComparison: Sendable {
    /// The differences, in the order of their pairs.
    public let differences: [Double]
    /// Mean, Student's interval and count.
    public let estimate: Estimate
    /// The mean with the percentile interval of 2000 resamples of the pairs.
    public let bootstrap: Interval
    /// p of the exact sign test.
    public let signP: Double
    /// p of the permutation test of the mean.
    public let permutationP: Double
    /// The standard deviation of the reference over its seeds: what a change of seed alone does; `nil` for fewer than
    /// two.
    public let noise: Double?

    /// Compares pair by pair.
    ///
    /// - Parameters:
    ///   - differences: Treatment minus reference.
    ///   - reference: The values of the reference, for the noise floor.
    ///   - confidence: Of Student's interval.
    /// - Throws: `Interrupted`.
    public init(
        differences: [Double], reference: [Double], seed: UInt64 = 1, confidence: Double = 0.95,
        stop: ShouldStop = { false }
    ) throws {
        self.differences = differences
        estimate = Estimate(differences, confidence: confidence)
        bootstrap = try Bootstrap.mean(differences, seed: seed, stop: stop)
        signP = PairedTests.sign(differences)
        permutationP = try PairedTests.permutation(differences, seed: seed, stop: stop)
        noise = reference.count > 1 ? Samples.deviation(reference) : nil
    }

    /// The mean difference in multiples of the noise floor; `nil` without one.
    public var effect: Double? {
        guard let noise, noise > 0, !differences.isEmpty else { return nil }
        return estimate.mean / noise
    }
}
