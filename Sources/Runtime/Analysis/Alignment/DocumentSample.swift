import RuntimeData
import RuntimeSupport

/// The documents that stand for a corpus, each cut to its first characters.
package enum DocumentSample {
    /// Text that is held at a time, so that memory does not depend on how much is read.
    private static let batchBytes = 8 << 20

    /// Reads the sample of a corpus and gives the beginnings of its documents in order, some megabytes at a time.
    ///
    /// - Throws: whatever reading throws; `InvalidValue` when the split holds no document.
    package static func forEachBatch(
        _ corpus: Corpus, _ settings: SimilaritySettings, stop: ShouldStop,
        _ body: ([[UInt8]]) throws -> Void
    ) throws {
        var batch: [[UInt8]] = []
        var (held, documents) = (0, 0)
        func add(_ text: [UInt8]) throws {
            batch.append(text)
            held += text.count
            documents += 1
            guard held >= batchBytes else { return }
            try body(batch)
            batch = []
            held = 0
        }
        switch settings.sampling {
        case .first:
            try corpus.forEachFirst(settings.documents, of: settings.split, stop: stop) {
                try add(beginning($0, characters: settings.characters))
            }
        case .random: for text in try lowest(corpus, settings, stop: stop) { try add(text) }
        }
        guard documents > 0 else {
            throw InvalidValue(
                "corpus \"\(corpus.name)\"",
                expected: "documents in the split \(settings.split.rawValue)", found: "none")
        }
        if !batch.isEmpty { try body(batch) }
    }

    /// The first `characters` Unicode scalars of valid UTF-8.
    package static func beginning(_ text: [UInt8], characters: Int) -> [UInt8] {
        guard text.count > characters else { return text }
        var seen = 0
        for (index, byte) in text.enumerated() where byte & 0xc0 != 0x80 {
            if seen == characters { return Array(text[..<index]) }
            seen += 1
        }
        return text
    }

    private typealias Ranked = (hash: ContentHash, order: Int, text: [UInt8])

    /// The documents of the lowest content hashes, in the order of their hashes.
    private static func lowest(
        _ corpus: Corpus, _ settings: SimilaritySettings, stop: ShouldStop
    ) throws -> [[UInt8]] {
        func precedes(_ a: Ranked, _ b: Ranked) -> Bool {
            (a.hash.high, a.hash.low, a.order) < (b.hash.high, b.hash.low, b.order)
        }
        var kept: [Ranked] = []
        var bound: ContentHash?
        var order = 0
        try corpus.forEachDocument(settings.split, stop: stop) { document in
            let hash = ContentHash(document.text)
            order += 1
            if let bound, (hash.high, hash.low) > (bound.high, bound.low) { return }
            kept.append(
                (hash, order, beginning(document.text, characters: settings.characters)))
            // Twice as many as wanted, then half of them go: sorting costs little a document.
            if kept.count >= 2 * settings.documents {
                kept.sort(by: precedes)
                kept.removeLast(kept.count - settings.documents)
                bound = kept.last?.hash
            }
        }
        kept.sort(by: precedes)
        return kept.prefix(settings.documents).map(\.text)
    }
}
