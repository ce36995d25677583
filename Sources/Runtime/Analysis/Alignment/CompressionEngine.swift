import CZstd
import RuntimeData
import RuntimeSupport

/// Similarity by compression: 1 − NCD, how little of one collection is news to a compressor that knows the other.
///
/// NCD(x, y) = (C(xy) − min(C(x), C(y))) / max(C(x), C(y)), C(xy) the mean of both orders, C by zstd with a window that
/// holds both. Of mixtures: the mean over the pairs of their parts by their weights, as nothing is drawn.
///
/// - Source: Cilibrasi and Vitányi (2005), Clustering by compression.
package struct CompressionEngine: SimilarityEngine {
    package let names: [String]
    package let texts: [[[UInt8]]]

    package init(names: [String], texts: [[[UInt8]]]) {
        self.names = names
        self.texts = texts
    }

    package func resampled(_ pair: SimilarityPair) -> Int {
        (indices(pair.first) + indices(pair.second)).map { texts[$0].count }.min() ?? 0
    }

    package func values(_ pairs: [SimilarityPair], stop: ShouldStop) throws -> [Double] {
        try blend(pairs, similarities(pairs, stop) { Array(texts[$0].indices) })
    }

    /// Half of the documents of every corpus, drawn without repetition: a repeated document would compress to nothing, and
    /// half samples spread about their mean as resamples with repetition do elsewhere.
    package func replicates(
        _ pairs: [SimilarityPair], _ numbers: Range<Int>, seed: UInt64, stop: ShouldStop
    ) throws -> [[Double]] {
        try numbers.map { number in
            try blend(
                pairs,
                similarities(pairs, stop) { corpus in
                    let count = texts[corpus].count
                    guard count > 1 else { return [0] }
                    let stream = RandomStream(seed: seed, "documents of \(names[corpus])")
                    let first = UInt64(number) &* UInt64(count)
                    let ranks = (0..<count).map { stream.bits(first &+ UInt64($0)) }
                    return (0..<count).sorted { ranks[$0] < ranks[$1] }.prefix((count + 1) / 2)
                        .sorted()
                })
        }
    }

    /// Similarities of all pairs of corpora that are asked for, `[first * corpora + second]`.
    private func similarities(
        _ pairs: [SimilarityPair], _ stop: ShouldStop, _ members: (Int) -> [Int]
    ) throws -> [Double] {
        @Sendable func size(_ text: [UInt8]) throws -> Double {
            if stop() { throw Interrupted("interrupted while compressing") }
            return try Self.size(text)
        }
        let count = names.count
        var wanted: Set<Int> = []
        for pair in pairs {
            for a in indices(pair.first) {
                for b in indices(pair.second) { wanted.insert(min(a, b) * count + max(a, b)) }
            }
        }
        let order = wanted.sorted()
        let used = Set(order.flatMap { [$0 / count, $0 % count] }).sorted()
        var joined = [[UInt8]](repeating: [], count: count)
        for corpus in used {
            for document in members(corpus) {
                joined[corpus] += texts[corpus][document]
                joined[corpus].append(0x0a)
            }
        }
        let alone = try Parallel.map(used.count) { [joined] in try size(joined[used[$0]]) }
        var sizes = [Double](repeating: 0, count: count)
        for (corpus, size) in zip(used, alone) { sizes[corpus] = size }
        let found = try Parallel.map(order.count) { [joined, sizes] place -> Double in
            let (a, b) = (order[place] / count, order[place] % count)
            let both = try (size(joined[a] + joined[b]) + size(joined[b] + joined[a])) / 2
            let (low, high) = (min(sizes[a], sizes[b]), max(sizes[a], sizes[b]))
            return high > 0 ? 1 - (both - low) / high : .nan
        }
        var result = [Double](repeating: .nan, count: count * count)
        for (place, value) in zip(order, found) {
            result[place] = value
            result[place % count * count + place / count] = value
        }
        return result
    }

    private func indices(_ mixture: Mixture) -> [Int] {
        mixture.parts.compactMap { part in names.firstIndex(of: part.name) }
    }

    private func blend(_ pairs: [SimilarityPair], _ known: [Double]) throws -> [Double] {
        pairs.map { pair in
            var sum = 0.0
            for a in indices(pair.first) {
                for b in indices(pair.second) {
                    sum +=
                        pair.first.weight(names[a]) * pair.second.weight(names[b])
                        * known[a * names.count + b]
                }
            }
            return sum
        }
    }

    /// Bytes that a text compresses to with a window that holds all of it (up to 128 MiB).
    ///
    /// All other settings are the same for every length (zstd's levels are not), so that more text takes more bytes.
    ///
    /// - Throws: `OutOfMemory` or `InvalidValue` when zstd refuses.
    package static func size(_ text: [UInt8]) throws -> Double {
        guard let context = ZSTD_createCCtx() else {
            throw OutOfMemory(requested: 1 << 20, live: Memory.liveBytes, limit: Memory.limit)
        }
        defer { ZSTD_freeCCtx(context) }
        var window: Int32 = 17
        while window < 27, 1 << Int(window) < text.count { window += 1 }
        for (name, value) in [
            (ZSTD_c_compressionLevel, 3), (ZSTD_c_windowLog, window), (ZSTD_c_hashLog, 18),
            (ZSTD_c_chainLog, 18), (ZSTD_c_searchLog, 4), (ZSTD_c_minMatch, 4),
            (ZSTD_c_targetLength, 16), (ZSTD_c_strategy, Int32(bitPattern: ZSTD_lazy.rawValue)),
            (ZSTD_c_enableLongDistanceMatching, 1),
        ] { ZSTD_CCtx_setParameter(context, name, value) }
        var target = [UInt8](repeating: 0, count: ZSTD_compressBound(text.count))
        let size = ZSTD_compress2(context, &target, target.count, text, text.count)
        guard ZSTD_isError(size) == 0 else {
            throw InvalidValue(
                "text", expected: "one that zstd compresses",
                found: String(cString: ZSTD_getErrorName(size)))
        }
        return Double(size)
    }
}
