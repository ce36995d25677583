import RuntimeSupport

extension Corpus {
    private struct Enough: Error {}

    /// The texts of the first `count` documents of a split, reading no further.
    ///
    /// - Throws: as `forEachDocument`.
    public func firstDocuments(_ split: Split, _ count: Int, stop: ShouldStop = { false }) throws
        -> [[UInt8]]
    {
        var texts: [[UInt8]] = []
        try forEachFirst(count, of: split, stop: stop) { texts.append($0) }
        return texts
    }

    /// Gives the texts of the first `count` documents of a split, reading no further.
    ///
    /// - Throws: as `forEachDocument`.
    package func forEachFirst(
        _ count: Int, of split: Split, stop: ShouldStop, _ body: ([UInt8]) throws -> Void
    ) throws {
        var done = 0
        do {
            try forEachDocument(split, stop: stop) { document in
                try body(document.text)
                done += 1
                if done >= count { throw Enough() }
            }
        } catch is Enough {}
    }

    /// Documents drawn at random without replacement, in a random order, from one split or (`nil`) from all.
    ///
    /// The same documents and seed give the same sample, and a smaller sample is the beginning of a larger one. Fewer
    /// come back if there are no more.
    ///
    /// - Throws: as `summary` and `forEachDocument`.
    public func sample(
        _ count: Int, _ split: Split? = nil, seed: UInt64, cache: String? = nil,
        progress: ProgressHandler? = nil, stop: ShouldStop = { false }
    ) throws -> [NumberedDocument] {
        let summary = try summary(cache: cache, progress: progress, stop: stop)
        let splits = split.map { [$0] } ?? Split.allCases
        let available = splits.reduce(0) { $0 + summary[$1].documents }
        var digest = DigestBuilder("corpus sample")
        for split in splits { digest.add(summary[split].digest) }
        let order = SeededPermutation(
            count: available, seed: seed, "corpus sample \(digest.finish().hex)", round: 0)
        var places: [Int: Int] = [:]
        for place in 0..<min(count, available) { places[order[place]] = place }
        guard let last = places.keys.max() else { return [] }
        var drawn = [NumberedDocument?](repeating: nil, count: places.count)
        // All splits are read, as a document is numbered among all.
        let reader = try CorpusReader(self, keepsRecords: true, progress: progress)
        var number = 0
        var index = 0
        while index <= last, let item = try reader.next(stop: stop) {
            number += 1
            guard splits.contains(item.split) else { continue }
            if let place = places[index] {
                drawn[place] = NumberedDocument(
                    number: number, document: item.document, split: item.split)
            }
            index += 1
        }
        let found = drawn.compactMap { $0 }
        guard found.count == drawn.count else {
            throw ChangedCorpus(name: name, activity: "sampled")
        }
        return found
    }
}
