import RuntimeSupport

extension Corpus {
    private struct Enough: Error {}

    /// The texts of the first `count` documents of a split, reading no further.
    ///
    /// - Throws: as `forEachDocument`.
    public func firstDocuments(_ split: Split, _ count: Int, stop: ShouldStop = { false }) throws
        -> [[UInt8]]
    {
        var texts: [[UInt8]] = []
        try forEachFirst(count, of: split, stop: stop) { texts.append($0) }
        return texts
    }

    /// Gives the texts of the first `count` documents of a split, reading no further.
    ///
    /// - Throws: as `forEachDocument`.
    package func forEachFirst(
        _ count: Int, of split: Split, stop: ShouldStop, _ body: ([UInt8]) throws -> Void
    ) throws {
        var done = 0
        do {
            try forEachDocument(split, stop: stop) { document in
                try body(document.text)
                done += 1
                if done >= count { throw Enough() }
            }
        } catch is Enough {}
    }
}
