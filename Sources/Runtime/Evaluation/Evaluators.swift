import RuntimeData
import RuntimeSupport

/// Evaluation sets that are ready for models of a tokenizer and context, prepared on first use.
public final class Evaluators {
    private struct Name: Hashable {
        let set: EvaluationSet
        let tokenizer: Digest
        let context: Int
    }

    /// The tokens of corpora.
    public let data: EncodedCorpora
    private var ready: [Name: Evaluator] = [:]

    /// Creates a collection that has none yet.
    public init(_ data: EncodedCorpora) { self.data = data }

    /// What evaluates models on a set.
    ///
    /// - Throws: `TokenStoreError` when the split is empty; errors of reading; `Interrupted`.
    public func evaluator(
        _ set: EvaluationSet, _ tokenizer: Tokenizer, context: Int,
        progress: @escaping ProgressHandler = { _ in }, stop: @escaping ShouldStop = { false }
    ) throws -> Evaluator {
        let name = Name(set: set, tokenizer: tokenizer.digest, context: context)
        if let evaluator = ready[name] { return evaluator }
        let evaluator = try Evaluator(
            set, tokenizer: tokenizer, context: context, data: data, progress: progress, stop: stop)
        ready[name] = evaluator
        return evaluator
    }
}
