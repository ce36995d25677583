/// The documents that stand for a corpus, each cut to its first characters.
struct DocumentSample {
    /// The beginnings of the documents.
    let texts: [[UInt8]]

    /// Reads the sample of a corpus.
    ///
    /// - Throws: whatever reading throws; `InvalidValue` when the split holds no document.
    init(_ corpus: Corpus, _ settings: SimilaritySettings, stop: ShouldStop) throws {
        let texts =
            switch settings.sampling {
            case .first:
                try corpus.firstDocuments(settings.split, settings.documents, stop: stop).map {
                    Self.beginning($0, characters: settings.characters)
                }
            case .random: try Self.lowest(corpus, settings, stop: stop)
            }
        guard !texts.isEmpty else {
            throw InvalidValue(
                "corpus \"\(corpus.name)\"",
                expected: "documents in the split \(settings.split.rawValue)", found: "none")
        }
        self.texts = texts
    }

    /// The first `characters` Unicode scalars of valid UTF-8.
    static func beginning(_ text: [UInt8], characters: Int) -> [UInt8] {
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
