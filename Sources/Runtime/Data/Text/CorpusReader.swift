import RuntimeSupport

/// The documents of a corpus, one at a time: those of the files in their order, then those of the valid and test files.
///
/// Reading is streaming: memory is that of one document.
package final class CorpusReader {
    /// One document, and where it belongs.
    package struct Item {
        package var document: Document
        package let split: Split
        /// Which document of its split it is, from 0.
        package let position: Int
    }

    private enum Stage {
        /// Files of a corpus; those of `train` are divided, if the corpus has no others for a split.
        case files(Corpus, Split, DocumentFiles)
        case generated(Corpus, EmbeddedCorpus)
        /// Some documents of the reader's own corpus.
        case selection(CorpusReader, CorpusSelection)
        /// Another corpus; ids of its token files are left out if those of the whole are of another tokenizer.
        case corpus(CorpusReader, keepsIDs: Bool)
    }

    private var stages: [Stage] = []
    private let splits: Set<Split>
    private let progress: ReadingProgress
    private let name: String
    private var positions: [Split: Int] = [:]
    private var generated = 0
    private var generatedBytes = 0

    /// A reader from the first document.
    ///
    /// - Parameters:
    ///   - splits: which documents it gives; files that hold no other are not read.
    ///   - keepsRecords: whether documents hold the records they are made of.
    /// - Throws: `ChangedCorpus` for a selection of files that have changed since; `FileError`.
    package convenience init(
        _ corpus: Corpus, splits: Set<Split> = Set(Split.allCases), keepsRecords: Bool = false,
        progress: ProgressHandler? = nil
    ) throws {
        try self.init(
            corpus, splits, keepsRecords,
            ReadingProgress(
                corpus.name, progress, total: progress == nil ? nil : try corpus.fileBytes()))
    }

    private init(
        _ corpus: Corpus, _ splits: Set<Split>, _ keepsRecords: Bool, _ progress: ReadingProgress
    ) throws {
        self.splits = splits
        self.progress = progress
        name = corpus.name
        switch corpus.content {
        case .files(let files):
            for split in Split.allCases {
                let own = files[split] ?? []
                let isDivided = split == .train && splits.contains { !corpus.hasOwnFiles($0) }
                guard !own.isEmpty, splits.contains(split) || isDivided else { continue }
                stages.append(
                    .files(
                        corpus, split,
                        DocumentFiles(corpus, own, keepsRecords: keepsRecords, progress)
                    ))
            }
        case .generated(let generator): stages = [.generated(corpus, generator)]
        case .corpora(let corpora):
            stages = try corpora.map {
                .corpus(
                    try CorpusReader($0, splits, keepsRecords, progress),
                    keepsIDs: $0.tokens?.digest == corpus.tokens?.digest)
            }
        case .selection(let selection):
            guard try selection.corpus.stamps() == selection.stamps else {
                throw ChangedCorpus(name: name, activity: selection.activity)
            }
            stages = [
                .selection(
                    try CorpusReader(selection.corpus, splits, keepsRecords, progress), selection)
            ]
        }
        stages.reverse()
    }

    /// The next document; `nil` after the last.
    ///
    /// - Throws: `TextError` and `FileError` naming file and line; `Interrupted` when `stop` says so.
    package func next(stop: ShouldStop) throws -> Item? {
        while let stage = stages.last {
            guard let (document, split) = try next(stage, stop) else {
                stages.removeLast()
                continue
            }
            guard splits.contains(split) else { continue }
            let position = positions[split, default: 0]
            positions[split] = position + 1
            return Item(document: document, split: split, position: position)
        }
        return nil
    }

    private func next(_ stage: Stage, _ stop: ShouldStop) throws -> (Document, Split)? {
        switch stage {
        case .files(let corpus, let split, let files):
            guard let document = try files.next(stop: stop) else {
                try files.finish()
                return nil
            }
            return (
                document,
                split == .train ? corpus.split(ofHash: ContentHash(document.text)) : split
            )
        case .generated(let corpus, let generator):
            if stop() { throw Interrupted("interrupted while generating \(name)") }
            let size = corpus.specification.bytes ?? generator.defaultBytes
            guard generatedBytes < size else { return nil }
            let document = generator.document(generated, seed: corpus.specification.embeddedSeed)
            generated += 1
            generatedBytes += document.text.count
            progress.add(document.text.count)
            return (document, corpus.split(ofHash: ContentHash(document.text)))
        case .corpus(let reader, let keepsIDs):
            guard var item = try reader.next(stop: stop) else { return nil }
            if !keepsIDs { item.document.ids = nil }
            return (item.document, item.split)
        case .selection(let reader, let selection):
            while let item = try reader.next(stop: stop) {
                guard let kept = selection.kept[item.split] else {
                    // A split of which nothing is said stays whole.
                    return (item.document, item.split)
                }
                if kept[item.position] {
                    return (item.document, item.split)
                }
            }
            return nil
        }
    }
}

/// How far a pass over a corpus is, by the bytes of its files, and what it has come across.
package final class ReadingProgress {
    private let name: String
    private let handler: ProgressHandler?
    private let total: Int?
    private var done = 0
    /// Bytes of the files before the present one.
    private var before = 0
    private var reported = ContinuousClock.now
    private var hasNotedPage = false

    package init(_ name: String, _ handler: ProgressHandler?, total: Int?) {
        (self.name, self.handler, self.total) = (name, handler, total)
    }

    package func note(_ notice: String) { handler?(WorkProgress(notice: notice)) }

    /// Says once that a text is a page of HTML or XML, as it may be a message of a server.
    func noteIfPage(_ text: [UInt8], _ path: String) {
        guard !hasNotedPage, let page = SniffedInput.page(text) else { return }
        hasNotedPage = true
        note("\(path) is \(page), and is read as text")
    }

    func begin() { before = done }

    func reach(_ consumed: Int) {
        done = before + consumed
        report()
    }

    func add(_ bytes: Int) {
        done += bytes
        report()
    }

    package func report(last: Bool = false) {
        guard let handler, last || ContinuousClock.now - reported > .milliseconds(200) else {
            return
        }
        reported = .now
        handler(WorkProgress("reading \(name)", done: done, total: total, unit: "bytes"))
    }
}
