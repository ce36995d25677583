import RuntimeData
import RuntimeSupport
import Synchronization

/// Bits a byte of one collection under a byte n-gram model of another.
///
/// Models are made of every other document and the rest is scored, so that a corpus under its own model is no exception.
package final class CrossEntropyEngine: SimilarityEngine {
    private let names: [String]
    private let order: Int
    private let counts: [ByteCounts]
    private let scored: [[[UInt8]]]
    /// Bits of every scored document, by model and corpus.
    private let known = Mutex<[Scores: [Double]]>([:])

    private struct Scores: Hashable {
        let model: Mixture
        let corpus: Int
    }

    /// Takes the texts of every corpus.
    ///
    /// - Throws: `InvalidValue` naming a corpus of fewer than two documents.
    init(_ corpora: [(name: String, texts: [[UInt8]])], order: Int) throws {
        for corpus in corpora where corpus.texts.count < 2 {
            throw InvalidValue(
                "corpus \"\(corpus.name)\"", expected: "at least two documents for cross-entropy",
                found: corpus.texts.count)
        }
        @Sendable func half(_ texts: [[UInt8]], _ remainder: Int) -> [[UInt8]] {
            texts.indices.filter { $0 % 2 == remainder }.map { texts[$0] }
        }
        names = corpora.map(\.name)
        self.order = order
        scored = corpora.map { half($0.texts, 1) }
        counts = try Parallel.map(corpora.count) {
            ByteCounts(half(corpora[$0].texts, 0), order: order)
        }
    }

    /// Only the documents that are scored are resampled, not those that models are made of.
    package func resampled(_ pair: SimilarityPair) -> Int {
        pair.first.parts.compactMap { part in
            names.firstIndex(of: part.name).map { scored[$0].count }
        }.min() ?? 0
    }

    package func values(_ pairs: [SimilarityPair], stop: ShouldStop) throws -> [Double] {
        try pairs.map { try value($0) { _ in nil } }
    }

    package func replicates(
        _ pairs: [SimilarityPair], _ numbers: Range<Int>, seed: UInt64, stop: ShouldStop
    ) throws -> [[Double]] {
        let streams = names.map { RandomStream(seed: seed, "documents of \($0)") }
        return try numbers.map { number in
            let drawn = scored.indices.map {
                Bootstrap.multiplicities(scored[$0].count, replicate: number, stream: streams[$0])
            }
            return try pairs.map { pair in try value(pair) { drawn[$0] } }
        }
    }

    private func value(
        _ pair: SimilarityPair, _ multiplicity: (Int) -> [Int32]?
    ) throws -> Double {
        var sum = 0.0
        for part in pair.first.parts {
            guard let corpus = names.firstIndex(of: part.name) else { continue }
            let bits = try bits(Scores(model: pair.second, corpus: corpus))
            let times = multiplicity(corpus)
            var (all, bytes) = (0.0, 0.0)
            for (document, text) in scored[corpus].enumerated() {
                let count = Double(times?[document] ?? 1)
                all += count * bits[document]
                bytes += count * Double(text.count)
            }
            sum += Double(part.millionths) / Double(Mixture.whole) * all / bytes
        }
        return sum
    }

    private func bits(_ scores: Scores) throws -> [Double] {
        if let bits = known.withLock({ $0[scores] }) { return bits }
        let model = NgramModel(
            scores.model.parts.compactMap { part in
                names.firstIndex(of: part.name).map {
                    (Double(part.millionths) / Double(Mixture.whole), counts[$0])
                }
            }, order: order)
        let texts = scored[scores.corpus]
        let bits = try Parallel.map(texts.count) { model.bits(texts[$0]) }
        known.withLock { $0[scores] = bits }
        return bits
    }
}
