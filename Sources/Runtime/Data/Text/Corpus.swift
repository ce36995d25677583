import Foundation
import RuntimeSupport

/// Named documents, divided once into train, valid and test by the content of each document.
///
/// Reading is streaming and in a fixed order: files in the order given, documents in the order of the file.
public final class Corpus: Sendable {
    /// What it was made from; of a corpus made of others only its name.
    public let specification: CorpusSpecification
    /// The name, used in messages and tables.
    public var name: String { specification.name }
    /// Where its documents come from.
    package let content: CorpusContent
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
        if let generator = specification.embedded {
            content = .generated(try EmbeddedCorpus.named(generator))
            return
        }
        let files: [Split: [String]] = [
            .train: try CorpusFiles.expand(specification.files),
            .valid: try CorpusFiles.expand(specification.validFiles),
            .test: try CorpusFiles.expand(specification.testFiles),
        ]
        content = .files(files)
        let all = Split.allCases.flatMap { files[$0] ?? [] }
        if tokens == nil, let file = all.first(where: { CorpusFiles.Format.of($0) == .tokens }) {
            throw FileError(
                "read", file, reason: "a file of tokens is read with the tokenizer that made it")
        }
        if specification.condition != nil,
            let file = all.first(where: { [.text, .tokens].contains(CorpusFiles.Format.of($0)) })
        {
            throw FileError(
                "read", file, reason: "it has no fields that `where` could name, only text")
        }
        // A wrong path of a field is an error before anything is read.
        _ = try RecordReader(specification.fields)
        if case .chat(let chat) = specification.fields { try specification.chat?.check(chat) }
    }

    /// A corpus made of others.
    package init(
        _ specification: CorpusSpecification, content: CorpusContent, tokens: (any TokenText)?
    ) {
        self.specification = specification
        self.content = content
        self.tokens = tokens
    }

    /// Calls `body` with each document of `split`, in order.
    ///
    /// - Throws: `TextError` and `FileError` naming file and line; `Interrupted` when `stop` says so; whatever `body` throws.
    public func forEachDocument(
        _ split: Split, stop: ShouldStop = { false }, _ body: (borrowing Document) throws -> Void
    ) throws {
        let reader = try CorpusReader(self, splits: [split])
        while let item = try reader.next(stop: stop) { try body(item.document) }
    }

    /// Where a document of the divided files belongs.
    package func split(ofHash hash: ContentHash) -> Split {
        Division(
            seed: specification.splitSeed,
            valid: hasOwnFiles(.valid) ? 0 : specification.validFraction,
            test: hasOwnFiles(.test) ? 0 : specification.testFraction
        ).split(ofHash: hash)
    }

    /// Whether a split has files of its own, or none at all.
    func hasOwnFiles(_ split: Split) -> Bool {
        guard split != .train, case .files(let files) = content else { return false }
        return !(files[split] ?? []).isEmpty
    }

    /// How all of its documents are divided by their content; `nil` if some split has files of its own.
    package var division: Division? {
        switch content {
        case .files, .generated:
            guard !hasOwnFiles(.valid), !hasOwnFiles(.test) else { return nil }
            return Division(
                seed: specification.splitSeed, valid: specification.validFraction,
                test: specification.testFraction)
        case .corpora(let corpora):
            let divisions = Set(corpora.map(\.division))
            return divisions.count == 1 ? divisions.first ?? nil : nil
        case .selection(let selection): return selection.corpus.division
        }
    }

    /// What its files look like.
    ///
    /// - Throws: `FileError`.
    package func stamps() throws -> [FileStamp] {
        switch content {
        case .files(let files):
            try Split.allCases.flatMap { try (files[$0] ?? []).map(FileStamp.init) }
        case .generated: []
        case .corpora(let corpora): try corpora.flatMap { try $0.stamps() }
        case .selection(let selection): try selection.corpus.stamps()
        }
    }

    /// Bytes of its files; `nil` if it is generated.
    func fileBytes() throws -> Int? {
        let stamps = try stamps()
        return stamps.isEmpty ? nil : stamps.reduce(0) { $0 + $1.size }
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
