import Foundation
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

        init(digest: Digest) { self.digest = digest }
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

/// Summaries made by this process.
final class SummaryCache: Sendable {
    let known = Mutex<[Digest: CorpusSummary]>([:])
}

extension Corpus {
    /// Reads the whole corpus once: counts, content digests, overlap between splits.
    ///
    /// With a `cache` folder the result is kept there under the names, sizes and times of the files, and a second call
    /// with unchanged files reads none of them.
    ///
    /// - Throws: whatever reading throws; `TextError` if the train split is empty or the splits overlap.
    public func summary(
        cache: String? = nil, progress: ProgressHandler? = nil, stop: ShouldStop = { false }
    ) throws -> CorpusSummary {
        let stamps = try Split.allCases.flatMap { try (files[$0] ?? []).map(FileStamp.init) }
        let key = try summaryKey(stamps)
        if let known = summaries.known.withLock({ $0[key] }) { return known }
        let path = cache.map { "\($0)/corpora/\(key.hex).json" }
        if let path, let bytes = try? FileReader.bytes(path),
            let kept = try? JSONDecoder().decode(CorpusSummary.self, from: Data(bytes))
        {
            summaries.known.withLock { $0[key] = kept }
            return kept
        }
        let summary = try scan(total: stamps.reduce(0) { $0 + $1.size }, progress, stop)
        // A file that changed while it was read must not be remembered under its new time.
        let after = try stamps.map { try FileStamp($0.path) }
        guard after == stamps else {
            throw TextError(name, "its files changed while they were read; read them again")
        }
        summaries.known.withLock { $0[key] = summary }
        if let path { try AtomicFile.write(path, json: summary) }
        return summary
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

    private func summaryKey(_ stamps: [FileStamp]) throws -> Digest {
        var builder = DigestBuilder("corpus summary 2")
        // Names do not change what is read.
        var specification = specification
        specification.name = ""
        builder.add(try CanonicalJSON.text(specification))
        builder.add(EmbeddedCorpus.version)
        builder.add(try CanonicalJSON.text(stamps))
        return builder.finish()
    }

    private func scan(
        total: Int, _ progress: ProgressHandler?, _ stop: ShouldStop
    ) throws -> CorpusSummary {
        let size = specification.embedded == nil ? total : nil
        var reading = Reading(progress: progress, total: size)
        var digests = [Split: DocumentsDigest]()
        for split in Split.allCases { digests[split] = DocumentsDigest() }
        // Splits with files of their own come first; only their hashes are kept, and train is checked against them.
        var held: [ContentHash: (split: Split, location: String)] = [:]
        var overlapping = 0
        func overlap(_ document: Document, _ split: Split, _ other: (Split, String)) throws {
            overlapping += 1
            guard !specification.allowsOverlap else { return }
            throw TextError(
                name,
                "the same document is in \(other.0) (\(other.1)) and in \(split) (\(document.location)); "
                    + "remove it from one of them, or allow overlap")
        }
        for split in [Split.valid, .test] where !(files[split] ?? []).isEmpty {
            try read(split, &reading, stop: stop) { document, _ in
                let hash = ContentHash(document.text)
                digests[split]?.add(document, hash)
                if let other = held[hash], other.split != split {
                    try overlap(document, split, other)
                } else {
                    held[hash] = (split, document.location)
                }
            }
        }
        try read(.train, &reading, stop: stop) { document, _ in
            let hash = ContentHash(document.text)
            let split = split(ofHash: hash)
            digests[split]?.add(document, hash)
            if let other = held[hash], other.split != split { try overlap(document, split, other) }
        }
        reading.report(name, last: true)
        var summary = CorpusSummary(
            parts: Dictionary(
                uniqueKeysWithValues: digests.map { ($0.key.rawValue, $0.value.finish()) }))
        summary.skippedLines = reading.skipped
        summary.firstSkipped = reading.firstSkipped
        summary.emptyDocuments = reading.empty
        summary.overlapping = overlapping
        guard summary[.train].documents > 0 else {
            let skipped = reading.skipped > 0 ? ", \(reading.skipped) bad lines were skipped" : ""
            throw TextError(
                name,
                "its train split is empty (\(reading.empty) empty documents\(skipped)); "
                    + "expected at least one document with text")
        }
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
