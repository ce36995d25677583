import RuntimeSupport

/// Batches in a fixed order that count every token of a sequence exactly once.
///
/// Windows of `context` targets follow each other; the input before the first target is end-of-text, which is what
/// stands before every document in training. The last window is padded with uncounted targets.
public struct EvaluationBatches: Sendable {
    private let store: TokenStore
    private let context: Int
    private let rows: Int
    /// Tokens counted: the store's, or the limit.
    public let tokens: Int
    /// Batches.
    public let count: Int

    /// Batches of up to `rows` windows over the first `limit` tokens of a store (`nil`: all).
    ///
    /// - Throws: `InvalidValue` for a context, rows or limit below 1.
    public init(store: TokenStore, context: Int, rows: Int, limit: Int? = nil) throws {
        for (name, value) in [("context", context), ("batch", rows), ("tokens", limit ?? 1)]
        where value < 1 {
            throw InvalidValue(name, expected: "a positive integer", found: value)
        }
        self.store = store
        self.context = context
        self.rows = rows
        tokens = min(store.count, limit ?? store.count)
        count = (tokens + context * rows - 1) / (context * rows)
    }

    /// Batch `index` in `0 ..< count`.
    ///
    /// - Throws: `FileError` when the tokens cannot be read.
    public func batch(_ index: Int) throws -> TokenBatch {
        let first = index * rows * context
        let windows = min(rows, (tokens - first + context - 1) / context)
        var batch = TokenBatch(rows: windows, columns: context, filler: store.endOfText)
        // Windows follow each other, and each input is the target before it.
        let ids = try store.ids(max(first - 1, 0)..<min(first + windows * context, tokens))
        let (targets, inputs) =
            first == 0 ? (ids[...], ids.dropLast()) : (ids[1...], ids.dropLast())
        batch.targets.replaceSubrange(..<targets.count, with: targets)
        let skipped = first == 0 ? 1 : 0
        batch.inputs.replaceSubrange(skipped..<skipped + inputs.count, with: inputs)
        return batch
    }
}
