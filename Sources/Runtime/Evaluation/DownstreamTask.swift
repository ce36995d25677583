import Foundation
import RuntimeData
import RuntimeNumerics
import RuntimeSupport

/// What a downstream task is made of, as the researcher says it.
public struct TaskSpecification: Codable, Hashable, Sendable {
    /// How an answer is judged.
    public enum Form: Codable, Hashable, Sendable {
        /// The correct answer must be more likely after the prompt than every distractor.
        case choice(correct: Template, distractors: [Template])
        /// The text generated after the prompt must hold the same answer as the reference, by a rule.
        ///
        /// Generation stops after `tokens`, at end-of-text, and before any of `stop`.
        case match(answer: Template, rule: AnswerRule, tokens: Int, stop: [String])
    }

    /// The name, used in messages and tables.
    public var name: String
    /// Paths, globs and folders of records, read in this order.
    public var files: [String]
    /// What stands before the answer.
    public var prompt: Template
    /// How an answer is judged.
    public var form: Form
    /// Fields whose white space at the beginning is left out.
    public var stripped: [String] = []
    /// Whether special tokens written out in the templates become their ids.
    public var parsesSpecial = false

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
    package struct Question: Sendable {
        package let prompt: [UInt8]
        /// The correct answer, then the distractors that have any text.
        package let answers: [[UInt8]]
        /// Of choices, the characters of each answer.
        package var lengths: [Int] = []
        /// Of the prompt and each answer, where special tokens become their ids.
        var templateText: [[Range<Int>]] = []
    }

    /// What it was made from.
    public let specification: TaskSpecification
    /// The name, used in messages and tables.
    public var name: String { specification.name }
    /// Whether it is judged by the likelihood of choices.
    public var isChoice: Bool { if case .choice = specification.form { true } else { false } }
    /// Questions.
    public var count: Int { questions.count }
    package let questions: [Question]
    /// What finds and compares answers; `nil` for choices.
    package let judge: AnswerJudge?
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
        var judge: AnswerJudge?
        switch specification.form {
        case .choice(let correct, let distractors):
            guard !distractors.isEmpty else {
                throw InvalidValue("distractors", expected: "at least one template", found: "none")
            }
            templates += [correct] + distractors
        case .match(let answer, let rule, let tokens, let stop):
            guard tokens >= 1, !stop.contains("") else {
                throw InvalidValue(
                    tokens < 1 ? "tokens" : "stop",
                    expected: tokens < 1 ? "a positive integer" : "text",
                    found: tokens < 1 ? "\(tokens)" : "\"\"")
            }
            templates.append(answer)
            judge = try AnswerJudge(rule)
        }
        self.specification = specification
        self.judge = judge
        let fields = Fields.text(try Template(templates.map(\.description).joined()))
        var questions: [Question] = []
        var builder = DigestBuilder("questions")
        for path in try CorpusFiles.expand(specification.files) {
            let records = try RecordFile.open(path, fields: fields, RecordOptions(limit: 64 << 20))
            while try records.advance() {
                if stop() { throw Interrupted("interrupted while reading \(path)") }
                var values = try records.values(stop: stop)
                for name in specification.stripped {
                    values[name] = values[name].map(Self.withoutLeadingSpace)
                }
                let documents = templates.map { template in
                    var document = Document(text: [])
                    template.render(values, into: &document)
                    if !specification.parsesSpecial { document.templateText = [] }
                    return document
                }
                let texts = documents.map(\.text)
                // The correct answer stays, and distractors that have any text.
                let kept = texts.indices.filter { $0 < 2 || !Self.isBlank(texts[$0]) }
                func wrong(_ reason: String) -> TextError {
                    TextError(path, line: records.line, reason)
                }
                var answers: [[UInt8]]
                var lengths: [Int] = []
                switch specification.form {
                case .choice:
                    answers = kept.dropFirst().map { texts[$0] }
                    lengths = kept.dropFirst().map {
                        Self.length(texts[$0], after: templates[$0])
                    }
                    guard !Self.isBlank(texts[1]) else {
                        throw wrong("the correct answer is empty")
                    }
                    guard answers.count > 1 else { throw wrong("every distractor is empty") }
                case .match(_, let rule, _, _):
                    guard let reference = try judge?.reference(texts[1]) else {
                        if case .behind(let marker?) = rule {
                            throw wrong(
                                "the answer has no text behind \"\(marker)\"; expected the reference there"
                            )
                        }
                        throw wrong("the answer is empty; expected the reference")
                    }
                    answers = [Array(reference.utf8)]
                }
                let marked = kept.map { documents[$0].templateText }
                questions.append(
                    Question(
                        prompt: texts[0], answers: answers, lengths: lengths, templateText: marked))
                for text in [texts[0]] + answers { text.withUnsafeBytes { builder.add(bytes: $0) } }
                builder.add(answers.count)
                // Lengths follow from the answers but where one begins with white space of its own.
                let odd = zip(answers, lengths).filter { Self.trimmedLength($0) != $1 }
                for (_, length) in odd { builder.add(length) }
                for range in marked.joined() {
                    builder.add("template text \(range)")
                }
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

    /// The text without what Python's `lstrip` takes from it.
    private static func withoutLeadingSpace(_ text: [UInt8]) -> [UInt8] {
        let scalars = String(decoding: text, as: UTF8.self).unicodeScalars
        let rest = scalars.drop { $0.properties.isWhitespace || (0x1c...0x1f).contains($0.value) }
        return Array(String(rest).utf8)
    }

    /// Characters (Unicode scalars) of an answer without the white space that its template puts before it.
    private static func length(_ answer: [UInt8], after template: Template) -> Int {
        guard case .literal(let start)? = template.parts.first else {
            return max(1, String(decoding: answer, as: UTF8.self).unicodeScalars.count)
        }
        let space = String(decoding: start, as: UTF8.self).unicodeScalars
            .prefix { $0.properties.isWhitespace }.count
        return max(1, String(decoding: answer, as: UTF8.self).unicodeScalars.count - space)
    }

    /// Characters of an answer without any white space before it.
    private static func trimmedLength(_ answer: [UInt8]) -> Int {
        max(
            1, String(decoding: answer, as: UTF8.self).drop { $0.isWhitespace }.unicodeScalars.count
        )
    }

    /// Identifies the questions that are asked and how, for filing results under (state, task).
    public func digest(_ tokenizer: Tokenizer, context: Int, limit: Int?) -> Digest {
        var builder = DigestBuilder("downstream task 1")
        builder.add(Numerics.version)
        builder.add(tokenizer.digest)
        builder.add(context)
        builder.add(limit ?? -1)
        builder.add(content)
        if case .match(_, let rule, let tokens, let stop) = specification.form {
            switch rule {
            case .behind(let marker): builder.add(marker ?? "")
            case .matching(let extraction):
                builder.add("matching")
                builder.add(extraction.pattern)
                builder.add(extraction.selected)
                builder.add(extraction.ignored.count)
                for pattern in extraction.ignored { builder.add(pattern) }
                for flag in [
                    extraction.ignoresCase, extraction.ignoresPunctuation,
                    extraction.ignoresNumbers,
                ] {
                    builder.add(flag ? 1 : 0)
                }
            }
            builder.add(tokens)
            for text in stop { builder.add(text) }
        }
        return builder.finish()
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
    /// Part that is correct by the likelihood of each character; `nil` for anything but choices.
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
