import Foundation
import RuntimeSupport

extension Tokenizer {
    /// The text of the end-of-text token of tokenizers trained here.
    public static let endOfTextMark = "<|endoftext|>"

    /// Trains a tokenizer on the train splits of some corpora.
    ///
    /// The vocabulary is end-of-text (id 0), the 256 bytes in the order of `ByteAlphabet`, then one token for each merge.
    /// Each merge joins the pair of neighbours that is most frequent within words; of equally frequent pairs the one
    /// with the lower left id, then the lower right id. The result does not depend on threads.
    ///
    /// - Parameters:
    ///   - vocabularySize: How many ids, at least 257.
    ///   - maximumBytes: Text used in all, an equal share of each corpus from its beginning; `nil` uses everything.
    ///   - preset: Whose words and normal form it has; by default GPT-2's.
    /// - Throws: `InvalidValue` for an argument out of range; `TokenizerError` if the text has too few different words
    ///   for the vocabulary, naming the size that is possible; `Interrupted`; whatever reading throws.
    public static func train(
        on corpora: [Corpus], vocabularySize: Int, maximumBytes: Int? = nil,
        preset: TokenizerPreset = .gpt2, progress: ProgressHandler? = nil,
        stop: ShouldStop = { false }
    ) throws -> Tokenizer {
        guard !corpora.isEmpty else {
            throw InvalidValue("corpora", expected: "at least one corpus", found: "none")
        }
        if let maximumBytes, maximumBytes < corpora.count {
            throw InvalidValue("maximum bytes", expected: "a positive number", found: maximumBytes)
        }
        try checkSize(vocabularySize)
        var counter = WordCounter(preset.rules)
        let share = maximumBytes.map { $0 / corpora.count }
        for corpus in corpora {
            try counter.add(corpus, share: share, progress: progress, stop: stop)
        }
        return try train(
            counter.finish(), vocabularySize, preset.rules, progress: progress, stop: stop)
    }

    /// Trains a tokenizer on some texts; see `train(on:vocabularySize:maximumBytes:preset:progress:stop:)`.
    public static func train(
        onTexts texts: [[UInt8]], vocabularySize: Int, preset: TokenizerPreset = .gpt2
    ) throws -> Tokenizer {
        try checkSize(vocabularySize)
        var counter = WordCounter(preset.rules)
        for text in texts { counter.add(text) }
        return try train(
            counter.finish(), vocabularySize, preset.rules, progress: nil, stop: { false })
    }

    private static func checkSize(_ vocabularySize: Int) throws {
        guard (257...1 << 24).contains(vocabularySize) else {
            throw InvalidValue(
                "vocabulary",
                expected: "257 (256 bytes and end-of-text) to 16777216 ids", found: vocabularySize)
        }
    }

    private static func train(
        _ words: [(word: [UInt8], count: Int)], _ vocabularySize: Int,
        _ rules: TokenizerRules, progress: ProgressHandler?, stop: ShouldStop
    ) throws -> Tokenizer {
        var tokens: [[UInt8]] = [Array(endOfTextMark.utf8)] + ByteAlphabet.order.map { [$0] }
        var byteIds = [Int32](repeating: 0, count: 256)
        for (index, byte) in ByteAlphabet.order.enumerated() {
            byteIds[Int(byte)] = Int32(index + 1)
        }
        var known: [[UInt8]: Int32] = [:]
        for id in 1..<tokens.count { known[tokens[id]] = Int32(id) }
        var merges: [(left: Int32, right: Int32, result: Int32)] = []
        var results: [[Int32]: Int32] = [:]
        var trainer = PairCounter(words, byteIds)
        var reported = ContinuousClock.now
        while tokens.count < vocabularySize {
            if stop() { throw Interrupted("interrupted while training a tokenizer") }
            guard let (left, right) = trainer.best() else {
                throw TokenizerError(
                    "training a tokenizer",
                    "the text has too few different words for a vocabulary of \(vocabularySize); "
                        + "expected at most \(tokens.count), or more text")
            }
            // Two ways of spelling one token are one token; so a pair can come up again after its own merge.
            if let result = results[[left, right]] {
                trainer.merge(left, right, result)
                continue
            }
            let bytes = tokens[Int(left)] + tokens[Int(right)]
            let result = known[bytes] ?? Int32(tokens.count)
            if Int(result) == tokens.count {
                tokens.append(bytes)
                known[bytes] = result
            }
            merges.append((left, right, result))
            results[[left, right]] = result
            trainer.merge(left, right, result)
            if let progress, ContinuousClock.now - reported > .milliseconds(200) {
                reported = .now
                progress(
                    WorkProgress(
                        "training a tokenizer", done: tokens.count, total: vocabularySize,
                        unit: "tokens"
                    ))
            }
        }
        progress?(
            WorkProgress(
                "training a tokenizer", done: tokens.count, total: vocabularySize, unit: "tokens"))
        var end = AddedToken(id: 0, content: endOfTextMark, special: true)
        end.inVocabulary = true
        return try Tokenizer(
            tokens: tokens, merges: merges, addedTokens: [end], endOfText: 0, rules: rules,
            place: "training a tokenizer")
    }
}
