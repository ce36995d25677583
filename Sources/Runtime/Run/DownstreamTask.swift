import Foundation

/// What a downstream task is made of, as the researcher says it.
public struct TaskSpecification: Codable, Hashable, Sendable {
    /// How an answer is judged.
    public enum Form: Codable, Hashable, Sendable {
        /// The correct answer must be more likely after the prompt than every distractor.
        case choice(correct: Template, distractors: [Template])
        /// The text generated after the prompt must hold the same answer as the reference.
        ///
        /// Both are read from behind `marker` (all of the text without one) to the end of the line; `,`, `$` and a final
        /// period do not matter. Generation stops after `tokens`, at end-of-text, and before any of `stop`.
        case match(answer: Template, marker: String?, tokens: Int, stop: [String])
    }

    /// The name, used in messages and tables.
    public var name: String
    /// Paths, globs and folders of records, read in this order.
    public var files: [String]
    /// What stands before the answer.
    public var prompt: Template
    /// How an answer is judged.
    public var form: Form

    /// Creates a specification.
    public init(name: String, files: [String], prompt: Template, form: Form) {
        self.name = name
        self.files = files
        self.prompt = prompt
        self.form = form
    }
}

/// Questions with known answers, for measuring what a model can do beside its loss.
public final class DownstreamTask: Sendable {
    /// One question.
    struct Question: Sendable {
        let prompt: [UInt8]
        /// The correct answer, then the distractors that have any text.
        let answers: [[UInt8]]
    }

    /// What it was made from.
    public let specification: TaskSpecification
    /// The name, used in messages and tables.
    public var name: String { specification.name }
    /// Whether it is judged by the likelihood of choices.
    public var isChoice: Bool { if case .choice = specification.form { true } else { false } }
    /// The columns that studies have for it: its name, and of choices `NAME_normalised`.
    public var scoreNames: [String] { isChoice ? [name, "\(name)_normalised"] : [name] }
    /// Questions.
    public var count: Int { questions.count }
    let questions: [Question]
    private let content: Digest

    /// Reads the questions.
    ///
    /// - Throws: `InvalidValue` for a name or number out of range; `FileError` and `TextError` naming file and line;
    ///   `Interrupted`.
    public init(_ specification: TaskSpecification, stop: ShouldStop = { false }) throws {
        guard !specification.name.isEmpty else {
            throw InvalidValue("name", expected: "a name for the task", found: "\"\"")
        }
        var templates = [specification.prompt]
        switch specification.form {
        case .choice(let correct, let distractors):
            guard !distractors.isEmpty else {
                throw InvalidValue("distractors", expected: "at least one template", found: "none")
            }
            templates += [correct] + distractors
        case .match(let answer, let marker, let tokens, let stop):
            guard tokens >= 1, marker != "", !stop.contains("") else {
                throw InvalidValue(
                    tokens < 1 ? "tokens" : marker == "" ? "marker" : "stop",
                    expected: tokens < 1 ? "a positive integer" : "text",
                    found: tokens < 1 ? "\(tokens)" : "\"\"")
            }
            templates.append(answer)
        }
        self.specification = specification
        let fields = Fields.text(try Template(templates.map(\.description).joined()))
        var questions: [Question] = []
        var builder = DigestBuilder("questions")
        for path in try CorpusFiles.expand(specification.files) {
            let records = try RecordFile.open(path, fields: fields, RecordOptions(limit: 64 << 20))
            while try records.advance() {
                if stop() { throw Interrupted("interrupted while reading \(path)") }
                let values = try records.values(stop: stop)
                let texts = templates.map { template in
                    var text: [UInt8] = []
                    template.render(values, into: &text)
                    return text
                }
                func wrong(_ reason: String) -> TextError {
                    TextError(path, line: records.line, reason)
                }
                var answers: [[UInt8]]
                switch specification.form {
                case .choice:
                    answers = [texts[1]] + texts[2...].filter { !Self.isBlank($0) }
                    guard !Self.isBlank(texts[1]) else {
                        throw wrong("the correct answer is empty")
                    }
                    guard answers.count > 1 else { throw wrong("every distractor is empty") }
                case .match(_, let marker, _, _):
                    guard let reference = Self.answer(of: texts[1], after: marker) else {
                        throw wrong(
                            "the answer has no text behind \"\(marker ?? "")\"; expected the reference there"
                        )
                    }
                    answers = [Array(reference.utf8)]
                }
                questions.append(Question(prompt: texts[0], answers: answers))
                for text in [texts[0]] + answers { text.withUnsafeBytes { builder.add(bytes: $0) } }
                builder.add(answers.count)
            }
        }
        guard !questions.isEmpty else {
            throw TextError(specification.name, "its files hold no question")
        }
        self.questions = questions
        content = builder.finish()
    }

    private static func isBlank(_ text: [UInt8]) -> Bool {
        text.allSatisfy { $0 == 0x20 || (0x09...0x0d).contains($0) }
    }

    /// Identifies the questions that are asked and how, for filing results under (state, task).
    public func digest(_ tokenizer: Tokenizer, context: Int, limit: Int?) -> Digest {
        var builder = DigestBuilder("downstream task 1")
        builder.add(Numerics.version)
        builder.add(tokenizer.digest)
        builder.add(context)
        builder.add(limit ?? -1)
        builder.add(content)
        if case .match(_, let marker, let tokens, let stop) = specification.form {
            builder.add(marker ?? "")
            builder.add(tokens)
            for text in stop { builder.add(text) }
        }
        return builder.finish()
    }

    /// The answer within a text: what follows the first `marker` on its line, without `,`, `$`, outer space and a
    /// final period; `nil` if nothing is there.
    static func answer(of text: [UInt8], after marker: String?) -> String? {
        var text = String(decoding: text, as: UTF8.self)[...]
        if let marker {
            guard let place = text.range(of: marker) else { return nil }
            text = text[place.upperBound...]
        }
        let trimmed = text.drop { $0.isWhitespace && (marker == nil || !$0.isNewline) }
        let line = trimmed.prefix { !$0.isNewline }.filter { $0 != "," && $0 != "$" }
        var answer = line.trimmingCharacters(in: .whitespaces)
        if answer.hasSuffix(".") { answer.removeLast() }
        return answer.isEmpty ? nil : answer
    }
}

/// How many questions of a task were answered.
public struct TaskResult: Codable, Hashable, Sendable {
    /// Questions asked.
    public var count: Int
    /// Questions answered correctly.
    public var correct: Int
    /// Of choices, how many are correct by the likelihood for each character of the answer.
    public var correctNormalised: Int?
    /// Questions that did not fit the context, whose beginning was left out.
    public var truncated: Int

    /// Part of the questions that were answered correctly.
    public var accuracy: Double { Double(correct) / Double(count) }
    /// Part that is correct by the likelihood for each character; `nil` but for choices.
    public var normalised: Double? { correctNormalised.map { Double($0) / Double(count) } }

    /// The 95% interval of a part of `count` questions (Wilson 1927, score interval).
    public static func interval(_ correct: Int, of count: Int) -> (low: Double, high: Double) {
        let (n, p, z) = (Double(count), Double(correct) / Double(count), 1.959963984540054)
        let middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        // Rounding must not leave 0 ... 1, nor the part itself.
        return (max(0, min(middle - half, p)), min(1, max(middle + half, p)))
    }
}
