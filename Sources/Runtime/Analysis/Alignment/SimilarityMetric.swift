import RuntimeData
import RuntimeModel
import RuntimeSupport

/// A way to say how alike two collections of documents are.
public enum SimilarityMetric: String, CaseIterable, Sendable {
    /// Of the counts of single tokens: 0.4 · cosine + 0.3 · Jaccard + 0.3 / (1 + JSD).
    case tokens
    /// The cosine of the token counts.
    case tokenCosine = "token_cosine"
    /// Shared tokens over all tokens, each counted once.
    case tokenJaccard = "token_jaccard"
    /// 1 / (1 + JSD) of the token counts, JSD in nats.
    case tokenJensenShannon = "token_js"
    /// The cosine of the counts of sequences of n words.
    case words
    /// The cosine of the counts of sequences of n characters.
    case characters
    /// 1 − JSD / ln 2 of sequences of characters, the mean over several n.
    case charactersJensenShannon = "characters_js"
    /// Bits a byte of one collection under an n-gram model of the other: not symmetric, and lower is closer.
    case crossEntropy = "cross_entropy"
    /// 1 − the normalised compression distance, by zstd.
    case compression
    /// The cosine of a model's gradients: what lowers the loss on one lowers it on the other.
    case gradient

    /// The names, in the order above.
    public static let names = allCases.map(\.rawValue)

    /// Whether it counts tokens, so that a tokenizer is needed.
    public var needsTokenizer: Bool {
        switch self {
        case .tokens, .tokenCosine, .tokenJaccard, .tokenJensenShannon: true
        default: false
        }
    }

    /// Whether a larger value means further apart.
    public var isDistance: Bool { self == .crossEntropy }

    /// Whether it counts n-grams, so that their lengths matter.
    public var countsSequences: Bool {
        switch self {
        case .words, .characters, .charactersJensenShannon, .crossEntropy: true
        default: false
        }
    }

    /// The lengths of the sequences when none are given.
    var standardLengths: [Int] {
        switch self {
        case .characters: [3]
        case .charactersJensenShannon: [1, 2, 3, 4]
        case .crossEntropy: [5]
        default: [1]
        }
    }

    /// What a value is, for the axis of a figure or the head of a table.
    public var label: String {
        switch self {
        case .tokens: "token similarity"
        case .tokenCosine: "cosine of token counts"
        case .tokenJaccard: "Jaccard overlap of tokens"
        case .tokenJensenShannon: "1 / (1 + JSD) of token counts"
        case .words: "cosine of word n-grams"
        case .characters: "cosine of character n-grams"
        case .charactersJensenShannon: "1 − JSD / ln 2 of character n-grams"
        case .crossEntropy: "cross-entropy (bits/byte)"
        case .compression: "1 − normalised compression distance"
        case .gradient: "cosine of gradients"
        }
    }
}

/// How a similarity is measured.
public struct SimilaritySettings: Sendable {
    /// Which documents stand for a corpus.
    public enum Sampling: String, CaseIterable, Sendable {
        /// The first of the split: nothing else is read.
        case first
        /// Those whose content hash is lowest: a sample at random whatever the order, for one pass over the corpus.
        case random
    }

    /// What is measured.
    public var metric = SimilarityMetric.tokens
    /// Lengths of n-grams; empty takes the metric's own.
    ///
    /// Only `charactersJensenShannon` takes several.
    public var lengths: [Int] = []
    /// What counts tokens; only the token metrics need one.
    public var tokenizer: Tokenizer?
    /// Documents of a corpus at most.
    public var documents = 1000
    /// Which ones.
    public var sampling = Sampling.first
    /// The split that is read.
    public var split = Split.train
    /// Characters of a document at most (Unicode scalars, from its beginning).
    public var characters = 10_000
    /// Tokens of a document at most.
    public var tokens = 512
    /// The most frequent tokens of a corpus that count.
    public var vocabulary = 50_000
    /// Resamples of the documents for the intervals; 0 for none.
    public var bootstrap = 200
    /// The seed of the resamples.
    public var seed: UInt64 = 1

    /// Settings of the paper (arXiv 2510.14865): 1000 documents, 10,000 characters, 512 tokens, 50,000 ids.
    public init() {}

    /// The lengths in force.
    ///
    /// - Throws: `InvalidValue` for a length that the metric cannot count, or a token metric without tokenizer.
    func checkedLengths() throws -> [Int] {
        if metric.needsTokenizer, tokenizer == nil {
            throw InvalidValue(
                "tokenizer", expected: "one, for the metric \"\(metric.rawValue)\"",
                found: "none")
        }
        let chosen = lengths.isEmpty ? metric.standardLengths : lengths
        let largest = metric == .crossEntropy ? NgramModel.longest : 16
        guard chosen.allSatisfy({ (1...largest).contains($0) }), Set(chosen).count == chosen.count
        else {
            throw InvalidValue(
                "n", expected: "different lengths in 1 ... \(largest)", found: chosen)
        }
        if !metric.countsSequences, chosen != [1] {
            throw InvalidValue(
                "n", expected: "none for the metric \"\(metric.rawValue)\"", found: chosen)
        }
        if metric != .charactersJensenShannon, chosen.count != 1 {
            throw InvalidValue(
                "n", expected: "one length for the metric \"\(metric.rawValue)\"", found: chosen)
        }
        return chosen
    }
}
