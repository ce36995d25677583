import RuntimeSupport

/// Where the documents of a corpus come from.
package enum CorpusContent: Sendable {
    /// Files: those of `train` are divided by content, those of other splits are these splits.
    case files([Split: [String]])
    /// A generator, divided by content.
    case generated(EmbeddedCorpus)
    /// The documents of other corpora, one after another, each in the split it has there.
    case corpora([Corpus])
    /// Some documents of another corpus.
    case selection(CorpusSelection)
}

/// Which documents of a corpus another one has.
package struct CorpusSelection: Sendable {
    /// The corpus that the documents are from.
    package let corpus: Corpus
    /// By split, whether it has the document at a position of the split; a split that is missing stays whole.
    package let kept: [Split: Flags]
    /// What was done to the files when they were read to choose, such as `filtered`.
    package let activity: String
    /// What its files looked like then.
    package let stamps: [FileStamp]

    /// Of what decides which documents it has.
    package var digest: Digest {
        var builder = DigestBuilder("corpus selection")
        for split in Split.allCases {
            builder.add(kept[split]?.count ?? -1)
            kept[split]?.words.withUnsafeBytes { builder.add(bytes: $0) }
        }
        return builder.finish()
    }
}

/// A list of truth values, one bit each.
package struct Flags: Sendable, Hashable {
    fileprivate(set) var words: [UInt64] = []
    /// How many.
    package private(set) var count = 0
    /// How many are true.
    package private(set) var trueCount = 0

    package init() {}

    /// As many as said, all false.
    package init(count: Int) {
        self.count = count
        words = Array(repeating: 0, count: (count + 63) / 64)
    }

    /// Whether the one at `index` is true; false beyond the end.
    package subscript(index: Int) -> Bool {
        index < count && words[index / 64] >> UInt64(index % 64) & 1 == 1
    }

    package mutating func append(_ flag: Bool) {
        if count % 64 == 0 { words.append(0) }
        count += 1
        if flag { set(count - 1) }
    }

    /// Makes the one at `index` true.
    package mutating func set(_ index: Int) {
        guard !self[index] else { return }
        words[index / 64] |= 1 << UInt64(index % 64)
        trueCount += 1
    }
}

/// How documents are divided by their content; equal divisions put equal documents into equal splits.
package struct Division: Hashable, Sendable {
    let seed: UInt64
    let valid: Double
    let test: Double

    /// Where a document belongs: a pure function of its bytes, the seed and the fractions.
    package func split(ofHash hash: ContentHash) -> Split {
        guard valid + test > 0 else { return .train }
        let point = RandomStream(seed: seed, "split").uniform(hash.high)
        if point < valid { return .valid }
        return point < valid + test ? .test : .train
    }
}
