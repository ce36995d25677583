import RuntimeSupport

/// Documents of a corpus by number, read one after another and kept while there is room for them.
///
/// Going on is cheap, and so is what was read lately; going further back reads again from the beginning, since compressed
/// files have no other way.
package final class DocumentCursor {
    /// The corpus.
    package let corpus: Corpus
    private let room: Int
    private var reader: CorpusReader?
    private var stamps: [FileStamp] = []
    /// The number of the next document of the reader, from 1.
    private var next = 1
    private var kept: [Int: NumberedDocument] = [:]
    /// The first of the numbers that are kept, all of which follow each other.
    private var first = 1
    private var bytes = 0
    private var count: Int?
    /// Calls since the files were last looked at.
    private var calls = 0

    /// - Parameter room: bytes of documents to keep.
    package init(_ corpus: Corpus, room: Int = 64 << 20) {
        self.corpus = corpus
        self.room = room
    }

    /// Document `number`, from 1; `nil` beyond the last.
    ///
    /// - Throws: errors of reading; `Interrupted` when `stop` says so.
    package func document(_ number: Int, stop: ShouldStop) throws -> NumberedDocument? {
        try look()
        if let known = kept[number] { return known }
        if let count, number > count { return nil }
        if number < next { restart(stamps) }
        if reader == nil { reader = try CorpusReader(corpus, keepsRecords: true) }
        while next <= number {
            let item: CorpusReader.Item?
            do {
                item = try reader?.next(stop: stop)
            } catch {
                // After an interrupt the next call begins again.
                reader = nil
                throw error
            }
            guard let item else {
                count = next - 1
                return nil
            }
            keep(NumberedDocument(number: next, document: item.document, split: item.split))
            next += 1
        }
        return kept[number]
    }

    /// Begins again if files have changed; of many files not at every call, which would cost more than reading.
    private func look() throws {
        calls += 1
        guard reader == nil || calls * 16 >= stamps.count else { return }
        calls = 0
        let present = try corpus.stamps()
        if present != stamps || reader == nil { restart(present) }
    }

    private func restart(_ present: [FileStamp]) {
        if present != stamps { count = nil }
        stamps = present
        reader = nil
        kept = [:]
        (next, first, bytes) = (1, 1, 0)
    }

    private func keep(_ document: NumberedDocument) {
        kept[document.number] = document
        bytes += Self.size(document)
        while bytes > room, first < document.number {
            if let old = kept.removeValue(forKey: first) { bytes -= Self.size(old) }
            first += 1
        }
    }

    private static func size(_ document: NumberedDocument) -> Int {
        let record =
            switch document.document.record {
            case .json(let bytes): bytes.count
            case .row(let values): values.reduce(0) { $0 + $1.value.count + 32 }
            case nil: 0
            }
        return document.document.text.count + 4 * (document.document.ids?.count ?? 0) + record + 200
    }
}
