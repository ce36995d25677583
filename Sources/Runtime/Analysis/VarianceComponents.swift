import RuntimeSupport

/// How much of the spread of results comes from the seed of the trunk, and how much from that of finetuning.
///
/// Value = mean + trunk(i) + finetuning(i, j), both random.
public struct VarianceComponents: Sendable {
    /// The variance between trunks, finetuning's part taken out and not below 0; `nil` for fewer than two trunks.
    ///
    /// Without repeated finetuning nothing can be taken out: `isSeparated` is then false.
    public let trunk: Interval?
    /// The variance between finetunings of one trunk; `nil` when no trunk was finetuned twice.
    public let finetuning: Interval?
    /// How many trunks.
    public let trunks: Int
    /// How many values.
    public let count: Int
    /// The mean over trunks of their means.
    public let mean: Double

    /// Whether the two can be told apart.
    public var isSeparated: Bool { finetuning != nil }

    /// Takes the values of every trunk.
    ///
    /// Means of trunks count alike, whatever the number of their finetunings. The interval of finetuning is exact for
    /// normal values; that of the trunk is Williams' and Tukey's, which covers at least about 95%.
    ///
    /// - Throws: `InvalidValue` when there is no value.
    /// - Source: Burdick and Graybill (1992), Confidence intervals on variance components, sections 3.3 and 4.3.
    public init(_ groups: [[Double]]) throws {
        let groups = groups.filter { !$0.isEmpty }
        guard !groups.isEmpty else {
            throw InvalidValue("values", expected: "at least one", found: "none")
        }
        let means = groups.map(Samples.mean)
        let center = Samples.mean(means)
        mean = center
        trunks = groups.count
        count = groups.reduce(0) { $0 + $1.count }
        let within = zip(groups, means).reduce(0) { sum, item in
            sum + item.0.reduce(0) { $0 + ($1 - item.1) * ($1 - item.1) }
        }
        let inner = Double(count - trunks)
        let outer = Double(trunks - 1)
        let meanWithin = inner > 0 ? within / inner : 0
        finetuning = inner > 0 ? Self.exact(within, inner) : nil
        guard trunks > 1 else {
            trunk = nil
            return
        }
        let spread = means.reduce(0) { $0 + ($1 - center) * ($1 - center) }
        guard inner > 0, meanWithin > 0 else {
            trunk = Self.exact(spread, outer)
            return
        }
        let size = Double(trunks) / groups.reduce(0) { $0 + 1 / Double($1.count) }
        let between = size * spread / outer
        let ratio = between / meanWithin
        let limit = { (probability: Double) -> Double in
            let f = FDistribution.quantile(probability, outer, inner)
            let chi = ChiSquared.quantile(probability, degrees: outer)
            return max(0, outer * between * (1 - f / ratio) / (size * chi))
        }
        trunk =
            ratio > 0
            ? Interval(max(0, (between - meanWithin) / size), low: limit(0.975), high: limit(0.025))
            : Interval(0)
    }

    /// A variance from a sum of squares, with its χ² interval.
    private static func exact(_ sum: Double, _ degrees: Double) -> Interval {
        Interval(
            sum / degrees, low: sum / ChiSquared.quantile(0.975, degrees: degrees),
            high: sum / ChiSquared.quantile(0.025, degrees: degrees))
    }
}
