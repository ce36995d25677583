import RuntimeData
import RuntimeModel
import RuntimeSupport

extension DownstreamTask {
    /// What became of one question.
    public struct Outcome: Sendable {
        /// Whether it was answered correctly.
        public let isCorrect: Bool
        /// Of choices, the log-likelihood of each answer in nats, the correct one first.
        public let logLikelihoods: [Double]
        /// Of exact matches, the generated text.
        public let text: [UInt8]?
        /// Of exact matches, the answer found in the text.
        public let answer: String?
        /// The reference of exact matches.
        public let reference: String?
    }

    /// Sequences in one forward pass; fixed, so that results do not depend on the caller.
    private static let batchRows = 16

    /// Asks a model every question, or the first `limit`.
    ///
    /// As in training, end-of-text stands before every prompt, and prompt and answer are encoded apart. What does not
    /// fit the context loses its beginning.
    ///
    /// - Throws: `InvalidValue` for a limit below 1; `Interrupted`; errors of the model.
    public func score(
        _ model: any LanguageModel, _ tokenizer: Tokenizer, limit: Int? = nil,
        progress: ProgressHandler = { _ in }, stop: ShouldStop = { false }
    ) throws -> (result: TaskResult, outcomes: [Outcome]) {
        if let limit, limit < 1 {
            throw InvalidValue("limit", expected: "a positive integer", found: limit)
        }
        if !specification.parsesSpecial,
            let notice = tokenizer.notice(ofTemplates: namedTemplates, of: "task \(name)")
        {
            progress(WorkProgress(notice: notice))
        }
        let asked = questions.prefix(limit ?? questions.count)
        var result = TaskResult(
            count: asked.count, correct: 0, correctNormalised: isChoice ? 0 : nil, truncated: 0)
        var outcomes: [Outcome] = []
        func report() {
            progress(
                WorkProgress(
                    "scoring \(name)", done: outcomes.count, total: asked.count, unit: "questions"))
        }
        switch specification.form {
        case .choice:
            // Questions are taken so many at a time that a batch is about full.
            for group in stride(from: 0, to: asked.count, by: Self.batchRows) {
                if stop() { throw Interrupted("interrupted while scoring \(name)") }
                let part = asked[group..<min(group + Self.batchRows, asked.count)]
                let scores = try logLikelihoods(Array(part), model, tokenizer, &result, stop)
                for (question, scores) in zip(part, scores) {
                    let normalised = zip(scores, question.lengths).map { $0 / Double($1) }
                    let isCorrect = Self.firstWins(scores)
                    result.correct += isCorrect ? 1 : 0
                    result.correctNormalised? += Self.firstWins(normalised) ? 1 : 0
                    outcomes.append(
                        Outcome(
                            isCorrect: isCorrect, logLikelihoods: scores, text: nil, answer: nil,
                            reference: nil))
                }
                report()
            }
        case .match(_, _, let tokens, let ends):
            for question in asked {
                if stop() { throw Interrupted("interrupted while scoring \(name)") }
                let prompt =
                    [tokenizer.endOfText] + tokenizer.opening
                    + tokenizer.encode(
                        question.prompt, special: .parsedWithin(question.templateText[0]))
                if prompt.count > model.configuration.context { result.truncated += 1 }
                let text = try generate(model, tokenizer, prompt, tokens, ends, stop)
                let reference = String(decoding: question.answers[0], as: UTF8.self)
                let answer = try judge?.answer(text)
                let isCorrect = answer == reference
                result.correct += isCorrect ? 1 : 0
                outcomes.append(
                    Outcome(
                        isCorrect: isCorrect, logLikelihoods: [], text: text, answer: answer,
                        reference: reference))
                report()
            }
        }
        return (result, outcomes)
    }

    private var namedTemplates: [(name: String, template: Template)] {
        let prompt = [(name: "prompt", template: specification.prompt)]
        guard case .choice(let correct, let distractors) = specification.form else { return prompt }
        return prompt + [("correct", correct)] + distractors.map { ("distractors", $0) }
    }

    /// Whether the first is greater than all others.
    private static func firstWins(_ scores: [Double]) -> Bool {
        scores.dropFirst().allSatisfy { $0 < scores[0] }
    }

    private func logLikelihoods(
        _ part: [Question], _ model: any LanguageModel, _ tokenizer: Tokenizer,
        _ result: inout TaskResult,
        _ stop: ShouldStop
    ) throws -> [[Double]] {
        let context = model.configuration.context
        let texts = part.flatMap { [$0.prompt] + $0.answers }
        let continuing = part.flatMap { [false] + $0.answers.map { _ in true } }
        let encoded = tokenizer.encode(
            texts: texts, continuing: { continuing[$0] },
            templateText: part.flatMap(\.templateText))
        var sequences: [(tokens: [Int32], answer: Int)] = []
        var next = 0
        for question in part {
            let prompt = [tokenizer.endOfText] + encoded[next]
            let answers = encoded[next + 1...next + question.answers.count]
            if answers.contains(where: { prompt.count + $0.count > context + 1 }) {
                result.truncated += 1
            }
            for answer in answers {
                // The last token is a target only.
                let tokens = Array((prompt + answer).suffix(context + 1))
                sequences.append((tokens, min(answer.count, tokens.count - 1)))
            }
            next += 1 + question.answers.count
        }
        var nats: [Double] = []
        for start in stride(from: 0, to: sequences.count, by: Self.batchRows) {
            if stop() { throw Interrupted("interrupted while scoring \(name)") }
            let rows = sequences[start..<min(start + Self.batchRows, sequences.count)]
            var batch = TokenBatch(
                rows: rows.count, columns: rows.map { $0.tokens.count - 1 }.max() ?? 1,
                filler: tokenizer.endOfText)
            for (row, sequence) in rows.enumerated() {
                let place = row * batch.columns
                let inputs = sequence.tokens.count - 1
                for index in 0..<inputs {
                    batch.inputs[place + index] = sequence.tokens[index]
                    if index >= inputs - sequence.answer {
                        batch.targets[place + index] = sequence.tokens[index + 1]
                    }
                }
            }
            nats += try model.rowLosses(batch).map(\.nats)
        }
        var taken = nats[...]
        return part.map { question in
            let scores = taken.prefix(question.answers.count).map { -$0 }
            taken = taken.dropFirst(question.answers.count)
            return scores
        }
    }

    private struct Ended: Error {}

    private func generate(
        _ model: any LanguageModel, _ tokenizer: Tokenizer, _ prompt: [Int32], _ tokens: Int,
        _ ends: [String],
        _ stop: ShouldStop
    ) throws -> [UInt8] {
        var text: [UInt8] = []
        var cut: Int?
        do {
            _ = try model.generate(
                prompt: prompt, count: tokens, sampling: Sampling(temperature: 0),
                endOfText: tokenizer.endOfText, vocabulary: tokenizer.vocabularySize, stop: stop
            ) { id in
                guard id != tokenizer.endOfText else { return }
                text += try tokenizer.decode([id])
                for end in ends.map({ Array($0.utf8) }) {
                    if let place = Self.place(of: end, in: text) { cut = min(cut ?? place, place) }
                }
                if cut != nil { throw Ended() }
            }
        } catch is Ended {}
        return Array(text.prefix(cut ?? text.count))
    }

    private static func place(of end: [UInt8], in text: [UInt8]) -> Int? {
        guard text.count >= end.count else { return nil }
        return (0...text.count - end.count).first {
            text[$0..<$0 + end.count].elementsEqual(end)
        }
    }
}
