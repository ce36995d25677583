import Foundation
import RuntimeData
import RuntimeModel
import RuntimeNumerics
import RuntimeSupport

/// What an evaluation reads: one split of a corpus, all of it or its beginning.
public struct EvaluationSet: Hashable {
    /// The corpus.
    public let corpus: Corpus
    /// Which part of it.
    public let split: Split
    /// Windows of text, or examples with prompt and response, at most; `nil` for all.
    public let limit: Int?

    /// Creates an evaluation set.
    public init(_ corpus: Corpus, _ split: Split, limit: Int? = nil) {
        self.corpus = corpus
        self.split = split
        self.limit = limit
    }

    /// The same corpus object, split and limit.
    public static func == (left: EvaluationSet, right: EvaluationSet) -> Bool {
        left.corpus === right.corpus && left.split == right.split && left.limit == right.limit
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(corpus))
        hasher.combine(split)
        hasher.combine(limit)
    }
}

/// The loss of a model on text: for plain text each token once, in windows of the context; for a corpus with prompt
/// and response only the response.
public struct Evaluator {
    /// Tokens in one forward pass; fixed, so that results do not depend on the caller.
    private static let batchTokens = 4096

    private enum Batches {
        case text(EvaluationBatches)
        case examples([TokenBatch])
    }

    /// Identifies the tokens that are read and how, for filing results under (state, data).
    public let digest: Digest
    private let set: EvaluationSet
    private let batches: Batches
    private let tokenizer: Tokenizer
    /// Bytes of the text itself, if all of it is read: its tokens may stand for others, in another normal form or with
    /// a space before them.
    private let textBytes: Int?

    /// Prepares the tokens of a set.
    ///
    /// - Throws: `TokenStoreError` when the split is empty; errors of reading; `Interrupted`.
    public init(
        _ set: EvaluationSet, tokenizer: Tokenizer, context: Int, data: EncodedCorpora,
        progress: @escaping ProgressHandler = { _ in }, stop: @escaping ShouldStop = { false }
    ) throws {
        self.set = set
        self.tokenizer = tokenizer
        let part = try set.corpus.summary(cache: data.folder, progress: progress, stop: stop)[
            set.split]
        let rows = max(1, Self.batchTokens / context)
        var builder = DigestBuilder("evaluation")
        builder.add(Numerics.version)
        builder.add(context)
        builder.add(set.limit ?? -1)
        if part.promptBytes > 0 {
            let examples = try data.finetuneSet(
                set.corpus, set.split, tokenizer, context: context, progress: progress, stop: stop)
            textBytes = nil
            batches = .examples(try examples.evaluationBatches(batch: rows, limit: set.limit))
            builder.add(examples.digest)
        } else {
            let tokens = try data.tokens(
                set.corpus, set.split, tokenizer, progress: progress, stop: stop)
            let windows = try EvaluationBatches(
                store: tokens, context: context, rows: rows,
                limit: set.limit.map { Int.saturatingProduct($0, context) })
            textBytes = windows.tokens == tokens.count ? tokens.textBytes : nil
            batches = .text(windows)
            builder.add(tokens.digest)
        }
        digest = builder.finish()
    }

    private var count: Int {
        switch batches {
        case .text(let batches): batches.count
        case .examples(let batches): batches.count
        }
    }

    private func batch(_ index: Int) throws -> TokenBatch {
        switch batches {
        case .text(let batches): try batches.batch(index)
        case .examples(let batches): batches[index]
        }
    }

    /// What is read, for other measures of the same tokens.
    ///
    /// - Throws: errors of reading; `Interrupted`.
    package func tokenBatches(stop: ShouldStop) throws -> [TokenBatch] {
        try (0..<count).map { index in
            if stop() { throw Interrupted("interrupted while reading \(set.corpus.name)") }
            return try batch(index)
        }
    }

    /// The loss of every document, or of every example with prompt and response.
    ///
    /// The end-of-text after a document is its own; of a document that `limit` cuts off, the part before.
    ///
    /// - Throws: as `evaluate(_:stop:)`.
    public func documents(
        _ model: any LanguageModel, stop: ShouldStop = { false }
    ) throws -> [Evaluation] {
        var documents: [Evaluation] = []
        var continues = false
        for index in 0..<count {
            if stop() { throw Interrupted("interrupted while evaluating \(set.corpus.name)") }
            let batch = try batch(index)
            let parts = parts(of: batch)
            for (range, loss) in zip(parts, try model.losses(batch, of: parts)) {
                let bytes = bytes(batch.targets[range])
                if continues {
                    documents[documents.count - 1].nats += loss.nats
                    documents[documents.count - 1].tokens += loss.count
                    documents[documents.count - 1].bytes += bytes
                } else {
                    documents.append(
                        Evaluation(nats: loss.nats, tokens: loss.count, bytes: bytes))
                }
                continues = isText && batch.targets[range].last != tokenizer.endOfText
            }
        }
        return documents
    }

    private var isText: Bool {
        if case .text = batches { true } else { false }
    }

    /// The positions of each document in a batch of text, whose rows follow each other, and of each row in one of examples.
    private func parts(of batch: TokenBatch) -> [Range<Int>] {
        guard isText else {
            return (0..<batch.rows).map { $0 * batch.columns..<($0 + 1) * batch.columns }
        }
        let counted = (batch.targets.lastIndex { $0 >= 0 } ?? -1) + 1
        var parts: [Range<Int>] = []
        var start = 0
        for place in 0..<counted
        where place + 1 == counted || batch.targets[place] == tokenizer.endOfText {
            parts.append(start..<place + 1)
            start = place + 1
        }
        return parts
    }

    private func bytes(_ targets: some Sequence<Int32>) -> Int {
        targets.reduce(0) { $0 + ($1 < 0 ? 0 : tokenizer.byteCount($1)) }
    }

    /// The summed loss over every counted token.
    ///
    /// - Throws: `Interrupted` when `stop` says so; errors of the model.
    public func evaluate(_ model: any LanguageModel, stop: ShouldStop = { false }) throws
        -> Evaluation
    {
        var result = Evaluation(nats: 0, tokens: 0, bytes: 0)
        for index in 0..<count {
            if stop() { throw Interrupted("interrupted while evaluating \(set.corpus.name)") }
            let batch = try batch(index)
            let loss = try model.loss(batch)
            result.nats += loss.nats
            result.tokens += loss.count
            result.bytes += bytes(batch.targets)
        }
        result.bytes = textBytes ?? result.bytes
        return result
    }
}
