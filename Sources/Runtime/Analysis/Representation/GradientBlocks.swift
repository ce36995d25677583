import RuntimeData
import RuntimeEvaluation
import RuntimeModel
import RuntimeNumerics
import RuntimeStore
import RuntimeSupport

/// Gradients of a model's loss on some corpora, each in blocks of windows or examples, as their products with each other:
/// all that cosines of any weighting need.
package struct GradientBlocks: Sendable {
    /// One block of one corpus.
    package struct Block: Sendable {
        package let corpus: Int
        package let loss: LossSum
        package let bytes: Int
    }

    /// `embedding`, `1` …, `head`, `all`.
    package let layers: [String]
    /// The blocks, corpus by corpus.
    package let blocks: [Block]
    /// How many corpora.
    package let corpora: Int
    /// By layer: products of the blocks' gradients of summed loss, row by row.
    private let products: [[Double]]

    /// Takes gradients; finetuning sets count their responses only, as in training.
    ///
    /// - Parameter count: Blocks of a corpus at most; every block is a gradient held in memory.
    /// - Throws: `ResourceError` when the gradients do not fit into memory; errors of reading and of the model;
    ///   `Interrupted`.
    package init(
        _ model: any LanguageModel, _ tokenizer: Tokenizer, _ sets: [EvaluationSet],
        blocks count: Int,
        store: Store, progress: ProgressHandler? = nil, stop: @escaping ShouldStop
    ) throws {
        // Gradients accumulate in the copy, whose weights nobody changes.
        let model = try model.copy()
        let size = model.parameters.count
        var blocks: [Block] = []
        var gradients: [Tensor] = []
        for (index, set) in sets.enumerated() {
            let batches = try Self.batches(
                set, tokenizer, model.configuration.context, count, store, stop)
            for (place, batch) in batches.enumerated() where batch.counted > 0 {
                if stop() { throw Interrupted("interrupted while taking gradients") }
                progress?(
                    WorkProgress(
                        "gradients of \(set.corpus.name)", done: place, total: batches.count,
                        unit: "blocks"))
                let copy = try Tensor.zeros([size])
                model.parameters.zeroGradients()
                let loss = try model.accumulateGradients(batch, scale: 1 / Float(batch.counted))
                _ = UnsafeMutableBufferPointer(start: copy.pointer, count: size).update(
                    from: model.parameters.gradients)
                gradients.append(copy)
                blocks.append(
                    Block(
                        corpus: index, loss: loss,
                        bytes: batch.targets.reduce(0) {
                            $0 + ($1 < 0 ? 0 : tokenizer.byteCount($1))
                        }))
            }
        }
        var order: [String] = []
        var places: [[ParameterRange]] = []
        for range in model.parameters.ranges {
            let layer = ParameterPlace(range).layer
            if let index = order.firstIndex(of: layer) {
                places[index].append(range)
            } else {
                order.append(layer)
                places.append([range])
            }
        }
        let total = gradients.count
        let pairs = (0..<total).flatMap { i in (i..<total).map { (i, $0) } }
        let found = try withExtendedLifetime(gradients) {
            let shared = gradients.map { SharedReading($0.pointer) }
            return try Parallel.map(pairs.count) { [blocks, places] pair -> [Double] in
                let (i, j) = pairs[pair]
                let scale = Double(blocks[i].loss.count) * Double(blocks[j].loss.count)
                return places.map { ranges in
                    scale * ranges.reduce(0) { $0 + Self.dot(shared[i], shared[j], $1) }
                }
            }
        }
        var products = [[Double]](
            repeating: Array(repeating: 0, count: total * total), count: order.count + 1)
        for (pair, values) in zip(pairs, found) {
            for (layer, value) in (values + [values.reduce(0, +)]).enumerated() {
                products[layer][pair.0 * total + pair.1] = value
                products[layer][pair.1 * total + pair.0] = value
            }
        }
        layers = order + ["all"]
        self.blocks = blocks
        self.products = products
        corpora = sets.count
    }

    /// The windows or examples of a set in at most `count` batches.
    private static func batches(
        _ set: EvaluationSet, _ tokenizer: Tokenizer, _ context: Int, _ count: Int, _ store: Store,
        _ stop: @escaping ShouldStop
    ) throws -> [TokenBatch] {
        let part = try set.corpus.summary(cache: store.folder, progress: { _ in }, stop: stop)[
            set.split]
        if part.promptBytes > 0 {
            let examples = try store.data.finetuneSet(
                set.corpus, set.split, tokenizer, context: context, stop: stop)
            let limit = min(examples.examples.count, set.limit ?? examples.examples.count)
            return try examples.evaluationBatches(
                batch: max(1, (limit + count - 1) / count), limit: limit)
        }
        let tokens = try store.data.tokens(set.corpus, set.split, tokenizer, stop: stop)
        let windows = min((tokens.count + context - 1) / context, set.limit ?? .max)
        let batches = try EvaluationBatches(
            store: tokens, context: context, rows: max(1, (windows + count - 1) / count),
            limit: set.limit.map { $0 * context })
        return try (0..<batches.count).map(batches.batch)
    }

    /// The product of a range of two gradients: eight sums, so that rounding does not grow with the length.
    private static func dot(
        _ a: SharedReading<Float>, _ b: SharedReading<Float>, _ range: ParameterRange
    ) -> Double {
        var sums = SIMD8<Double>.zero
        var index = range.offset
        let end = range.offset + range.count
        while index + 8 <= end {
            let x = UnsafeRawPointer(a.start + index).loadUnaligned(as: SIMD8<Float>.self)
            let y = UnsafeRawPointer(b.start + index).loadUnaligned(as: SIMD8<Float>.self)
            sums += SIMD8<Double>(x) * SIMD8<Double>(y)
            index += 8
        }
        var rest = 0.0
        while index < end {
            rest += Double(a[index]) * Double(b[index])
            index += 1
        }
        return sums.sum() + rest
    }

    /// The cosine of two weightings of the corpora's mean gradients, by layer.
    ///
    /// - Parameter multiplicity: How often every block counts; once without it.
    package func cosines(_ first: [Double], _ second: [Double], multiplicity: [Int32]? = nil)
        -> [Double]
    {
        let times = multiplicity.map { $0.map(Double.init) } ?? blocks.map { _ in 1 }
        var tokens = [Double](repeating: 0, count: corpora)
        for (block, count) in zip(blocks, times) {
            tokens[block.corpus] += count * Double(block.loss.count)
        }
        func weights(_ mixture: [Double]) -> [Double] {
            zip(blocks, times).map { block, count in
                tokens[block.corpus] > 0 ? mixture[block.corpus] * count / tokens[block.corpus] : 0
            }
        }
        let (u, v) = (weights(first), weights(second))
        return products.map { matrix in
            func product(_ x: [Double], _ y: [Double]) -> Double {
                var sum = 0.0
                for i in x.indices where x[i] != 0 {
                    for j in y.indices { sum += x[i] * y[j] * matrix[i * x.count + j] }
                }
                return sum
            }
            let (uu, vv) = (product(u, u), product(v, v))
            return uu > 0 && vv > 0 ? max(-1, min(1, product(u, v) / (uu * vv).squareRoot())) : .nan
        }
    }

    /// How often every block counts in one resample, each corpus resampled by itself.
    package func draw(_ replicate: Int, seed: UInt64) -> [Int32] {
        (0..<corpora).flatMap { corpus in
            Bootstrap.multiplicities(
                blocks.count { $0.corpus == corpus }, replicate: replicate,
                stream: RandomStream(seed: seed, "blocks of corpus \(corpus)"))
        }
    }

    /// Nats a token, and bits a byte, of a corpus.
    package func loss(_ corpus: Int, multiplicity: [Int32]? = nil) -> (nats: Double, bits: Double) {
        var (nats, count, bytes) = (0.0, 0.0, 0.0)
        for (index, block) in blocks.enumerated() where block.corpus == corpus {
            let times = Double(multiplicity?[index] ?? 1)
            nats += times * block.loss.nats
            count += times * Double(block.loss.count)
            bytes += times * Double(block.bytes)
        }
        return (nats / count, nats / bytes / 0.6931471805599453)
    }
}

/// The similarity engine of gradients: cosine of the mean gradients of two mixtures.
package struct GradientEngine: SimilarityEngine {
    package let names: [String]
    package let blocks: GradientBlocks

    private func weights(_ mixture: Mixture) -> [Double] { names.map { mixture.weight($0) } }

    package func resampled(_ pair: SimilarityPair) -> Int {
        (pair.first.parts + pair.second.parts).map { part in
            blocks.blocks.count { names[$0.corpus] == part.name }
        }.min() ?? 0
    }

    package func values(_ pairs: [SimilarityPair], stop: ShouldStop) throws -> [Double] {
        pairs.map { blocks.cosines(weights($0.first), weights($0.second)).last ?? .nan }
    }

    package func replicates(
        _ pairs: [SimilarityPair], _ numbers: Range<Int>, seed: UInt64, stop: ShouldStop
    ) throws -> [[Double]] {
        try Parallel.map(numbers.count) { index in
            let drawn = blocks.draw(numbers.lowerBound + index, seed: seed)
            return pairs.map {
                blocks.cosines(weights($0.first), weights($0.second), multiplicity: drawn).last
                    ?? .nan
            }
        }
    }
}
