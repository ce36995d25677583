import Foundation

/// What an evaluation reads: one split of a corpus, with or without a limit.
public struct EvaluationSet {
    /// The corpus.
    public let corpus: Corpus
    /// Which part of it.
    public let split: Split
    /// Windows (or examples) at most, spread evenly over the split; `nil` for all.
    public let limit: Int?

    /// Creates an evaluation set.
    public init(_ corpus: Corpus, _ split: Split, limit: Int? = nil) {
        self.corpus = corpus
        self.split = split
        self.limit = limit
    }
}

/// The loss of a model on text it does not train on.
public enum Evaluator {
    /// Tokens in one forward pass; fixed, so that results do not depend on the caller.
    static let batchTokens = 4096

    /// Identifies what `evaluate` reads, for caching by (state, data).
    public static func digest(
        _ set: EvaluationSet, tokenizer: Tokenizer, context: Int, store: Store, progress: @escaping (WorkProgress) -> Void,
        stop: @escaping ShouldStop
    ) throws -> Digest {
        var builder = DigestBuilder("evaluation")
        builder.add(Numerics.version)
        builder.add(
            try store.evaluationBatches(set, tokenizer: tokenizer, context: context, progress: progress, stop: stop)
                .digest)
        builder.add(set.limit ?? -1)
        builder.add(context)
        return builder.finish()
    }

    /// The summed loss over every counted token: for plain text each token once, in windows of the context; for a
    /// corpus with prompt and response only the response.
    ///
    /// - Throws: `RecipeError` when the split is empty; `Interrupted`.
    public static func evaluate(
        _ model: NeoX, _ set: EvaluationSet, tokenizer: Tokenizer, store: Store,
        progress: @escaping (WorkProgress) -> Void, stop: @escaping ShouldStop
    ) throws -> Evaluation {
        let batches = try store.evaluationBatches(
            set, tokenizer: tokenizer, context: model.configuration.context, progress: progress, stop: stop)
        guard batches.count > 0 else {
            throw RecipeError(
                "evaluate", "the \(set.split.rawValue) split of corpus \(set.corpus.name) is empty")
        }
        var result = Evaluation(nats: 0, tokens: 0, bytes: 0)
        for index in 0..<batches.count {
            if stop() { throw Interrupted("interrupted while evaluating \(set.corpus.name)") }
            let batch = try batches.batch(index)
            let loss = try model.loss(batch.tokens)
            result.nats += loss.nats
            result.tokens += loss.count
            result.bytes += batch.bytes
        }
        return result
    }
}
