import RuntimeSupport

/// What makes ids of words: the same for all threads.
struct WordSymbols: Sendable {
    let table: MergeTable
    /// The id of each byte, -1 for those without.
    let byteIds: [Int32]
    /// How characters become symbols, where words are not bytes.
    let characters: CharacterSymbols?
    /// The ids of words that merges are ignored for.
    let whole: [[UInt8]: Int32]
}

/// What one thread needs to encode: the rules, a cache of words, and room to merge in.
final class WordEncoder: @unchecked Sendable {
    // In the hands of one thread at a time: taken from and given back to the tokenizer's list under its lock.
    private let rules: WordSymbols
    private let cache = WordCache()
    private var symbols: [Int32] = []
    private var ranks: [UInt64] = []

    init(_ rules: WordSymbols) { self.rules = rules }

    /// Appends the ids of `text`.
    ///
    /// - Throws: `Interrupted` when `stop` says so, which is asked now and then.
    func encode(
        _ text: UnsafeRawBufferPointer, _ splitter: TextSplitter, _ place: TextSplitter.Place,
        _ stop: ShouldStop, into ids: inout [Int32]
    ) throws {
        var polled = 0
        func poll(_ start: Int) throws {
            guard start - polled > 1 << 20 else { return }
            polled = start
            if stop() { throw Interrupted("interrupted while encoding text") }
        }
        if splitter.isGPT2 {
            try WordPattern.forEachWord(text) { start, end in
                try poll(start)
                encode(UnsafeRawBufferPointer(rebasing: text[start..<end]), into: &ids)
            }
        } else if let known = splitter.known {
            try known.forEachWord(text) { start, end in
                try poll(start)
                encode(UnsafeRawBufferPointer(rebasing: text[start..<end]), into: &ids)
            }
        } else if let characters = rules.characters {
            var done = 0
            try splitter.forEachWord(text, place, stop) { word in
                // A word that is a token stays whole.
                if !rules.whole.isEmpty { return encode(word, into: &ids) }
                try characters.forEachPart(word) { part in
                    done += part.count
                    try poll(done)
                    encode(part, into: &ids)
                }
            }
        } else {
            var done = 0
            try splitter.forEachWord(text, place, stop) { word in
                done += word.count
                try poll(done)
                encode(word, into: &ids)
            }
        }
    }

    /// Appends the ids of a word.
    @inline(__always)
    private func encode(_ word: UnsafeRawBufferPointer, into ids: inout [Int32]) {
        if word.count == 1, rules.characters == nil {
            return ids.append(rules.byteIds[Int(word[0])])
        }
        guard word.count <= WordCache.longest else {
            merge(word)
            return ids.append(contentsOf: symbols)
        }
        let hash = WordCache.hash(word)
        if cache.append(word, hash: hash, to: &ids) { return }
        merge(word)
        cache.insert(word, hash: hash, ids: symbols)
        ids.append(contentsOf: symbols)
    }

    private func merge(_ word: UnsafeRawBufferPointer) {
        symbols.removeAll(keepingCapacity: true)
        if !rules.whole.isEmpty, let id = rules.whole[Array(word)] { return symbols.append(id) }
        if let characters = rules.characters {
            characters.symbols(word, into: &symbols)
        } else {
            for byte in word { symbols.append(rules.byteIds[Int(byte)]) }
        }
        rules.table.apply(&symbols, &ranks)
    }
}
