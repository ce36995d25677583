import RuntimeSupport

/// Documents that others are compared with, in memory as hashes: some 100 bytes for each word.
package struct HeldOutDocuments: Sendable {
    /// One of them.
    struct Entry: Sendable {
        let corpus: Int
        let place: Overlap.Example.Place
        /// Its different shingles, in ascending order, among those of all.
        let shingles: Range<Int>
        /// Its different runs of words.
        let runs: Int
    }

    private(set) var entries: [Entry] = []
    private let settings: Overlap.Settings
    private let hashing: MinHash
    private var shingles: [UInt64] = []
    private let texts: [ContentHash: [Int32]]
    private let bands: HashLists
    /// The shingles of all.
    private let known: HashIndex
    /// The documents of each run of words.
    let runs: HashLists

    /// What one document has in common with them.
    struct Matches: Sendable {
        var exact: [Int32] = []
        var near: [(entry: Int32, similarity: Double)] = []
        /// Numbers of runs of words, each once.
        var runs: [Int32] = []

        var isEmpty: Bool { exact.isEmpty && near.isEmpty && runs.isEmpty }
    }

    /// Reads the held-out splits of some corpora.
    ///
    /// - Throws: `TextError` for a corpus without such documents; `ResourceError` if they are too many for memory;
    ///   errors of reading.
    init(
        _ corpora: [Corpus], _ settings: Overlap.Settings, cache: String?,
        _ progress: ProgressHandler?, _ stop: ShouldStop
    ) throws {
        self.settings = settings
        hashing = MinHash(threshold: settings.near, seed: settings.seed)
        var (bytes, documents) = (0, 0)
        for corpus in corpora {
            let summary = try corpus.summary(cache: cache, progress: progress, stop: stop)
            let parts = settings.splits.map { summary[$0] }
            guard parts.contains(where: { $0.documents > 0 }) else {
                throw TextError(
                    corpus.name,
                    "it has no document in \(settings.splits.map(\.rawValue).joined(separator: " or ")), "
                        + "with which others could be compared; expected files or a fraction for that split"
                )
            }
            bytes = Int.saturatingSum(bytes, parts.reduce(0) { $0 + $1.textBytes })
            documents = Int.saturatingSum(documents, parts.reduce(0) { $0 + $1.documents })
        }
        try Memory.require(
            [("hashes of their words", Int.saturatingProduct(20, bytes))],
            for: "comparing with \(Amount.bytes(bytes)) of held-out documents")
        guard bytes < 1 << 31 else {
            throw InvalidValue(
                "test",
                expected: "less than 2 GB of held-out documents; leave some out or take a subset",
                found: Amount.bytes(bytes))
        }
        var texts: [ContentHash: [Int32]] = [:]
        var bandPairs: [(hash: UInt64, member: Int32)] = []
        var runPairs: [(hash: UInt64, member: Int32)] = []
        var known = HashIndex()
        for (number, corpus) in corpora.enumerated() {
            let reader = try CorpusReader(corpus, progress: progress)
            var index = 0
            while let item = try reader.next(stop: stop) {
                index += 1
                guard settings.splits.contains(item.split) else { continue }
                let member = Int32(entries.count)
                let text = item.document.text
                texts[ContentHash(text), default: []].append(member)
                let words = WordShingles.words(text)
                let own = WordShingles.distinct(WordShingles.shingles(words, of: settings.shingle))
                for shingle in own { _ = known.add(shingle) }
                let start = shingles.count
                shingles += own
                bandPairs += hashing.bands(own).map { ($0, member) }
                let runs = WordShingles.distinct(WordShingles.runs(words, of: settings.words))
                runPairs += runs.map { ($0, member) }
                entries.append(
                    Entry(
                        corpus: number,
                        place: Overlap.Example.Place(
                            corpus: corpus.name, index: index, location: item.document.location,
                            text: Overlap.beginning(text)),
                        shingles: start..<shingles.count, runs: runs.count))
            }
        }
        self.texts = texts
        self.known = known
        bands = HashLists(bandPairs)
        runs = HashLists(runPairs)
    }

    /// What a text has in common with them.
    func matches(_ text: [UInt8]) -> Matches {
        var matches = Matches()
        matches.exact = texts[ContentHash(text)] ?? []
        let words = WordShingles.words(text)
        var seen: Set<Int32> = []
        for run in WordShingles.runs(words, of: settings.words) {
            if let number = runs.index.number(run), seen.insert(number).inserted {
                matches.runs.append(number)
            }
        }
        matches.near = near(words)
        return matches
    }

    private func near(_ words: [UInt64]) -> [(entry: Int32, similarity: Double)] {
        let all = WordShingles.shingles(words, of: settings.shingle)
        guard all.contains(where: { known.number($0) != nil }) else { return [] }
        let own = WordShingles.distinct(all)
        // Of two sets with that similarity, at least so many elements of either are in both.
        let shared = own.reduce(0) { $0 + (known.number($1) == nil ? 0 : 1) }
        guard Double(shared) / Double(own.count) >= settings.near else { return [] }
        var candidates: Set<Int32> = []
        for band in hashing.bands(own) { candidates.formUnion(bands[hash: band]) }
        return candidates.sorted().compactMap { candidate in
            let other = shingles[entries[Int(candidate)].shingles]
            let similarity = WordShingles.jaccard(own, other)
            return similarity >= settings.near ? (candidate, similarity) : nil
        }
    }
}

extension Overlap {
    /// The beginning of a text, cut between characters.
    static func beginning(_ text: [UInt8]) -> String {
        var end = min(text.count, 240)
        while end > 0, end < text.count, text[end] & 0xc0 == 0x80 { end -= 1 }
        return String(decoding: text[..<end], as: UTF8.self)
    }
}
