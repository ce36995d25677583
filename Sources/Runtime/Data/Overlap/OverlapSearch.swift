import RuntimeSupport

/// Reads what is trained on once, and notes what held-out documents have in common with it.
struct OverlapSearch {
    /// What is known of one held-out document and one trained corpus.
    private struct Best {
        var exact: Overlap.Example.Place?
        var near: (similarity: Double, place: Overlap.Example.Place)?
        var words: (shared: Int, place: Overlap.Example.Place)?
    }

    private let held: HeldOutDocuments
    private let settings: Overlap.Settings

    init(_ held: HeldOutDocuments, _ settings: Overlap.Settings) {
        (self.held, self.settings) = (held, settings)
    }

    /// The pairs of one trained corpus with all tested ones, and their examples.
    ///
    /// - Throws: errors of reading; `Interrupted`.
    func pairs(
        _ train: Corpus, _ tested: [Corpus], _ progress: ProgressHandler?, _ stop: ShouldStop
    ) throws -> (pairs: [Overlap.Pair], examples: [Overlap.Example]) {
        // A document is not compared with itself.
        let own = tested.firstIndex { $0 === train }
        var itself: [Int: Int32] = [:]
        for (entry, held) in held.entries.enumerated() where held.corpus == own {
            itself[held.place.index] = Int32(entry)
        }
        var best: [Int32: Best] = [:]
        var found = Flags(count: held.runs.count)
        let reader = try CorpusReader(train, progress: progress)
        var batch: [(index: Int, document: Document)] = []
        var bytes = 0
        var index = 0
        func flush() throws {
            let documents = batch
            let matches = try Parallel.map(documents.count) { [held] in
                held.matches(documents[$0].document.text)
            }
            for (item, matches) in zip(documents, matches) where !matches.isEmpty {
                note(matches, item, train.name, but: itself[item.index], &best, &found)
            }
            batch.removeAll(keepingCapacity: true)
            bytes = 0
        }
        while let item = try reader.next(stop: stop) {
            index += 1
            guard item.split == .train else { continue }
            batch.append((index, item.document))
            bytes += item.document.text.count
            if bytes >= 4 << 20 { try flush() }
        }
        try flush()
        return summary(train, tested, best, found)
    }

    private func note(
        _ matches: HeldOutDocuments.Matches, _ item: (index: Int, document: Document),
        _ corpus: String, but itself: Int32?, _ best: inout [Int32: Best], _ found: inout Flags
    ) {
        let place = Overlap.Example.Place(
            corpus: corpus, index: item.index, location: item.document.location,
            text: Overlap.beginning(item.document.text))
        for entry in matches.exact where entry != itself && best[entry]?.exact == nil {
            best[entry, default: Best()].exact = place
        }
        for (entry, similarity) in matches.near
        where entry != itself && similarity > best[entry]?.near?.similarity ?? -1 {
            best[entry, default: Best()].near = (similarity, place)
        }
        var shared: [Int32: Int] = [:]
        for run in matches.runs {
            for entry in held.runs[run] where entry != itself {
                found.set(Int(run))
                shared[entry, default: 0] += 1
            }
        }
        for (entry, count) in shared where count > best[entry]?.words?.shared ?? 0 {
            best[entry, default: Best()].words = (count, place)
        }
    }

    private func summary(
        _ train: Corpus, _ tested: [Corpus], _ best: [Int32: Best], _ found: Flags
    ) -> (pairs: [Overlap.Pair], examples: [Overlap.Example]) {
        var pairs: [Overlap.Pair] = []
        var examples: [Overlap.Example] = []
        for (number, test) in tested.enumerated() {
            let entries = held.entries.indices.filter { held.entries[$0].corpus == number }
            var pair = Overlap.Pair(train: train.name, test: test.name, documents: entries.count)
            var ranked: [Overlap.Kind: [Overlap.Example]] = [:]
            for index in entries {
                let entry = held.entries[index]
                if entry.runs == 0 { pair.short += 1 }
                guard let best = best[Int32(index)] else { continue }
                func example(_ kind: Overlap.Kind, _ value: Double, _ place: Overlap.Example.Place)
                {
                    ranked[kind, default: []].append(
                        Overlap.Example(
                            kind: kind, similarity: value, train: place, test: entry.place))
                }
                if best.words != nil { pair.overlapping += 1 }
                if let place = best.exact {
                    pair.exact += 1
                    example(.exact, 1, place)
                } else if let (similarity, place) = best.near {
                    pair.near += 1
                    example(.near, similarity, place)
                } else if let (shared, place) = best.words {
                    example(.words, Double(shared) / Double(entry.runs), place)
                }
            }
            pair.share = share(number, found)
            pairs.append(pair)
            for kind in Overlap.Kind.allCases {
                let worst = (ranked[kind] ?? []).sorted {
                    $0.similarity != $1.similarity
                        ? $0.similarity > $1.similarity : $0.test.index < $1.test.index
                }
                examples += worst.prefix(settings.examples)
            }
        }
        return (pairs, examples)
    }

    /// The share of the different runs of a tested corpus that were found.
    private func share(_ corpus: Int, _ found: Flags) -> Double {
        var (all, common) = (0, 0)
        for run in 0..<held.runs.count
        where held.runs[Int32(run)].contains(where: { held.entries[Int($0)].corpus == corpus }) {
            all += 1
            if found[run] { common += 1 }
        }
        return all == 0 ? 0 : Double(common) / Double(all)
    }
}

extension Overlap {
    /// What its files in a store are.
    package static let kind = "overlap 1"

    /// Compares the train split of some corpora with the held-out splits of others.
    ///
    /// Candidates for near-duplicates are found by MinHash and verified with their true similarity, so that none is
    /// false and one in 10⁶ at the threshold may be missed; runs of words are found exactly. Memory follows the size of
    /// the held-out documents alone. With a `cache` folder the result is kept there under the corpora and settings.
    ///
    /// - Throws: `InvalidValue` for settings out of range or no corpora; `TextError` for a corpus without held-out
    ///   documents; `ResourceError` if they are too many; `ChangedCorpus`; `Interrupted`; errors of reading.
    public init(
        train: [Corpus], test: [Corpus], _ settings: Settings = Settings(), cache: String? = nil,
        progress: ProgressHandler? = nil, stop: ShouldStop = { false }
    ) throws {
        try settings.validate()
        guard !train.isEmpty, !test.isEmpty else {
            throw InvalidValue(
                train.isEmpty ? "train" : "test", expected: "at least one corpus", found: "none")
        }
        // Overlap and bad lines are errors of the corpora, and found before they are compared.
        for corpus in train + test {
            _ = try corpus.summary(cache: cache, progress: progress, stop: stop)
        }
        let stamps = try (train + test).map { try $0.stamps() }
        let key = try Self.key(train, test, settings)
        let path = cache.map { "\($0)/overlaps/\(key.hex).json" }
        if let path, let kept = try Self.kept(path, key, progress) {
            self = kept
            return
        }
        let held = try HeldOutDocuments(test, settings, cache: cache, progress, stop)
        let search = OverlapSearch(held, settings)
        var pairs: [Pair] = []
        var examples: [Example] = []
        for corpus in train {
            let found = try search.pairs(corpus, test, progress, stop)
            pairs += found.pairs
            examples += found.examples
        }
        for (corpus, before) in zip(train + test, stamps) {
            guard try corpus.stamps() == before else {
                throw ChangedCorpus(name: corpus.name, activity: "compared")
            }
        }
        (self.settings, self.pairs, self.examples) = (settings, pairs, examples)
        if let path {
            let json = Array((try CanonicalJSON.text(self) + "\n").utf8)
            try SealedFile.write(path, kind: Self.kind, name: key.hex, json: json)
        }
    }

    /// What an earlier comparison of the same corpora found, if the store has it.
    ///
    /// - Throws: `FileError`.
    package static func known(
        train: [Corpus], test: [Corpus], _ settings: Settings = Settings(), cache: String
    ) throws -> Overlap? {
        let key = try key(train, test, settings)
        return try kept("\(cache)/overlaps/\(key.hex).json", key, nil)
    }

    private static func key(
        _ train: [Corpus], _ test: [Corpus], _ settings: Settings
    ) throws -> Digest {
        var builder = DigestBuilder(kind)
        builder.add(try CanonicalJSON.text(settings))
        for corpora in [train, test] {
            builder.add(corpora.count)
            for corpus in corpora {
                builder.add(corpus.name)
                builder.add(try corpus.summaryKey())
            }
        }
        return builder.finish()
    }

    private static func kept(
        _ path: String, _ key: Digest, _ progress: ProgressHandler?
    ) throws -> Overlap? {
        do {
            guard let content = try SealedFile.read(path, kind: kind, name: key.hex) else {
                return nil
            }
            guard content.isSealed else { throw DamagedFile(path, SealedFile.unsealed) }
            return try SealedFile.decode(Overlap.self, content, path)
        } catch let error as DamagedFile {
            progress?(WorkProgress(notice: error.message + "; the corpora are compared again"))
            return nil
        }
    }
}
