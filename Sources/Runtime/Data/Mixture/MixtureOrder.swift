/// The order in which the sources of a mixture give samples: exact counts, evenly spread.
///
/// After any number of samples `n`, each source has given its share of `n` to within less than one sample, and after
/// each period (1,000,000 over the greatest common divisor of the shares) exactly its share. Of the sources whose
/// share is ahead of what they gave by at least 1/(2k - 2), `k` sources, the one with the earliest deadline is next, the
/// first by name of equals: Tijdeman's rule (Discrete Mathematics 32, 1980, "The chairman assignment problem"), which
/// keeps the error below 1 - 1/(2k - 2). All in integers.
public struct MixtureOrder: Sendable {
    private let shares: [Int]
    private let total: Int
    private var given: [Int]
    private var samples = 0

    /// The order of `mixture` from its beginning.
    public init(_ mixture: Mixture) {
        let divisor = mixture.parts.reduce(0) { Self.divisor($0, $1.millionths) }
        shares = mixture.parts.map { $0.millionths / divisor }
        total = Mixture.whole / divisor
        given = Array(repeating: 0, count: shares.count)
    }

    /// After this many samples every count is exact and the order begins again.
    public var period: Int { total }

    /// The index in `Mixture.parts` of the source that gives the next sample.
    public mutating func next() -> Int {
        samples += 1
        let slack = 2 * shares.count - 2
        guard slack > 0 else { return 0 }
        var best = -1
        var bestDeadline = 0
        for (index, share) in shares.enumerated() {
            // In units of 1 / (total * slack): how far the source is behind.
            let behind = slack * (samples * share - given[index] * total)
            guard behind >= total else { continue }
            // The last time at which the next sample keeps the bound: ((given + 1) slack - 1) / slack * total / share.
            let deadline = (slack * given[index] + slack - 1) * total / (slack * share)
            if best < 0 || deadline < bestDeadline {
                best = index
                bestDeadline = deadline
            }
        }
        given[best] += 1
        if samples == total {
            samples = 0
            for index in given.indices { given[index] = 0 }
        }
        return best
    }

    private static func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
}

/// A mixture's order with direct access to any sample.
package struct MixtureSequence: Sendable {
    private let order: [UInt8]
    /// How many samples of each source precede every 1024th sample.
    private let marks: [[Int]]
    private let totals: [Int]
    private static let stride = 1024

    /// The order up to `samples` samples, or one period if that is shorter.
    package init(_ mixture: Mixture, samples: Int) throws {
        guard mixture.parts.count <= 256 else {
            throw MixtureError(
                "mixture", "expected at most 256 sources, got \(mixture.parts.count)")
        }
        var generator = MixtureOrder(mixture)
        var counts = [Int](repeating: 0, count: mixture.parts.count)
        var order: [UInt8] = []
        var marks: [[Int]] = []
        for index in 0..<min(samples, generator.period) {
            if index % Self.stride == 0 { marks.append(counts) }
            let source = generator.next()
            order.append(UInt8(source))
            counts[source] += 1
        }
        self.order = order
        self.marks = marks
        totals = counts
    }

    /// The source of sample `index`.
    package func source(_ index: Int) -> Int { Int(order[index % order.count]) }

    /// How many of the first `samples` samples each source gives.
    package func counts(_ samples: Int) -> [Int] {
        guard !order.isEmpty else { return totals }
        let (periods, rest) = samples.quotientAndRemainder(dividingBy: order.count)
        var counts = rest == 0 ? totals.map { _ in 0 } : marks[rest / Self.stride]
        for index in rest / Self.stride * Self.stride..<rest { counts[Int(order[index])] += 1 }
        return zip(counts, totals).map { $0 + periods * $1 }
    }
}
