import RuntimeData
import RuntimeSupport

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
        /// When it begins, as a part of training; `nil` when starts were not asked for.
        public let start: Double?
        /// The gain that finished studies predict, with the interval of a single point; `nil` without studies.
        public let predicted: Interval?

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
    /// What finished studies say; `nil` without them.
    public let model: GainModel?

    /// Ranks every candidate at every weight, the rest general: by advantage, or by predicted gain where finished studies
    /// tell starts apart.
    ///
    /// - Throws: `InvalidValue` for starts without a model that knows them, no candidate or weight, a candidate that is the general corpus or the target, or a
    ///   weight outside of 0 ... 1; `Interrupted`.
    public init(
        _ similarity: Similarity, general: String, candidates: [String], target: String,
        weights: [Double], model: GainModel? = nil, starts: [Double] = [],
        stop: ShouldStop = { false }
    ) throws {
        guard starts.isEmpty || model?.usesStart == true else {
            throw InvalidValue(
                "starts", expected: "none without results of studies with several starts",
                found: starts)
        }
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
        let times = starts.isEmpty ? [nil] : starts.map(Optional.some)
        let places = found.indices.flatMap { index in times.map { (index: index, start: $0) } }
        let predicted = places.map { place in
            model?.predict(
                advantage: found[place.index].advantage.value, rest: 1 - (place.start ?? 0))
        }
        func score(_ place: Int) -> Double {
            starts.isEmpty
                ? found[places[place].index].advantage.value : predicted[place]?.value ?? 0
        }
        let order = places.indices.sorted {
            let (a, b) = (score($0), score($1))
            return a != b ? a > b : $0 < $1
        }
        let best = order.first.map { found[places[$0].index] }
        lines = order.enumerated().map { rank, place in
            let index = places[place].index
            let proximity = found[index]
            var behind: Interval?
            if let best, rank > 0 {
                behind = Bootstrap.centred(
                    best.advantage.value - proximity.advantage.value,
                    zip(best.replicates, proximity.replicates).map { $0 - $1 })
            }
            return Line(
                candidate: pairs[index].0, weight: pairs[index].1, proximity: proximity,
                behind: behind, start: places[place].start, predicted: predicted[place])
        }
        self.model = model
        self.general = general
        self.target = target
        self.similarity = similarity
    }
}
