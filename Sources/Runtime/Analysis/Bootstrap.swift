import RuntimeSupport

/// Resampling with replacement: seeded, the same for any number of threads.
public enum Bootstrap {
    /// The indices that replicate number `replicate` draws from `0 ..< count`.
    public static func draw(_ count: Int, replicate: Int, stream: RandomStream) -> [Int] {
        let first = UInt64(replicate) &* UInt64(count)
        return (0..<count).map { stream.integer(first &+ UInt64($0), below: count) }
    }

    /// How often replicate number `replicate` draws each of `0 ..< count`.
    static func multiplicities(_ count: Int, replicate: Int, stream: RandomStream) -> [Int32] {
        var result = [Int32](repeating: 0, count: count)
        let first = UInt64(replicate) &* UInt64(count)
        for index in 0..<count {
            result[stream.integer(first &+ UInt64(index), below: count)] += 1
        }
        return result
    }

    /// The 2.5% and 97.5% quantiles of replicates.
    ///
    /// - Source: Efron and Tibshirani (1993), An introduction to the bootstrap, chapter 13.
    public static func percentile(_ value: Double, _ replicates: [Double]) -> Interval {
        let sorted = replicates.filter(\.isFinite).sorted()
        guard sorted.count > 1 else { return Interval(value) }
        return Interval(
            value, low: Samples.quantile(sorted, 0.025), high: Samples.quantile(sorted, 0.975))
    }

    /// The spread of replicates around their own mean, laid around the value.
    ///
    /// For statistics that depend on how many different units there are, such as the overlap of two vocabularies: a
    /// resample holds about 63% of the documents, so that all replicates lie to one side of the value.
    public static func centred(_ value: Double, _ replicates: [Double]) -> Interval {
        let sorted = replicates.filter(\.isFinite).sorted()
        guard sorted.count > 1 else { return Interval(value) }
        let shift = value - Samples.mean(sorted)
        return Interval(
            value, low: shift + Samples.quantile(sorted, 0.025),
            high: shift + Samples.quantile(sorted, 0.975))
    }

    /// The mean of some values with its percentile interval over resampled values.
    ///
    /// - Throws: `Interrupted`.
    public static func mean(
        _ values: [Double], replicates: Int = 2000, seed: UInt64 = 1,
        stop: ShouldStop = { false }
    ) throws -> Interval {
        guard values.count > 1 else { return Interval(Samples.mean(values)) }
        let stream = RandomStream(seed: seed, "bootstrap mean")
        let means = try (0..<replicates).map { replicate in
            if stop() { throw Interrupted("interrupted while resampling") }
            let drawn = draw(values.count, replicate: replicate, stream: stream)
            return drawn.reduce(0) { $0 + values[$1] } / Double(values.count)
        }
        return percentile(Samples.mean(values), means)
    }
}
