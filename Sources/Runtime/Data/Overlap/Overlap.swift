import RuntimeSupport

/// What documents held out for testing have in common with documents that are trained on.
public struct Overlap: Codable, Sendable {
    /// How documents are compared.
    public struct Settings: Codable, Hashable, Sendable {
        /// Words of the runs whose appearance in both documents counts as overlap.
        public var words = 13
        /// The Jaccard similarity from which two documents are near-duplicates.
        public var near = 0.8
        /// Words of the runs that the similarity is over.
        public var shingle = 5
        /// Which splits of the tested corpora are held out.
        public var splits: [Split] = [.valid, .test]
        /// The seed of the hashes by which candidates are found; found pairs are verified.
        public var seed: UInt64 = 1
        /// How many examples of each kind are kept for two corpora.
        public var examples = 3

        /// Runs of 13 words, and Jaccard similarity 0.8 over runs of 5.
        public init() {}

        func validate() throws {
            for (name, value) in [("n", words), ("shingle", shingle)]
            where !(1...1000).contains(value) {
                throw InvalidValue(name, expected: "1 ... 1000 words", found: value)
            }
            guard near > 0, near <= 1 else {
                throw InvalidValue(
                    "near", expected: "a similarity above 0 and at most 1", found: near)
            }
            guard !splits.isEmpty else {
                throw InvalidValue("splits", expected: "at least one split", found: "none")
            }
            guard (0...1000).contains(examples) else {
                throw InvalidValue("examples", expected: "0 ... 1000", found: examples)
            }
        }
    }

    /// How a held-out document is like one that is trained on.
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// Byte for byte the same text.
        case exact
        /// A similarity of at least `near`.
        case near
        /// A run of words in common.
        case words
    }

    /// Counts of one corpus that is trained on and one that is tested.
    public struct Pair: Codable, Sendable {
        /// The name of the corpus that is trained on.
        public let train: String
        /// The name of the corpus that is tested.
        public let test: String
        /// Held-out documents.
        public let documents: Int
        /// Those whose text a trained document has, byte for byte.
        public internal(set) var exact = 0
        /// Further ones that are near-duplicates of a trained document.
        public internal(set) var near = 0
        /// Those that have a run of words in common with a trained document, the exact and near ones among them.
        public internal(set) var overlapping = 0
        /// Those with too few words for such a run.
        public internal(set) var short = 0
        /// The share of the different runs of words of the held-out documents that trained documents have.
        public internal(set) var share = 0.0
    }

    /// A held-out document and the trained document that is most like it.
    public struct Example: Codable, Sendable {
        /// A document of a corpus.
        public struct Place: Codable, Sendable {
            /// The corpus.
            public let corpus: String
            /// Which document of it, from 1.
            public let index: Int
            /// Where it was read.
            public let location: String
            /// The beginning of its text.
            public let text: String
        }

        /// How they are alike.
        public let kind: Kind
        /// The Jaccard similarity, or of `words` the share of the held-out document's runs that the trained one has.
        public let similarity: Double
        /// The document that is trained on.
        public let train: Place
        /// The document that is held out.
        public let test: Place
    }

    /// How documents were compared.
    public let settings: Settings
    /// Every trained corpus with every tested one, in the order given.
    public let pairs: [Pair]
    /// The worst of each kind for each pair, in the order of the pairs; a document stands under its first kind only.
    public let examples: [Example]

    /// In a sentence what was found in some corpora, for each pair with anything; empty if nothing was.
    public var sentences: [String] {
        pairs.filter { $0.exact + $0.near + $0.overlapping > 0 }.map { pair in
            "of \(pair.documents) held-out documents of \(pair.test), \(pair.train) has \(pair.exact) exactly and "
                + "\(pair.near) nearly, and \(pair.overlapping) share \(settings.words) words in a row with it"
        }
    }
}
