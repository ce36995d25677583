/// Mixtures ranked by proximity advantage, before anything is trained.
public struct Recommendation: Sendable {
    /// One mixture's place.
    public struct Line: Sendable {
        /// The specialised corpus.
        public let candidate: String
        /// Its weight.
        public let weight: Double
        /// The advantage of the mixture.
        public let proximity: ProximityAdvantage
        /// How far it falls short of the first, with its interval; `nil` for the first.
        public let behind: Interval?

        /// Whether the documents cannot tell it from the first.
        public var isTied: Bool { behind.map { !$0.excludesZero } ?? true }
    }

    /// The best first.
    public let lines: [Line]
    /// The general corpus' name.
    public let general: String
    /// The target's name.
    public let target: String
    /// What it rests on.
    public let similarity: Similarity

    /// Ranks every candidate at every weight, the rest general.
    ///
    /// - Throws: `InvalidValue` for no candidate or weight, a candidate that is the general corpus or the target, or a
    ///   weight outside of 0 ... 1; `Interrupted`.
    public init(
        _ similarity: Similarity, general: String, candidates: [String], target: String,
        weights: [Double], stop: ShouldStop = { false }
    ) throws {
        guard !candidates.isEmpty, !weights.isEmpty else {
            throw InvalidValue(
                "candidates, weights", expected: "at least one of each",
                found: "\(candidates.count) and \(weights.count)")
        }
        if let odd = candidates.first(where: { $0 == general || $0 == target }) {
            throw InvalidValue(
                "candidates", expected: "corpora other than the general one and the target",
                found: "\"\(odd)\"")
        }
        let pairs = candidates.flatMap { name in weights.map { (name, $0) } }
        let mixtures = try pairs.map { name, weight in
            guard weight > 0, weight <= 1 else {
                throw InvalidValue("weights", expected: "numbers above 0, to 1", found: weight)
            }
            return try Mixture([(general, 1 - weight), (name, weight)])
        }
        let found = try similarity.proximity(
            of: mixtures, general: Mixture(only: general), target: Mixture(only: target),
            stop: stop)
        let order = found.indices.sorted {
            let (a, b) = (found[$0].advantage.value, found[$1].advantage.value)
            return a != b ? a > b : $0 < $1
        }
        let best = order.first.map { found[$0] }
        lines = order.enumerated().map { rank, index in
            let proximity = found[index]
            var behind: Interval?
            if let best, rank > 0 {
                behind = Bootstrap.centred(
                    best.advantage.value - proximity.advantage.value,
                    zip(best.replicates, proximity.replicates).map { $0 - $1 })
            }
            return Line(
                candidate: pairs[index].0, weight: pairs[index].1, proximity: proximity,
                behind: behind)
        }
        self.general = general
        self.target = target
        self.similarity = similarity
    }
}
