import RuntimeSupport

/// Prompts and responses as tokens, in memory, for finetuning and for evaluating on a response.
public final class FinetuneSet: Sendable {
    /// One prompt, response and end-of-text, or a conversation and end-of-text.
    public struct Example: Sendable {
        /// Ids of prompt, response and end-of-text.
        public let tokens: [Int32]
        /// Which ids the loss counts, in order.
        public let counted: [Range<Int>]
        /// Bytes of the response that the counted tokens stand for; 0 more for end-of-text.
        public let responseBytes: Int

        /// How many leading ids are prompt, which the loss ignores.
        public var promptTokens: Int { counted.first?.lowerBound ?? tokens.count }
        /// How many ids the loss counts.
        public var countedTokens: Int { counted.reduce(0) { $0 + $1.count } }
    }

    /// The examples, in the order of the corpus.
    public let examples: [Example]
    /// The longest example in tokens.
    public let context: Int
    /// Examples cut at the end to fit the context.
    public let truncated: Int
    /// Examples left out because no response would be left within the context.
    public let dropped: Int
    /// Of the documents and the tokenizer, the context included.
    public let digest: Digest
    private let endOfText: Int32

    /// Encodes one split of a corpus; prompt and response, or the parts of a conversation, are encoded apart, as a
    /// prompt is when generating.
    ///
    /// - Throws: `TokenStoreError` if nothing is left; `InvalidValue` for a context below 2; `Interrupted`; whatever
    ///   reading throws.
    public init(
        corpus: Corpus, split: Split, tokenizer: Tokenizer, context: Int, cache: String? = nil,
        progress: ProgressHandler? = nil, stop: ShouldStop = { false }
    ) throws {
        guard context >= 2 else {
            throw InvalidValue("context", expected: "at least 2 tokens", found: context)
        }
        let part = try corpus.summary(cache: cache, progress: progress, stop: stop)[split]
        // All of it is held, as text and as ids, each with a list of its own.
        let needed = 8 * Double(part.textBytes)
        guard needed < Double(max(0, Memory.limit - Memory.liveBytes)) else {
            throw TokenStoreError(
                corpus.name,
                "its \(split) split has \(Amount.bytes(part.textBytes)) of prompts and responses, which take "
                    + "about eight times as much in memory; \(Amount.bytes(Memory.limit)) are allowed"
            )
        }
        var texts: [[UInt8]] = []
        var partCounts: [Int] = []
        var continuing: [Bool] = []
        var templateText: [[Range<Int>]] = []
        try corpus.forEachDocument(split, stop: stop) { document in
            let parts = document.parts
            for (index, part) in parts.enumerated() {
                texts.append(Array(document.text[part.bytes]))
                continuing.append(index > 0)
                templateText.append(document.templateText(within: part.bytes))
            }
            partCounts.append(parts.count)
        }
        let encoded = tokenizer.encode(
            texts: texts, continuing: { continuing[$0] }, templateText: templateText)
        var examples: [Example] = []
        var truncated = 0
        var dropped = 0
        var next = 0
        for parts in partCounts {
            var tokens: [Int32] = []
            var counted: [Range<Int>] = []
            for part in 0..<parts {
                let start = tokens.count
                tokens += encoded[next + part]
                // The end of the text belongs to its last part.
                if part == parts - 1 { tokens.append(tokenizer.endOfText) }
                if part % 2 == 1, start < min(tokens.count, context) {
                    counted.append(start..<min(tokens.count, context))
                }
            }
            next += parts
            guard !counted.isEmpty else {
                dropped += 1
                continue
            }
            if tokens.count > context {
                truncated += 1
                tokens.removeLast(tokens.count - context)
            }
            let bytes = counted.joined().reduce(0) { $0 + tokenizer.byteCount(tokens[$1]) }
            examples.append(Example(tokens: tokens, counted: counted, responseBytes: bytes))
        }
        guard !examples.isEmpty else {
            throw TokenStoreError(
                corpus.name,
                "its \(split) split has no example with a response within \(context) tokens "
                    + "(\(dropped) were too long)")
        }
        self.examples = examples
        self.truncated = truncated
        self.dropped = dropped
        self.context = context
        endOfText = tokenizer.endOfText
        var builder = DigestBuilder("finetune set 1")
        builder.add(part.digest)
        builder.add(tokenizer.digest)
        builder.add(context)
        digest = builder.finish()
    }

    /// What a researcher should know before trusting a loss on the set: what the context cut off.
    package func notice(of corpus: String, _ split: Split) -> String? {
        guard dropped + truncated > 0 else { return nil }
        let all = examples.count + dropped
        var parts: [String] = []
        if dropped > 0 {
            parts.append(
                "\(dropped) of \(all) examples are left out, as no response starts within \(context) tokens"
            )
        }
        if truncated > 0 {
            parts.append("\(truncated) of \(all) are cut at \(context) tokens")
        }
        return "\(corpus), \(split.rawValue) split: \(parts.joined(separator: "; "))"
    }

    /// Tokens that count in one epoch.
    public var countedTokens: Int { examples.reduce(0) { $0 + $1.countedTokens } }
    /// Tokens of all examples, prompts included.
    public var tokens: Int { examples.reduce(0) { $0 + $1.tokens.count } }

    /// How many batches an epoch has.
    ///
    /// - Throws: `InvalidValue` for a batch below 1 or a negative epoch.
    public func batchCount(epoch: Int, batch: Int, seed: UInt64, packed: Bool) throws -> Int {
        try check(epoch: epoch, batch: batch)
        if !packed { return (examples.count + batch - 1) / batch }
        return (packedRows(epoch: epoch, seed: seed).count + batch - 1) / batch
    }

    /// Batch `index` of an epoch, a function of (seed, epoch, index) alone.
    ///
    /// Every example is in exactly one batch of an epoch. Padded: one example a row, rows as long as the longest of the
    /// batch. Packed: examples one after another in rows of `context`, each row filled as far as whole examples fit;
    /// attention sees the earlier examples of its row, as it sees earlier documents in pretraining.
    ///
    /// - Throws: `InvalidValue` for a batch below 1, a negative epoch, or an index after the last batch.
    public func batch(epoch: Int, index: Int, batch: Int, seed: UInt64, packed: Bool) throws
        -> TokenBatch
    {
        try check(epoch: epoch, batch: batch)
        if !packed {
            let order = SeededPermutation(
                count: examples.count, seed: seed, "finetune order", round: epoch)
            let range = try range(index, batch: batch, rows: examples.count)
            return fill(range.map { [order[$0]] }, packed: false)
        }
        let rows = packedRows(epoch: epoch, seed: seed)
        return fill(Array(rows[try range(index, batch: batch, rows: rows.count)]), packed: true)
    }

    /// Batches of the first `limit` examples (`nil`: all) in the order of the corpus: every counted token once.
    public func evaluationBatches(batch: Int, limit: Int? = nil) throws -> [TokenBatch] {
        try check(epoch: 0, batch: batch)
        let count = min(examples.count, limit ?? examples.count)
        return stride(from: 0, to: count, by: batch).map { start in
            fill((start..<min(start + batch, count)).map { [$0] }, packed: false)
        }
    }

    private func check(epoch: Int, batch: Int) throws {
        guard epoch >= 0 else { throw InvalidValue("epoch", expected: "0 or more", found: epoch) }
        guard batch >= 1 else {
            throw InvalidValue("batch", expected: "a positive integer", found: batch)
        }
    }

    private func range(_ index: Int, batch: Int, rows: Int) throws -> Range<Int> {
        guard index >= 0, index * batch < rows else {
            throw InvalidValue(
                "index", expected: "a batch below \((rows + batch - 1) / batch)", found: index)
        }
        return index * batch..<min((index + 1) * batch, rows)
    }

    /// The examples of each packed row of an epoch.
    private func packedRows(epoch: Int, seed: UInt64) -> [[Int]] {
        let order = SeededPermutation(
            count: examples.count, seed: seed, "finetune order", round: epoch)
        var rows: [[Int]] = []
        var used = 0
        for position in examples.indices {
            let index = order[position]
            let length = examples[index].tokens.count
            if !rows.isEmpty, used + length <= context {
                rows[rows.count - 1].append(index)
                used += length
            } else {
                rows.append([index])
                used = length
            }
        }
        return rows
    }

    private func fill(_ rows: [[Int]], packed: Bool) -> TokenBatch {
        let longest = rows.map { $0.reduce(0) { $0 + examples[$1].tokens.count } }.max() ?? 1
        var batch = TokenBatch(
            rows: rows.count, columns: packed ? context : longest, filler: endOfText)
        for (row, members) in rows.enumerated() {
            var place = row * batch.columns
            for member in members {
                let example = examples[member]
                // The input before an example's first token is end-of-text, as it is in pretraining.
                for index in example.tokens.indices.dropFirst() {
                    batch.inputs[place + index] = example.tokens[index - 1]
                }
                for index in example.counted.joined() {
                    batch.targets[place + index] = example.tokens[index]
                }
                place += example.tokens.count
            }
        }
        return batch
    }
}
