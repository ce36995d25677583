import RuntimeData
import RuntimeEvaluation
import RuntimeModel
import RuntimeStore
import RuntimeSupport

/// How alike some corpora are, before anything is trained: their documents, counted once.
public final class Similarity: Sendable {
    /// What was read of a corpus.
    public struct Sample: Sendable {
        /// The corpus' name.
        public let name: String
        /// Documents counted.
        public let documents: Int
        /// Bytes of their beginnings.
        public let bytes: Int
    }

    /// The corpora in order.
    public let samples: [Sample]
    /// How it was measured.
    public let settings: SimilaritySettings
    /// The lengths of n-grams in force.
    public let lengths: [Int]
    package let engine: any SimilarityEngine

    /// The corpora's names in order.
    public var names: [String] { samples.map(\.name) }

    /// A model to take gradients of, and the store of its tokens.
    public struct Probe {
        package let model: any LanguageModel
        package let tokenizer: Tokenizer
        package let store: Store

        /// A probe.
        public init(model: any LanguageModel, tokenizer: Tokenizer, store: Store) {
            (self.model, self.tokenizer, self.store) = (model, tokenizer, store)
        }
    }

    /// Blocks of windows or examples that stand for a corpus when gradients are compared.
    static let gradientBlocks = 8

    /// Reads and counts the documents; of the metric `gradient`, takes the gradients of the probe's loss on the first
    /// `documents` windows or examples.
    ///
    /// - Throws: `InvalidValue` for settings that do not go together, fewer than two corpora or a name given twice;
    ///   whatever reading throws; `Interrupted`.
    public init(
        _ corpora: [Corpus], _ settings: SimilaritySettings, probe: Probe? = nil,
        progress: ProgressHandler? = nil, stop: @escaping ShouldStop = { false }
    ) throws {
        let lengths = try settings.checkedLengths()
        let names = corpora.map(\.name)
        guard names.count > 1, Set(names).count == names.count else {
            throw InvalidValue(
                "corpora", expected: "at least two, of different names",
                found: names.isEmpty ? "none" : names.joined(separator: ", "))
        }
        guard (settings.metric == .gradient) == (probe != nil) else {
            throw InvalidValue(
                "network",
                expected: settings.metric == .gradient
                    ? "one, to take gradients of" : "none, as only the metric \"gradient\" uses it",
                found: probe == nil ? "none" : "one")
        }
        if let probe {
            let blocks = try GradientBlocks(
                probe.model, probe.tokenizer,
                corpora.map {
                    EvaluationSet($0, settings.split, limit: settings.documents)
                }, blocks: Self.gradientBlocks, store: probe.store, progress: progress, stop: stop)
            engine = GradientEngine(names: names, blocks: blocks)
            self.samples = names.indices.map { index in
                let own = blocks.blocks.filter { $0.corpus == index }
                return Sample(
                    name: names[index], documents: own.count,
                    bytes: own.reduce(0) { $0 + $1.bytes })
            }
            self.settings = settings
            self.lengths = lengths
            return
        }
        var samples: [Sample] = []
        var texts: [(name: String, texts: [[UInt8]])] = []
        var keys: [[[KeyCounts]]] = lengths.map { _ in [] }
        for (index, corpus) in corpora.enumerated() {
            progress?(
                WorkProgress(
                    "counting \(corpus.name)", done: index, total: corpora.count, unit: "corpora"))
            let counts = settings.metric != .crossEntropy && settings.metric != .compression
            var (documents, bytes) = (0, 0)
            var whole: [[UInt8]] = []
            var counted: [[KeyCounts]] = lengths.map { _ in [] }
            try DocumentSample.forEachBatch(corpus, settings, stop: stop) { batch in
                documents += batch.count
                bytes += batch.reduce(0) { $0 + $1.count }
                if counts {
                    for (scale, length) in lengths.enumerated() {
                        counted[scale] += try Self.count(batch, length, settings)
                    }
                } else {
                    whole += batch
                }
                if stop() { throw Interrupted("interrupted while counting \(corpus.name)") }
            }
            samples.append(Sample(name: corpus.name, documents: documents, bytes: bytes))
            if counts {
                for scale in lengths.indices { keys[scale].append(counted[scale]) }
            } else {
                texts.append((corpus.name, whole))
            }
        }
        if settings.metric == .crossEntropy {
            engine = try CrossEntropyEngine(texts, order: lengths[0])
        } else if settings.metric == .compression {
            engine = CompressionEngine(names: names, texts: texts.map(\.texts))
        } else {
            let most = settings.metric.needsTokenizer ? settings.vocabulary : nil
            engine = CountEngine(
                metric: settings.metric, names: names,
                scales: try keys.map { try FeatureCounts.number($0, most: most) })
        }
        self.samples = samples
        self.settings = settings
        self.lengths = lengths
    }

    private static func count(
        _ texts: [[UInt8]], _ length: Int, _ settings: SimilaritySettings
    ) throws -> [KeyCounts] {
        try Parallel.map(texts.count) { index in
            var keys: [UInt64] = []
            switch settings.metric {
            case .words: Ngrams.words(texts[index], length: length, into: &keys)
            case .characters, .charactersJensenShannon:
                Ngrams.characters(texts[index], length: length, into: &keys)
            default:
                let ids = settings.tokenizer?.encode(texts[index]) ?? []
                keys = ids.prefix(settings.tokens).map { UInt64(UInt32(bitPattern: $0)) }
            }
            return KeyCounts(keys)
        }
    }

    /// The value of a pair of mixtures with its interval over resampled documents.
    ///
    /// Of cross-entropy, `first` is scored under a model of `second`.
    ///
    /// - Throws: `MixtureError` for a corpus that is not known; `Interrupted`.
    public func value(
        _ first: Mixture, _ second: Mixture, stop: ShouldStop = { false }
    ) throws -> Interval {
        let pair = SimilarityPair(first: first, second: second)
        return try intervals([pair], stop: stop)[0]
    }

    /// Every corpus with every other: row by row, the interval of each value.
    public func matrix(stop: ShouldStop = { false }) throws -> [[Interval]] {
        let pairs = names.flatMap { first in
            names.map {
                SimilarityPair(first: Mixture(only: first), second: Mixture(only: $0))
            }
        }
        let values = try intervals(pairs, stop: stop)
        return names.indices.map { row in
            Array(values[row * names.count..<(row + 1) * names.count])
        }
    }

    /// Cosine, Jaccard and Jensen–Shannon divergence (nats) of a pair, for metrics that count.
    ///
    /// - Throws: `InvalidValue` for cross-entropy; `MixtureError` for a corpus that is not known.
    public func parts(
        _ first: Mixture, _ second: Mixture
    ) throws -> (cosine: Double, jaccard: Double, divergence: Double) {
        guard let engine = engine as? CountEngine else {
            throw InvalidValue(
                "metric", expected: "one that counts features",
                found: "\"\(settings.metric.rawValue)\"")
        }
        try check([SimilarityPair(first: first, second: second)])
        let parts = try engine.parts(SimilarityPair(first: first, second: second))
        return (parts.cosine, parts.jaccard, parts.divergence)
    }

    package func check(_ pairs: [SimilarityPair]) throws {
        for pair in pairs {
            try pair.first.check(against: names)
            try pair.second.check(against: names)
        }
    }

    /// Values and replicates of some pairs, the same resamples for all of them; replicates are NaN where a corpus has a
    /// single document, so that there is no interval.
    package func evaluate(
        _ pairs: [SimilarityPair], stop: ShouldStop
    ) throws -> (values: [Double], replicates: [[Double]]) {
        try check(pairs)
        let values = try engine.values(pairs, stop: stop)
        let hasSpread = pairs.map { engine.resampled($0) > 1 }
        var replicates: [[Double]] = []
        let block = settings.metric == .compression ? 1 : 16
        for start in stride(from: 0, to: settings.bootstrap, by: block) {
            if stop() { throw Interrupted("interrupted while resampling documents") }
            replicates += try engine.replicates(
                pairs, start..<min(settings.bootstrap, start + block), seed: settings.seed,
                stop: stop
            ).map { zip($0, hasSpread).map { $1 ? $0 : .nan } }
        }
        return (values, replicates)
    }

    private func intervals(_ pairs: [SimilarityPair], stop: ShouldStop) throws -> [Interval] {
        let (values, replicates) = try evaluate(pairs, stop: stop)
        return values.indices.map { index in
            Bootstrap.centred(values[index], replicates.map { $0[index] })
        }
    }
}
