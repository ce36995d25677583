import RuntimeSupport

/// How much of a corpus a subset has, at least.
public enum SubsetSize: Sendable {
    /// Tokens of a tokenizer, ends of documents included.
    case tokens(Int, Tokenizer)
    /// Documents.
    case documents(Int)
    /// A share of the documents, above 0 and at most 1.
    case fraction(Double)
}

extension EncodedCorpora {
    /// Whole documents of a corpus's train split, drawn at random; valid and test stay as they are.
    ///
    /// Documents are taken in an order that the seed and the train split decide, until there are enough: every document
    /// of a smaller subset is in a larger one of the same seed. They keep the order that they have in the corpus.
    ///
    /// - Throws: `InvalidValue` if the corpus has fewer; `ChangedCorpus` if its files change meanwhile; errors of reading.
    public func subset(
        of corpus: Corpus, _ size: SubsetSize, seed: UInt64, name: String? = nil,
        progress: @escaping ProgressHandler = { _ in }, stop: @escaping ShouldStop = { false }
    ) throws -> Corpus {
        let stamps = try corpus.stamps()
        let part = try corpus.summary(cache: folder, progress: progress, stop: stop)[.train]
        let order = SeededPermutation(
            count: part.documents, seed: seed, "corpus subset \(part.digest.hex)", round: 0)
        func few(_ option: String, _ unit: String, _ has: Int, _ asked: Int) -> InvalidValue {
            InvalidValue(
                option,
                expected: "at most \(has), the \(unit) of the train split of \"\(corpus.name)\"",
                found: asked)
        }
        var kept = Flags(count: part.documents)
        switch size {
        case .tokens(let wanted, let tokenizer):
            let store = try tokens(corpus, .train, tokenizer, progress: progress, stop: stop)
            guard wanted <= store.count else { throw few("tokens", "tokens", store.count, wanted) }
            var taken = 0
            var place = 0
            while taken < wanted {
                if place & 0xfff == 0, stop() {
                    throw Interrupted("interrupted while choosing documents of \(corpus.name)")
                }
                let index = order[place]
                taken += try store.document(index).tokens.count
                kept.set(index)
                place += 1
            }
        case .documents(let wanted):
            guard wanted <= part.documents else {
                throw few("documents", "documents", part.documents, wanted)
            }
            for place in 0..<wanted { kept.set(order[place]) }
        case .fraction(let share):
            let wanted = Int((share * Double(part.documents)).rounded(.up))
            for place in 0..<min(max(1, wanted), part.documents) { kept.set(order[place]) }
        }
        guard try corpus.stamps() == stamps else {
            throw ChangedCorpus(name: corpus.name, activity: "counted")
        }
        return corpus.selection(name, [.train: kept], activity: "counted", stamps)
    }

    /// The number of tokens of each split that has documents, ends of documents included.
    ///
    /// - Throws: as `tokens`.
    public func tokenCounts(
        _ corpus: Corpus, _ tokenizer: Tokenizer, progress: @escaping ProgressHandler = { _ in },
        stop: @escaping ShouldStop = { false }
    ) throws -> [Split: Int] {
        let summary = try corpus.summary(cache: folder, progress: progress, stop: stop)
        var counts: [Split: Int] = [:]
        for split in Split.allCases {
            counts[split] =
                summary[split].documents == 0
                ? 0
                : try tokens(corpus, split, tokenizer, progress: progress, stop: stop).count
        }
        return counts
    }
}
