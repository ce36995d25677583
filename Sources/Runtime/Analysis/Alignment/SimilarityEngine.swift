import RuntimeData
import RuntimeSupport

/// What a similarity asks of a metric: the values of pairs of mixtures, on all documents and on resampled ones.
package protocol SimilarityEngine: Sendable {
    /// The values of some pairs.
    func values(_ pairs: [SimilarityPair], stop: ShouldStop) throws -> [Double]

    /// The values of the pairs for some replicates, every corpus resampled once a replicate for all pairs.
    func replicates(
        _ pairs: [SimilarityPair], _ numbers: Range<Int>, seed: UInt64, stop: ShouldStop
    ) throws -> [[Double]]

    /// Documents that are resampled of the corpus of a pair that has fewest; one alone says nothing about the spread.
    func resampled(_ pair: SimilarityPair) -> Int
}

/// Two mixtures of the corpora to compare.
package struct SimilarityPair {
    /// The first: of cross-entropy, the text that is scored.
    package let first: Mixture
    /// The second: of cross-entropy, what the model is made of.
    package let second: Mixture

    package init(first: Mixture, second: Mixture) {
        self.first = first
        self.second = second
    }
}

/// Metrics of counted features.
package struct CountEngine: SimilarityEngine {
    /// What is measured.
    package let metric: SimilarityMetric
    /// The corpora's names in order.
    package let names: [String]
    /// For every length of n-grams, the number of features and the corpora's counts.
    let scales: [(size: Int, corpora: [FeatureCounts])]

    package func resampled(_ pair: SimilarityPair) -> Int {
        used([pair]).map { scales[0].corpora[$0].documents }.min() ?? 0
    }

    package func values(_ pairs: [SimilarityPair], stop: ShouldStop) throws -> [Double] {
        evaluate(pairs, try distributions(used(pairs)) { _ in nil })
    }

    package func replicates(
        _ pairs: [SimilarityPair], _ numbers: Range<Int>, seed: UInt64, stop: ShouldStop
    ) throws -> [[Double]] {
        let used = used(pairs)
        let streams = names.map { RandomStream(seed: seed, "documents of \($0)") }
        return try Parallel.map(numbers.count) { index in
            evaluate(
                pairs,
                try distributions(used) { corpus in
                    Bootstrap.multiplicities(
                        scales[0].corpora[corpus].documents,
                        replicate: numbers.lowerBound + index, stream: streams[corpus])
                })
        }
    }

    /// The three parts of a pair, of the first length.
    package func parts(_ pair: SimilarityPair) throws -> DistributionSimilarity.Parts {
        let known = try distributions(used([pair])) { _ in nil }
        return DistributionSimilarity.parts(
            blend(pair.first, known)[0], blend(pair.second, known)[0])
    }

    private func used(_ pairs: [SimilarityPair]) -> [Int] {
        let wanted = Set(pairs.flatMap { ($0.first.parts + $0.second.parts).map(\.name) })
        return names.indices.filter { wanted.contains(names[$0]) }
    }

    /// By corpus and length; empty for corpora that are not used.
    private func distributions(
        _ used: [Int], _ multiplicity: (Int) -> [Int32]?
    ) throws -> [[[Double]]] {
        var result = [[[Double]]](repeating: [], count: names.count)
        let times = used.map(multiplicity)
        let made = try Parallel.map(used.count) { index in
            scales.map {
                $0.corpora[used[index]].distribution(size: $0.size, multiplicity: times[index])
            }
        }
        for (corpus, distributions) in zip(used, made) { result[corpus] = distributions }
        return result
    }

    private func blend(_ mixture: Mixture, _ known: [[[Double]]]) -> [[Double]] {
        scales.indices.map { scale in
            DistributionSimilarity.blend(
                mixture.parts.compactMap { part in
                    names.firstIndex(of: part.name).map {
                        (Double(part.millionths) / Double(Mixture.whole), known[$0][scale])
                    }
                })
        }
    }

    private func evaluate(_ pairs: [SimilarityPair], _ known: [[[Double]]]) -> [Double] {
        var made: [Mixture: [[Double]]] = [:]
        for mixture in pairs.flatMap({ [$0.first, $0.second] }) where made[mixture] == nil {
            made[mixture] = blend(mixture, known)
        }
        return pairs.map { pair in
            DistributionSimilarity.value(metric, made[pair.first] ?? [], made[pair.second] ?? [])
        }
    }
}
