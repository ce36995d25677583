import RuntimeSupport

extension Corpus {
    /// The documents of several corpora, one corpus after another, each in the split it has there.
    ///
    /// - Throws: `InvalidValue` for an empty name or list, or a corpus that is named twice.
    public convenience init(
        name: String, corpora: [Corpus], allowsOverlap: Bool = false
    ) throws {
        guard !name.isEmpty else {
            throw InvalidValue("name", expected: "a name for the corpus", found: "\"\"")
        }
        guard !corpora.isEmpty else {
            throw InvalidValue("corpora", expected: "at least one corpus", found: "none")
        }
        var seen: Set<ObjectIdentifier> = []
        for corpus in corpora where !seen.insert(ObjectIdentifier(corpus)).inserted {
            throw InvalidValue(
                "corpora", expected: "each corpus once", found: "\"\(corpus.name)\" twice")
        }
        var specification = CorpusSpecification(name: name, files: [])
        specification.allowsOverlap = allowsOverlap
        self.init(
            specification, content: .corpora(corpora),
            tokens: corpora.lazy.compactMap(\.tokens).first)
    }

    /// The documents for which `keeps` is true, of all splits; it is called once with each, in order.
    ///
    /// Only what is left matters to its digest, not how it was chosen.
    ///
    /// - Throws: `TextError` if no document of train is left; `ChangedCorpus` if a file changes meanwhile; errors of
    ///   reading; whatever `keeps` throws.
    public func filtered(
        name: String? = nil, cache: String? = nil, progress: ProgressHandler? = nil,
        stop: ShouldStop = { false }, _ keeps: (NumberedDocument) throws -> Bool
    ) throws -> Corpus {
        let stamps = try stamps()
        // Overlap and bad lines are errors of this corpus, and found before anything is chosen.
        let whole = try summary(cache: cache, progress: progress, stop: stop)
        var kept = Dictionary(uniqueKeysWithValues: Split.allCases.map { ($0, Flags()) })
        let reader = try CorpusReader(self, keepsRecords: true, progress: progress)
        var number = 0
        while let item = try reader.next(stop: stop) {
            number += 1
            let document = NumberedDocument(
                number: number, document: item.document, split: item.split)
            kept[item.split, default: Flags()].append(try keeps(document))
        }
        guard try self.stamps() == stamps else {
            throw ChangedCorpus(name: self.name, activity: "filtered")
        }
        guard kept[.train, default: Flags()].trueCount > 0 else {
            throw TextError(
                self.name,
                "the filter keeps none of the \(whole[.train].documents) documents of its train split; "
                    + "expected a function that returns true for those to keep")
        }
        return selection(name, kept, activity: "filtered", stamps)
    }

    /// What a corpus is made of.
    public enum Origin {
        /// Files, or a generator.
        case files
        /// Other corpora.
        case corpora([Corpus])
        /// Some documents of another corpus.
        case selection(of: Corpus)
    }

    /// What it is made of.
    public var origin: Origin {
        switch content {
        case .files, .generated: .files
        case .corpora(let corpora): .corpora(corpora)
        case .selection(let selection): .selection(of: selection.corpus)
        }
    }

    /// Some documents of this corpus.
    func selection(
        _ name: String?, _ kept: [Split: Flags], activity: String, _ stamps: [FileStamp]
    ) -> Corpus {
        let specification = CorpusSpecification(name: name ?? self.name, files: [])
        return Corpus(
            specification,
            content: .selection(
                CorpusSelection(corpus: self, kept: kept, activity: activity, stamps: stamps)),
            tokens: tokens)
    }

    /// Of the corpora that it is made of, those that are read from files or generated.
    package var leaves: [Corpus] {
        switch content {
        case .files, .generated: [self]
        case .corpora(let corpora): corpora.flatMap(\.leaves)
        case .selection(let selection): selection.corpus.leaves
        }
    }
}

/// A document of a corpus and its place there.
public struct NumberedDocument: Sendable {
    /// Which document of the corpus it is, from 1: those of the files in their order, then those of valid and test files.
    public let number: Int
    /// The document.
    public let document: Document
    /// Where it belongs.
    public let split: Split

    /// The record it was made of; `nil` for text, generated text and tokens.
    ///
    /// - Throws: `TextError` for values nested too deeply.
    public func record() throws -> RecordValue? {
        do {
            return try document.record?.value()
        } catch {
            throw TextError(document.location, error.reason)
        }
    }
}
