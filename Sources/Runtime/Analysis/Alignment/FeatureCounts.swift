import RuntimeSupport

/// The features of a corpus' documents, sparse: document `d` has the entries `starts[d] ..< starts[d + 1]`.
package struct FeatureCounts: Sendable {
    /// Where each document's entries begin, with the end of the last.
    package private(set) var starts = [0]
    private var features: [Int32] = []
    private var counts: [Int32] = []

    /// How many documents.
    package var documents: Int { starts.count - 1 }

    /// How many features were counted, repetitions included.
    package var total: Int { counts.reduce(0) { $0 + Int($1) } }

    /// Sums over documents, each taken `multiplicity[d]` times (once without it), divided by their total.
    ///
    /// - Parameter size: How many features there are in all corpora together.
    package func distribution(size: Int, multiplicity: [Int32]? = nil) -> [Double] {
        var sums = [Double](repeating: 0, count: size)
        var total = 0.0
        sums.withUnsafeMutableBufferPointer { sums in
            for document in 0..<documents {
                let times = multiplicity?[document] ?? 1
                guard times > 0 else { continue }
                for index in starts[document]..<starts[document + 1] {
                    let count = Double(times) * Double(counts[index])
                    sums[Int(features[index])] += count
                    total += count
                }
            }
            // All counts are whole numbers, so that no order of summing changes them.
            guard total > 0 else { return }
            for index in sums.indices { sums[index] /= total }
        }
        return sums
    }

    /// Numbers the features of several corpora alike, in the order of their keys.
    ///
    /// - Parameters:
    ///   - corpora: The documents of every corpus.
    ///   - most: Only so many of the most frequent features of a corpus count, the lowest keys among equals.
    /// - Returns: The corpora, and how many features they have together.
    package static func number(
        _ corpora: [[KeyCounts]], most: Int? = nil
    ) throws -> (size: Int, corpora: [FeatureCounts]) {
        let kept = try Parallel.map(corpora.count) { keep(corpora[$0], most: most) }
        let all = unique(kept.flatMap { $0 }.sorted())
        let numbered = try Parallel.map(corpora.count) { corpus in
            var result = FeatureCounts()
            let places = kept[corpus].map { place($0, in: all) ?? 0 }
            for document in corpora[corpus] {
                for (key, count) in zip(document.keys, document.counts) {
                    guard let index = place(key, in: kept[corpus]) else { continue }
                    result.features.append(Int32(places[index]))
                    result.counts.append(count)
                }
                result.starts.append(result.features.count)
            }
            return result
        }
        return (all.count, numbered)
    }

    /// The keys of a corpus that count, in ascending order.
    private static func keep(_ documents: [KeyCounts], most: Int?) -> [UInt64] {
        let keys = unique(documents.flatMap(\.keys).sorted())
        guard let most, keys.count > most else { return keys }
        var totals = [Int](repeating: 0, count: keys.count)
        for document in documents {
            for (key, count) in zip(document.keys, document.counts) {
                if let index = place(key, in: keys) { totals[index] += Int(count) }
            }
        }
        let order = keys.indices.sorted {
            totals[$0] != totals[$1] ? totals[$0] > totals[$1] : $0 < $1
        }
        return order.prefix(most).sorted().map { keys[$0] }
    }

    private static func unique(_ sorted: [UInt64]) -> [UInt64] {
        var result: [UInt64] = []
        for key in sorted where result.last != key { result.append(key) }
        return result
    }

    /// Where a key stands in ascending keys.
    private static func place(_ key: UInt64, in keys: [UInt64]) -> Int? {
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low < keys.count && keys[low] == key ? low : nil
    }
}
