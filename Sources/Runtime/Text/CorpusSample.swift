extension Corpus {
    private struct Enough: Error {}

    /// The texts of the first `count` documents of a split, reading no further.
    ///
    /// - Throws: as `forEachDocument`.
    public func firstDocuments(_ split: Split, _ count: Int, stop: ShouldStop = { false }) throws
        -> [[UInt8]]
    {
        var texts: [[UInt8]] = []
        do {
            try forEachDocument(split, stop: stop) { document in
                texts.append(document.text)
                if texts.count >= count { throw Enough() }
            }
        } catch is Enough {}
        return texts
    }
}
