import Foundation
import RuntimeSupport
import Synchronization

/// What one whole pass over a corpus finds.
public struct CorpusSummary: Codable, Hashable, Sendable {
    /// One split of it.
    public struct Part: Codable, Hashable, Sendable {
        /// Documents, empty ones not counted.
        public var documents = 0
        /// Bytes of their text.
        public var textBytes = 0
        /// Bytes of their prompts, which the loss ignores.
        public var promptBytes = 0
        /// Of the documents in order, of nothing else: neither paths nor how they are spread over files.
        public var digest: Digest

        package init(digest: Digest) { self.digest = digest }
    }

    /// The splits by their raw names: `train`, `valid`, `test`.
    public var parts: [String: Part]
    /// Lines left out under the `skip` policy.
    public var skippedLines = 0
    /// The first of them, with its reason.
    public var firstSkipped: String?
    /// Documents without any text, left out.
    public var emptyDocuments = 0
    /// Documents of train, valid or test that also stand in another split; 0 unless overlap is allowed.
    public var overlapping = 0

    /// One split's part.
    public subscript(split: Split) -> Part {
        parts[split.rawValue] ?? Part(digest: DigestBuilder("documents").finish())
    }
}

/// Files of a corpus that are not what they were when they were first read.
public struct ChangedCorpus: RuntimeError {
    /// The corpus.
    public let name: String
    /// What was being done when it showed, such as `read`.
    public let activity: String

    /// `NAME: its files changed while they were ACTIVITY; run again`.
    public var message: String {
        "\(name): its files changed while they were \(activity); run again"
    }
}

extension CorpusSummary {
    fileprivate static let kind = "corpus summary 2"

    /// The summary in a file; `nil` when there is none, or none that can be used, which a notice then says.
    ///
    /// - Throws: `FileError` for a file that cannot be read.
    fileprivate static func kept(
        _ path: String, _ key: Digest, _ progress: ProgressHandler?
    ) throws -> CorpusSummary? {
        do {
            guard let content = try SealedFile.read(path, kind: kind, name: key.hex) else {
                return nil
            }
            guard content.isSealed else { throw DamagedFile(path, SealedFile.unsealed) }
            let summary = try SealedFile.decode(CorpusSummary.self, content, path)
            guard Set(summary.parts.keys) == Set(Split.allCases.map(\.rawValue)) else {
                throw DamagedFile(path, "the field parts does not have every split")
            }
            return summary
        } catch let error as DamagedFile {
            progress?(WorkProgress(notice: error.message + "; the corpus is read again"))
            return nil
        }
    }
}

/// Summaries made by this process.
package final class SummaryCache: Sendable {
    package let known = Mutex<[Digest: CorpusSummary]>([:])
}

extension Corpus {
    /// Reads the whole corpus once: counts, content digests, overlap between splits.
    ///
    /// With a `cache` folder the result is kept there under the names, sizes and times of the files, and a second call
    /// with unchanged files reads none of them.
    ///
    /// - Throws: whatever reading throws; `TextError` if the train split is empty or the splits overlap;
    ///   `ChangedCorpus` if a file changes meanwhile.
    public func summary(
        cache: String? = nil, progress: ProgressHandler? = nil, stop: ShouldStop = { false }
    ) throws -> CorpusSummary {
        let stamps = try stamps()
        let key = try summaryKey(stamps)
        if let known = summaries.known.withLock({ $0[key] }) { return known }
        let path = cache.map { Self.summaryPath($0, key) }
        if let path, let kept = try CorpusSummary.kept(path, key, progress) {
            summaries.known.withLock { $0[key] = kept }
            return kept
        }
        let summary =
            switch content {
            case .files, .generated: try scan(progress, stop)
            case .corpora(let corpora): try scan(corpora, cache, progress, stop)
            case .selection(let selection): try scan(selection, cache, progress, stop)
            }
        // A file that changed while it was read must not be remembered under its new time.
        let after = try stamps.map { try FileStamp($0.path) }
        guard after == stamps else { throw ChangedCorpus(name: name, activity: "read") }
        summaries.known.withLock { $0[key] = summary }
        if let path {
            let json = Array((try CanonicalJSON.text(summary) + "\n").utf8)
            try SealedFile.write(path, kind: CorpusSummary.kind, name: key.hex, json: json)
        }
        return summary
    }

    /// Forgets the summary of the files as they are now: what they hold is not what it says.
    func forgetSummary(cache: String?) {
        guard let stamps = try? stamps(), let key = try? summaryKey(stamps) else { return }
        summaries.known.withLock { $0[key] = nil }
        if let cache { unlink(Self.summaryPath(cache, key)) }
        switch content {
        case .files, .generated: break
        case .corpora(let corpora): for corpus in corpora { corpus.forgetSummary(cache: cache) }
        case .selection(let selection): selection.corpus.forgetSummary(cache: cache)
        }
    }

    private static func summaryPath(_ cache: String, _ key: Digest) -> String {
        "\(cache)/corpora/\(key.hex).json"
    }

    /// The digest of all three splits: of their documents in order and nothing else.
    public func digest(
        cache: String? = nil, progress: ProgressHandler? = nil, stop: ShouldStop = { false }
    ) throws -> Digest {
        let summary = try summary(cache: cache, progress: progress, stop: stop)
        var builder = DigestBuilder("corpus")
        for split in Split.allCases { builder.add(summary[split].digest) }
        return builder.finish()
    }

    /// Of its files, as they look now, and of how they are read.
    func summaryKey() throws -> Digest { try summaryKey(stamps()) }

    private func summaryKey(_ stamps: [FileStamp]) throws -> Digest {
        var builder = DigestBuilder("corpus summary 2")
        switch content {
        case .files, .generated: break
        case .corpora(let corpora):
            builder.add("corpora")
            builder.add(specification.allowsOverlap ? 1 : 0)
            for corpus in corpora { builder.add(try corpus.summaryKey()) }
            return builder.finish()
        case .selection(let selection):
            builder.add("selection")
            builder.add(selection.digest)
            builder.add(try selection.corpus.summaryKey(stamps))
            return builder.finish()
        }
        // Names do not change what is read.
        var specification = specification
        specification.name = ""
        builder.add(try CanonicalJSON.text(specification))
        builder.add(EmbeddedCorpus.version)
        builder.add(try CanonicalJSON.text(stamps))
        return builder.finish()
    }

    private func scan(
        _ progress: ProgressHandler?, _ stop: ShouldStop
    ) throws -> CorpusSummary {
        let reading = ReadingProgress(name, progress, total: try fileBytes())
        var findings = DocumentFiles.Findings()
        var counter = SplitCounter(specification.allowsOverlap, name)
        if case .files(let files) = content {
            // Splits with files of their own come first; only their hashes are kept, and train is checked against them.
            for split in [Split.valid, .test, .train] where !(files[split] ?? []).isEmpty {
                let input = DocumentFiles(self, files[split] ?? [], keepsRecords: false, reading)
                while let document = try input.next(stop: stop) {
                    let hash = ContentHash(document.text)
                    try counter.add(
                        document, hash, split == .train ? self.split(ofHash: hash) : split,
                        isHeld: split != .train)
                }
                try input.finish()
                findings.skipped += input.findings.skipped
                if findings.firstSkipped == nil {
                    findings.firstSkipped = input.findings.firstSkipped
                }
                findings.empty += input.findings.empty
                findings.tally.add(input.findings.tally)
            }
        } else {
            let reader = try CorpusReader(self, progress: progress)
            while let item = try reader.next(stop: stop) {
                try counter.add(
                    item.document, ContentHash(item.document.text), item.split, isHeld: false)
            }
        }
        reading.report(last: true)
        var summary = counter.finish()
        summary.skippedLines = findings.skipped
        summary.firstSkipped = findings.firstSkipped
        summary.emptyDocuments = findings.empty
        guard summary[.train].documents > 0 else {
            let skipped = findings.skipped > 0 ? ", \(findings.skipped) bad lines were skipped" : ""
            let left = findings.tally.leftOut
            if let condition = specification.condition, left > 0 {
                throw TextError(
                    name,
                    "its train split is empty: of \(left) records none or too few have \(condition.words); "
                        + findings.tally.words(condition))
            }
            throw TextError(
                name,
                "its train split is empty (\(findings.empty) empty documents\(skipped)); "
                    + "expected at least one document with text")
        }
        return summary
    }

    /// The summary of several corpora together.
    private func scan(
        _ corpora: [Corpus], _ cache: String?, _ progress: ProgressHandler?, _ stop: ShouldStop
    ) throws -> CorpusSummary {
        // What is wrong with one of them is said of that one.
        let parts = try corpora.map { try $0.summary(cache: cache, progress: progress, stop: stop) }
        var counter = SplitCounter(specification.allowsOverlap, name)
        // Equal documents that are divided alike are in equal splits.
        let passes: [Set<Split>] =
            division == nil ? [[.valid, .test], [.train]] : [Set(Split.allCases)]
        for splits in passes {
            let reader = try CorpusReader(self, splits: splits, progress: progress)
            while let item = try reader.next(stop: stop) {
                try counter.add(
                    item.document, ContentHash(item.document.text), item.split,
                    isHeld: division == nil && item.split != .train)
            }
        }
        var summary = counter.finish()
        summary.skippedLines = parts.reduce(0) { $0 + $1.skippedLines }
        summary.firstSkipped = parts.lazy.compactMap(\.firstSkipped).first
        summary.emptyDocuments = parts.reduce(0) { $0 + $1.emptyDocuments }
        return summary
    }

    /// The summary of some documents of another corpus.
    private func scan(
        _ selection: CorpusSelection, _ cache: String?, _ progress: ProgressHandler?,
        _ stop: ShouldStop
    ) throws -> CorpusSummary {
        let whole = try selection.corpus.summary(cache: cache, progress: progress, stop: stop)
        // What is allowed there is allowed here.
        var counter = SplitCounter(true, name)
        let reader = try CorpusReader(self, progress: progress)
        while let item = try reader.next(stop: stop) {
            try counter.add(
                item.document, ContentHash(item.document.text), item.split, isHeld: false)
        }
        var summary = counter.finish()
        summary.skippedLines = whole.skippedLines
        summary.firstSkipped = whole.firstSkipped
        guard summary[.train].documents > 0 else {
            throw TextError(
                name,
                "its train split is empty: none of the \(whole[.train].documents) documents that were "
                    + "\(selection.activity) is left")
        }
        return summary
    }
}

/// Counts the documents of all splits, and notes those that stand in more than one.
struct SplitCounter {
    private let allowsOverlap: Bool
    private let name: String
    private var digests: [Split: DocumentsDigest] = [:]
    private var held: [ContentHash: (split: Split, location: String)] = [:]
    private var overlapping = 0

    /// - Parameters:
    ///   - allowsOverlap: whether a document may stand in more than one split.
    ///   - name: what messages call the corpus.
    init(_ allowsOverlap: Bool, _ name: String) {
        (self.allowsOverlap, self.name) = (allowsOverlap, name)
        for split in Split.allCases { digests[split] = DocumentsDigest() }
    }

    /// Counts a document; those that come later are compared with it if it `isHeld`.
    ///
    /// - Throws: `TextError` for a document that another split has, unless that is allowed.
    mutating func add(
        _ document: borrowing Document, _ hash: ContentHash, _ split: Split, isHeld: Bool
    ) throws {
        digests[split]?.add(document, hash)
        if let other = held[hash], other.split != split {
            overlapping += 1
            guard !allowsOverlap else { return }
            throw TextError(
                name,
                "the same document is in \(other.split) (\(other.location)) and in \(split) (\(document.location)); "
                    + "remove it from one of them, or allow overlap")
        } else if isHeld {
            held[hash] = (split, document.location)
        }
    }

    func finish() -> CorpusSummary {
        var summary = CorpusSummary(
            parts: Dictionary(
                uniqueKeysWithValues: digests.map { ($0.key.rawValue, $0.value.finish()) }))
        summary.overlapping = overlapping
        return summary
    }
}

/// Digests documents one after another.
struct DocumentsDigest {
    private var builder = DigestBuilder("documents")
    private var documents = 0
    private var textBytes = 0
    private var promptBytes = 0

    mutating func add(_ document: borrowing Document, _ hash: ContentHash) {
        builder.add(hash.high)
        builder.add(hash.low)
        builder.add(document.text.count)
        builder.add(document.promptBytes)
        if !document.turns.isEmpty {
            builder.add("turns")
            builder.add(document.turns.count)
            for place in document.turns { builder.add(place) }
        }
        if !document.templateText.isEmpty {
            builder.add("template text")
            builder.add(document.templateText.count)
            for range in document.templateText {
                builder.add(range.lowerBound)
                builder.add(range.upperBound)
            }
        }
        if let ids = document.ids {
            builder.add("ids")
            builder.add(ids.count)
            ids.withUnsafeBytes { builder.add(bytes: $0) }
        }
        documents += 1
        textBytes += document.text.count
        promptBytes += document.ignoredBytes
    }

    func finish() -> CorpusSummary.Part {
        var part = CorpusSummary.Part(digest: builder.finish())
        part.documents = documents
        part.textBytes = textBytes
        part.promptBytes = promptBytes
        return part
    }
}
