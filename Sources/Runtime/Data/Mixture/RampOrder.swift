import RuntimeSupport

/// The order in which the sources of a ramp give samples, with direct access to any step.
///
/// After any number of samples each source has given the sum of its shares so far to within less than one sample: the rule
/// of `MixtureOrder`, which Tijdeman states for shares that change at will. All in integers.
struct RampOrder: Sendable {
    private let count: Int
    private let batch: Int
    private let steps: Int
    /// Shares of all samples before a step, in millionths, `count` for each step and the end.
    private let due: [Int]
    /// Samples given before a step, likewise.
    private let given: [Int]

    /// The order of `steps` steps of `batch` samples.
    ///
    /// - Throws: `MixtureError` for more samples than the rule can count; `ResourceError` when memory cannot hold the counts.
    init(_ ramp: MixtureRamp, batch: Int, steps: Int) throws {
        count = ramp.parts.count
        self.batch = batch
        self.steps = steps
        guard Int.saturatingProduct(batch, steps) <= 1 << 33 else {
            throw MixtureError(
                "mixture",
                "a ramp over \(steps) steps of \(batch) sequences is too long: at most 2^33 sequences expected"
            )
        }
        try Memory.require(
            [("counts of \(steps) steps", Int.saturatingProduct(16, steps + 1, count))],
            for: "a ramp of \(steps) steps")
        var due = [Int](repeating: 0, count: count)
        due.reserveCapacity((steps + 1) * count)
        for step in 0..<steps {
            for (source, share) in ramp.shares(step).enumerated() {
                due.append(due[step * count + source] + batch * share)
            }
        }
        self.due = due
        guard steps > 0 else {
            given = due
            return
        }
        var given = [Int](repeating: 0, count: count)
        var all = given
        all.reserveCapacity((steps + 1) * count)
        for step in 0..<steps {
            Self.forEachSample(step, batch, steps, count, due, &given) { _ in }
            all += given
        }
        self.given = all
    }

    /// How many samples each source gives before a step, or in all.
    func counts(_ step: Int) -> [Int] { Array(given[step * count..<(step + 1) * count]) }

    /// The sources of the samples of a step, in order.
    func sources(_ step: Int) -> [Int] {
        var counts = counts(step)
        var result: [Int] = []
        result.reserveCapacity(batch)
        Self.forEachSample(step, batch, steps, count, due, &counts) { result.append($0) }
        return result
    }

    /// The share of a source in a step, from 0 to 1.
    func share(_ source: Int, _ step: Int) -> Double {
        Double(due[(step + 1) * count + source] - due[step * count + source])
            / Double(Mixture.whole * batch)
    }

    private static func forEachSample(
        _ step: Int, _ batch: Int, _ steps: Int, _ count: Int, _ due: [Int], _ given: inout [Int],
        _ body: (Int) -> Void
    ) {
        let slack = 2 * count - 2
        guard slack > 0 else {
            for _ in 0..<batch { body(0) }
            given[0] += batch
            return
        }
        let whole = Mixture.whole
        let shares = (0..<count).map {
            (due[(step + 1) * count + $0] - due[step * count + $0]) / batch
        }
        /// The last number of samples at which a source that gives none keeps the bound.
        func deadline(_ source: Int) -> Int {
            let limit = (slack * given[source] + slack - 1) * whole / slack
            var (low, high) = (step, steps)
            // The last step before which no more than the limit is due.
            while low < high {
                let middle = (low + high + 1) / 2
                if due[middle * count + source] <= limit { low = middle } else { high = middle - 1 }
            }
            guard low < steps else { return .max }
            let before = due[low * count + source]
            let share = (due[(low + 1) * count + source] - before) / batch
            // Something is due within this step, or the next would have been found.
            return low * batch + (limit - before) / share
        }
        var deadlines = (0..<count).map(deadline)
        for sample in 1...batch {
            var best = -1
            for source in 0..<count {
                let dueNow = due[step * count + source] + sample * shares[source]
                guard slack * (dueNow - given[source] * whole) >= whole else { continue }
                if best < 0 || deadlines[source] < deadlines[best] { best = source }
            }
            body(best)
            given[best] += 1
            deadlines[best] = deadline(best)
        }
    }
}
