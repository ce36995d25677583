import RuntimeSupport

/// The documents of some files of a corpus, one at a time, those without text left out.
package final class DocumentFiles {
    /// What was found on the way.
    package struct Findings {
        /// Bad lines left out, and the first of them.
        package var skipped = 0
        package var firstSkipped: String?
        /// Documents without text.
        package var empty = 0
        /// Records that the condition leaves out.
        package var tally = ConditionTally()
    }

    private let corpus: Corpus
    private let files: [String]
    private let keepsRecords: Bool
    private let progress: ReadingProgress
    private var index = 0
    private var records: (any RecordInput)?
    private var seenFields: Set<String> = []
    package private(set) var findings = Findings()

    package init(
        _ corpus: Corpus, _ files: [String], keepsRecords: Bool, _ progress: ReadingProgress
    ) {
        self.corpus = corpus
        self.files = files
        self.keepsRecords = keepsRecords
        self.progress = progress
    }

    /// The next document; `nil` after the last.
    ///
    /// - Throws: `TextError` and `FileError` naming file and line; `Interrupted` when `stop` says so.
    package func next(stop: ShouldStop) throws -> Document? {
        while index < files.count {
            guard let document = try nextOfFile(files[index], stop) else {
                index += 1
                continue
            }
            guard document.text.isEmpty else { return document }
            findings.empty += 1
        }
        return nil
    }

    /// Checks what only the end can show: a misspelt field would otherwise be missing everywhere without a word.
    package func finish() throws {
        let specification = corpus.specification
        guard specification.allowsMissing == true, !files.isEmpty,
            files.allSatisfy({ [.lines, .array].contains(CorpusFiles.Format.of($0)) })
        else { return }
        if case .chat = specification.fields { return }
        if let name = Set(specification.fields.names).subtracting(seenFields).min() {
            throw TextError(corpus.name, "none of its records has a field \"\(name)\"")
        }
    }

    private func nextOfFile(_ path: String, _ stop: ShouldStop) throws -> Document? {
        let specification = corpus.specification
        if records == nil {
            progress.begin()
            if CorpusFiles.Format.of(path) == .text {
                let document = try wholeText(path, stop: stop)
                index += 1
                return document
            }
            records = try RecordFile.open(
                path, fields: specification.fields, tokens: corpus.tokens,
                specification.recordOptions)
        }
        guard let records else { return nil }
        while try records.advance() {
            if stop() { throw Interrupted("interrupted while reading \(path)") }
            progress.reach(records.consumed)
            let read: Document?
            do {
                read = try records.document(stop: stop)
            } catch let error as TextError {
                guard specification.badLines == .skip else { throw error }
                findings.skipped += 1
                if findings.firstSkipped == nil { findings.firstSkipped = error.message }
                continue
            }
            guard var document = read else { continue }
            if specification.parsesSpecial != true { document.templateText = [] }
            document.location = records.line.map { "\(path):\($0)" } ?? path
            guard document.text.count <= specification.maximumDocumentBytes else {
                throw TextError(
                    path, line: records.line,
                    "the document is longer than \(specification.maximumDocumentBytes) bytes, the limit for a document"
                )
            }
            if keepsRecords { document.record = records.raw }
            return document
        }
        if let notice = records.notice { progress.note(notice) }
        if let seen = records.seenFields { seenFields.formUnion(seen) }
        findings.tally.add(records.tally)
        self.records = nil
        return nil
    }

    private func wholeText(_ path: String, stop: ShouldStop) throws -> Document {
        let input = try Compression.openText(path, allowsPages: true)
        let text = try WholeText.read(
            input, path, limit: corpus.specification.maximumDocumentBytes, stop: stop)
        progress.noteIfPage(text, path)
        progress.reach(input.consumed)
        return Document(text: text, location: path)
    }
}
