import Foundation
import RuntimeSupport

/// Named documents, divided once into train, valid and test by the content of each document.
///
/// Reading is streaming and in a fixed order: files in the order given, documents in the order of the file.
public final class Corpus: Sendable {
    /// What it was made from.
    public let specification: CorpusSpecification
    /// The name, used in messages and tables.
    public var name: String { specification.name }
    /// The files of each split that has its own; `train` holds those that are divided by content.
    package let files: [Split: [String]]
    private let generator: EmbeddedCorpus?
    /// The tokenizer of its token files.
    package let tokens: (any TokenText)?
    /// Whole summaries by what their files looked like, so that one process scans once.
    package let summaries = SummaryCache()

    /// Opens a corpus: resolves its files, reads none of them.
    ///
    /// - Parameter tokens: the tokenizer of token files (`.bin`), which are an error without it.
    /// - Throws: `InvalidValue` for a field out of range, `FileError` for a path, glob or folder without text.
    public init(_ specification: CorpusSpecification, tokens: (any TokenText)? = nil) throws {
        try specification.validate()
        var specification = specification
        specification.tokenizer = tokens?.digest.hex
        self.specification = specification
        self.tokens = tokens
        generator = try specification.embedded.map { try EmbeddedCorpus.named($0) }
        files = [
            .train: try CorpusFiles.expand(specification.files),
            .valid: try CorpusFiles.expand(specification.validFiles),
            .test: try CorpusFiles.expand(specification.testFiles),
        ]
        let all = Split.allCases.flatMap { files[$0] ?? [] }
        if tokens == nil, let file = all.first(where: { CorpusFiles.Format.of($0) == .tokens }) {
            throw FileError(
                "read", file, reason: "a file of tokens is read with the tokenizer that made it")
        }
        // A wrong path of a field is an error before anything is read.
        _ = try RecordReader(specification.fields)
        if case .chat(let chat) = specification.fields { try specification.chat?.check(chat) }
    }

    /// Calls `body` with each document of `split`, in order.
    ///
    /// - Throws: `TextError` and `FileError` naming file and line; `Interrupted` when `stop` says so; whatever `body` throws.
    public func forEachDocument(
        _ split: Split, stop: ShouldStop = { false }, _ body: (borrowing Document) throws -> Void
    ) throws {
        let own = split != .train && !(files[split] ?? []).isEmpty
        var reading = Reading(progress: nil, total: nil)
        if own {
            try read(split, &reading, stop: stop) { document, _ in try body(document) }
        } else {
            try read(.train, &reading, stop: stop) { document, _ in
                if self.split(ofHash: ContentHash(document.text)) == split { try body(document) }
            }
        }
    }

    /// Where a document of the divided files belongs.
    ///
    /// A pure function of its bytes, the split seed and the fractions, so that equal documents stay together.
    package func split(ofHash hash: ContentHash) -> Split {
        let valid = (files[.valid] ?? []).isEmpty ? specification.validFraction : 0
        let test = (files[.test] ?? []).isEmpty ? specification.testFraction : 0
        guard valid + test > 0 else { return .train }
        let point = RandomStream(seed: specification.splitSeed, "split").uniform(hash.high)
        if point < valid { return .valid }
        return point < valid + test ? .test : .train
    }

    /// State of one pass: counts, and progress by bytes of the files.
    package struct Reading {
        package let progress: ProgressHandler?
        package let total: Int?
        package var done = 0
        package var skipped = 0
        package var empty = 0
        package var firstSkipped: String?
        /// Fields that some record had, where a record may lack one.
        package var seenFields: Set<String> = []
        private var hasNotedPage = false
        private var reported = ContinuousClock.now

        init(progress: ProgressHandler?, total: Int?) {
            self.progress = progress
            self.total = total
        }

        package func note(_ notice: String) { progress?(WorkProgress(notice: notice)) }

        /// Says once that a text is a page of HTML or XML, as it may be a message of a server.
        mutating func noteIfPage(_ text: [UInt8], _ path: String) {
            guard !hasNotedPage, let page = SniffedInput.page(text) else { return }
            hasNotedPage = true
            note("\(path) is \(page), and is read as text")
        }

        package mutating func report(_ name: String, last: Bool = false) {
            guard let progress, last || ContinuousClock.now - reported > .milliseconds(200) else {
                return
            }
            reported = .now
            progress(WorkProgress("reading \(name)", done: done, total: total, unit: "bytes"))
        }
    }

    /// Reads the files that `split` names itself (for `train`, those that are divided), empty documents left out.
    package func read(
        _ split: Split, _ reading: inout Reading, stop: ShouldStop,
        _ body: (Document, Int) throws -> Void
    ) throws {
        if let generator, split == .train {
            let bytes = specification.bytes ?? generator.defaultBytes
            try generator.forEachDocument(bytes: bytes, seed: specification.embeddedSeed) {
                document in
                if stop() { throw Interrupted("interrupted while generating \(name)") }
                reading.done += document.text.count
                reading.report(name)
                try body(document, 0)
            }
            return
        }
        for (index, path) in (files[split] ?? []).enumerated() {
            var empty = 0
            try read(path, &reading, stop: stop) { document in
                if document.text.isEmpty {
                    empty += 1
                } else {
                    try body(document, index)
                }
            }
            reading.empty += empty
        }
        try checkFields(split, reading.seenFields)
    }

    /// A misspelt field would otherwise be missing everywhere without a word.
    private func checkFields(_ split: Split, _ seen: Set<String>) throws {
        let files = files[split] ?? []
        guard specification.allowsMissing == true, !files.isEmpty,
            files.allSatisfy({ [.lines, .array].contains(CorpusFiles.Format.of($0)) })
        else { return }
        if case .chat = specification.fields { return }
        if let name = Set(specification.fields.names).subtracting(seen).min() {
            throw TextError(self.name, "none of its records has a field \"\(name)\"")
        }
    }

    private func read(
        _ path: String, _ reading: inout Reading, stop: ShouldStop,
        _ body: (Document) throws -> Void
    ) throws {
        let before = reading.done
        if CorpusFiles.Format.of(path) == .text {
            let input = try Compression.openText(path, allowsPages: true)
            let text = try wholeText(input, path, stop: stop)
            reading.noteIfPage(text, path)
            reading.done = before + input.consumed
            reading.report(name)
            return try body(Document(text: text, location: path))
        }
        let records = try RecordFile.open(
            path, fields: specification.fields, tokens: tokens, specification.recordOptions)
        while try records.advance() {
            if stop() { throw Interrupted("interrupted while reading \(path)") }
            reading.done = before + records.consumed
            reading.report(name)
            var document: Document
            do {
                document = try records.document(stop: stop)
            } catch let error as TextError {
                guard specification.badLines == .skip else { throw error }
                reading.skipped += 1
                if reading.firstSkipped == nil { reading.firstSkipped = error.message }
                continue
            }
            if specification.parsesSpecial != true { document.templateText = [] }
            document.location = records.line.map { "\(path):\($0)" } ?? path
            guard document.text.count <= specification.maximumDocumentBytes else {
                throw TextError(
                    path, line: records.line,
                    "the document is longer than \(specification.maximumDocumentBytes) bytes, the limit for a document"
                )
            }
            try body(document)
        }
        if let notice = records.notice { reading.note(notice) }
        if let seen = records.seenFields { reading.seenFields.formUnion(seen) }
    }

    private func wholeText(
        _ input: any ByteInput, _ path: String, stop: ShouldStop
    ) throws -> [UInt8] {
        var text: [UInt8] = []
        var checked = 1 << 24
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { piece.deallocate() }
        while true {
            if stop() { throw Interrupted("interrupted while reading \(path)") }
            let count = try input.read(into: piece)
            if count == 0 { break }
            text.append(contentsOf: piece[..<count])
            if text.count >= checked {
                checked *= 2
                // A list that is full doubles, and the text is copied when it is encoded.
                try Memory.require(
                    [("copies", 4 * text.count)],
                    for: "a text of more than \(text.count) bytes in \(path)")
            }
            guard text.count <= specification.maximumDocumentBytes else {
                throw TextError(
                    path,
                    "the document is longer than \(specification.maximumDocumentBytes) bytes; "
                        + "divide it into documents, one on each line of a .jsonl file")
            }
        }
        Self.removeMarks(&text)
        if let position = text.withUnsafeBytes({ UTF8Check.firstInvalid($0) }) {
            let line = text[..<position].count { $0 == 10 } + 1
            throw TextError(path, line: line, "byte \(position + 1) of the text is not UTF-8")
        }
        if let position = text.firstIndex(of: 0) {
            let line = text[..<position].count { $0 == 10 } + 1
            throw TextError(
                path, line: line,
                "byte \(position + 1) of the text is NUL, which no text holds")
        }
        return text
    }

    /// Removes byte order marks from where lines begin; those within are of files that were joined.
    private static func removeMarks(_ text: inout [UInt8]) {
        let mark = ByteWindow.mark
        var kept: [UInt8] = []
        var from = 0
        var place = text.firstIndex(of: mark[0])
        while let found = place {
            let begins = found == 0 || text[found - 1] == 10 || text[found - 1] == 13
            if begins, text[found...].starts(with: mark) {
                kept += text[from..<found]
                from = found + 3
            }
            place = text[(found + 1)...].firstIndex(of: mark[0])
        }
        if from > 0 { text = kept + text[from...] }
    }
}

/// The first 128 bits of the SHA-256 of a document's text: equal documents have equal hashes.
package struct ContentHash: Hashable {
    package let high: UInt64
    package let low: UInt64

    package init(_ text: [UInt8]) {
        var hasher = SHA256()
        hasher.add(text)
        (high, low) = hasher.finish().withUnsafeBytes {
            (
                $0.loadUnaligned(as: UInt64.self),
                $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
    }
}
