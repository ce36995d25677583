import RuntimeSupport

/// Counts the words of texts, on all threads; the sums do not depend on who counted what.
struct WordCounter {
    private var counts: [WordTable]
    private var batch: [[UInt8]] = []
    private var batchBytes = 0
    /// Tables that units of a batch count into, each unit into its own.
    private static let units = 16

    private let rules: TokenizerRules

    /// A counter of the words that `rules` make.
    init(_ rules: TokenizerRules) {
        self.rules = rules
        counts = (0..<Self.units).map { _ in WordTable() }
    }

    /// Adds the train split of a corpus, up to `share` bytes.
    mutating func add(
        _ corpus: Corpus, share: Int?, progress: ProgressHandler?, stop: ShouldStop
    ) throws {
        struct Enough: Error {}
        var bytes = 0
        var reported = ContinuousClock.now
        do {
            try corpus.forEachDocument(.train, stop: stop) { document in
                var text = document.text
                if let share, bytes + text.count > share {
                    text.removeLast(bytes + text.count - share)
                }
                bytes += text.count
                add(text)
                if let progress, ContinuousClock.now - reported > .milliseconds(200) {
                    reported = .now
                    progress(
                        WorkProgress(
                            "counting words of \(corpus.name)", done: bytes, total: share,
                            unit: "bytes"))
                }
                if let share, bytes >= share { throw Enough() }
            }
        } catch is Enough {}
    }

    /// Adds a text.
    mutating func add(_ text: [UInt8]) {
        batchBytes += text.count
        batch.append(text)
        if batchBytes >= 8 << 20 { flush() }
    }

    private mutating func flush() {
        var pieces: [(text: Int, range: Range<Int>)] = []
        for (index, text) in batch.enumerated() {
            guard rules.splitter.allowsCuts, rules.normalizers.allSatisfy(\.allowsCuts) else {
                pieces.append((index, 0..<text.count))
                continue
            }
            let ranges = text.withUnsafeBytes { WordPattern.pieces($0, size: 1 << 18) }
            pieces.append(contentsOf: ranges.map { (index, $0) })
        }
        counts.withUnsafeMutableBufferPointer { counts in
            let tables = DisjointPlaces(counts)
            Parallel.forEach(Self.units) { [batch, pieces, rules] unit in
                tables.update(unit) { table in
                    for index in stride(from: unit, to: pieces.count, by: Self.units) {
                        let piece = pieces[index]
                        batch[piece.text].withUnsafeBytes {
                            table.count(
                                UnsafeRawBufferPointer(rebasing: $0[piece.range]), rules)
                        }
                    }
                }
            }
        }
        self.batch.removeAll(keepingCapacity: true)
        batchBytes = 0
    }

    /// All words and how often each was met, in byte order of the words.
    mutating func finish() -> [(word: [UInt8], count: Int)] {
        flush()
        var total: [[UInt8]: Int] = [:]
        for table in counts { table.forEach { total[$0, default: 0] += $1 } }
        return total.map { ($0.key, $0.value) }
            .sorted { $0.word.lexicographicallyPrecedes($1.word) }
    }
}

/// Words and their counts: open addressing over one buffer of bytes.
struct WordTable: Sendable {
    private var hashes: [UInt64] = Array(repeating: 0, count: 1 << 12)
    private var entries: [Int32] = Array(repeating: 0, count: 1 << 12)
    private var starts: [Int] = [0]
    private var bytes: [UInt8] = []
    private var counts: [Int] = []

    /// Counts the words of a text.
    mutating func count(_ text: UnsafeRawBufferPointer, _ rules: TokenizerRules) {
        do {
            if rules.normalForms?.isEmpty == true {
                try countNormal(text, rules.splitter)
            } else {
                try rules.normalize(Array(text)).withUnsafeBytes {
                    try countNormal($0, rules.splitter)
                }
            }
        } catch {
            fatalError(
                "counting words fails only when it is interrupted, and nothing did: \(error)")
        }
    }

    private mutating func countNormal(
        _ text: UnsafeRawBufferPointer, _ splitter: TextSplitter
    ) throws {
        if splitter.isGPT2 {
            WordPattern.forEachWord(text) { start, end in
                add(UnsafeRawBufferPointer(rebasing: text[start..<end]))
            }
        } else if let known = splitter.known {
            known.forEachWord(text) { start, end in
                add(UnsafeRawBufferPointer(rebasing: text[start..<end]))
            }
        } else {
            let place = TextSplitter.Place(isFirst: true, continues: false)
            try splitter.forEachWord(text, place, { false }) { add($0) }
        }
    }

    @inline(__always)
    private mutating func add(_ word: UnsafeRawBufferPointer) {
        let hash = WordCache.hash(word)
        var index = Int(truncatingIfNeeded: hash >> 8) & (hashes.count - 1)
        while hashes[index] != 0 {
            if hashes[index] == hash {
                let entry = Int(entries[index])
                let start = starts[entry]
                if starts[entry + 1] - start == word.count,
                    bytes.withUnsafeBytes({ WordCache.equal($0, at: start, word) })
                {
                    counts[entry] += 1
                    return
                }
            }
            index = (index + 1) & (hashes.count - 1)
        }
        hashes[index] = hash
        entries[index] = Int32(counts.count)
        bytes.append(contentsOf: word)
        starts.append(bytes.count)
        counts.append(1)
        if counts.count * 2 > hashes.count { grow() }
    }

    private mutating func grow() {
        let old = (hashes, entries)
        hashes = Array(repeating: 0, count: old.0.count * 2)
        entries = Array(repeating: 0, count: old.0.count * 2)
        for (hash, entry) in zip(old.0, old.1) where hash != 0 {
            var index = Int(truncatingIfNeeded: hash >> 8) & (hashes.count - 1)
            while hashes[index] != 0 { index = (index + 1) & (hashes.count - 1) }
            hashes[index] = hash
            entries[index] = entry
        }
    }

    /// Calls `body` with each word and its count.
    func forEach(_ body: ([UInt8], Int) -> Void) {
        for entry in counts.indices {
            body(Array(bytes[starts[entry]..<starts[entry + 1]]), counts[entry])
        }
    }
}
