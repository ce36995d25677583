import RuntimeData
import RuntimeSupport

/// How much closer a mixture is to a target than the general corpus alone.
public struct ProximityAdvantage: Sendable {
    /// The mixture.
    public let mixture: Mixture
    /// sim(mixture, target) − sim(general, target), with its interval; of cross-entropy, the bits a byte saved.
    public let advantage: Interval
    /// The metric's value for mixture and target.
    public let mixed: Double
    /// The metric's value for the general corpus and the target.
    public let general: Double
    /// The differences of every resample, for comparisons of two advantages.
    package let replicates: [Double]
}

extension Similarity {
    /// The proximity advantage of some mixtures; positive means closer to the target.
    ///
    /// Both similarities of a resample see the same documents, so that the interval is that of their difference.
    ///
    /// - Throws: `MixtureError` for a corpus that is not known; `Interrupted`.
    /// - Source: arXiv 2510.14865, section on proximity advantage.
    public func proximity(
        of mixtures: [Mixture], general: Mixture, target: Mixture, stop: ShouldStop = { false }
    ) throws -> [ProximityAdvantage] {
        let pairs = ([general] + mixtures).map { SimilarityPair(first: target, second: $0) }
        let (values, replicates) = try evaluate(pairs, stop: stop)
        let sign = settings.metric.isDistance ? -1.0 : 1.0
        return mixtures.indices.map { index in
            let differences = replicates.map { sign * ($0[index + 1] - $0[0]) }
            return ProximityAdvantage(
                mixture: mixtures[index],
                advantage: Bootstrap.centred(sign * (values[index + 1] - values[0]), differences),
                mixed: values[index + 1], general: values[0], replicates: differences)
        }
    }
}
