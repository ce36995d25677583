import Foundation
import Runtime
import Testing

@Suite("Downstream tasks") struct DownstreamTests {
    private let laboratory: Laboratory
    private let model: any LanguageModel
    private var tokenizer: Tokenizer { laboratory.base.tokenizer }
    private var scratch: Scratch { laboratory.scratch }

    init() throws {
        laboratory = try Laboratory()
        model = try laboratory.base.model.model(seed: 3)
    }

    private static let sciq = """
        {"question": "What melts?", "support": "Ice melts.", "correct_answer": "ice", "distractor1": "a stone", "distractor2": "sand", "distractor3": ""}
        {"question": "Who waits?", "support": "", "correct_answer": "the old miller of the village", "distractor1": "no", "distractor2": "a", "distractor3": "é\u{1F600}"}

        """

    private func choices(_ name: String = "sciq", _ records: String = sciq) throws -> DownstreamTask
    {
        let file = try scratch.write("\(name).jsonl", records)
        return try DownstreamTask(
            TaskSpecification(
                name: name, files: [file],
                prompt: try Template("{support}\nQuestion: {question}\nAnswer:"),
                form: .choice(
                    correct: try Template(" {correct_answer}"),
                    distractors: try (1...3).map { try Template(" {distractor\($0)}") })))
    }

    /// The log-likelihood of an answer from the logits of one sequence.
    private func expected(_ prompt: String, _ answer: String) throws -> Double {
        let start = [tokenizer.endOfText] + tokenizer.encode(prompt)
        let ids = tokenizer.encode(answer)
        let all = (start + ids).suffix(model.configuration.context + 1)
        let inputs = Array(all.dropLast())
        let logits = try model.logits(inputs, rows: 1).values()
        let width = model.configuration.vocabulary
        var sum = 0.0
        for (offset, id) in ids.enumerated() {
            let row = inputs.count - ids.count + offset
            let values = logits[row * width..<(row + 1) * width].map(Double.init)
            let top = values.max() ?? 0
            sum += values[Int(id)] - top - log(values.reduce(0) { $0 + exp($1 - top) })
        }
        return sum
    }

    @Test("choices have the log-likelihood that the logits give, one sequence at a time")
    func likelihoods() throws {
        let task = try choices()
        let (result, outcomes) = try task.score(model, tokenizer)
        let questions = [
            ("Ice melts.\nQuestion: What melts?\nAnswer:", [" ice", " a stone", " sand"]),
            (
                "\nQuestion: Who waits?\nAnswer:",
                [" the old miller of the village", " no", " a", " é\u{1F600}"]
            ),
        ]
        #expect(outcomes.count == 2)
        var (correct, normalised) = (0, 0)
        for (outcome, (prompt, answers)) in zip(outcomes, questions) {
            let scores = try answers.map { try expected(prompt, $0) }
            #expect(outcome.logLikelihoods.count == scores.count)
            for (a, b) in zip(outcome.logLikelihoods, scores) { #expect(abs(a - b) < 1e-3) }
            correct += scores.dropFirst().allSatisfy { $0 < scores[0] } ? 1 : 0
            let each = zip(scores, answers).map { $0 / Double($1.unicodeScalars.count - 1) }
            normalised += each.dropFirst().allSatisfy { $0 < each[0] } ? 1 : 0
        }
        // Of answers of these lengths, only the normalised score can prefer the long one.
        #expect(result.correct == correct && result.correctNormalised == normalised)
        #expect(result.count == 2 && result.truncated == 0)
        #expect(try task.score(model, tokenizer, limit: 1).result.count == 1)
        #expect(try task.score(model, tokenizer).result == result)
    }

    @Test("a long prompt loses its beginning")
    func truncation() throws {
        let support = String(repeating: "word ", count: 400)
        let record =
            "{\"question\": \"Q?\", \"support\": \"\(support)\", \"correct_answer\": \"ice\", \"distractor1\": \"sand\", \"distractor2\": \"\", \"distractor3\": \"\"}"
        let (result, outcomes) = try choices("long", record).score(model, tokenizer)
        #expect(result.truncated == 1)
        let prompt = "\(support)\nQuestion: Q?\nAnswer:"
        #expect(abs(outcomes[0].logLikelihoods[0] - (try expected(prompt, " ice"))) < 1e-3)
    }

    @Test("answers are read behind the marker")
    func answers() throws {
        func answer(_ text: String, _ marker: String? = "####") -> String? {
            AnswerJudge.answer(of: Array(text.utf8), after: marker)
        }
        #expect(answer("9 + 9 = 18\n#### 1,018\nmore #### 3") == "1018")
        #expect(answer("#### $12.50.") == "12.50")
        #expect(answer("12") == nil && answer("#### \n12") == nil)
        #expect(answer("\n  Paris. \nLondon", nil) == "Paris")
        let (low, high) = TaskResult.interval(8, of: 10)
        // Wilson's interval for 8 of 10, from the formula by hand.
        #expect(abs(low - 0.49016) < 1e-4 && abs(high - 0.94332) < 1e-4)
        #expect(TaskResult.interval(0, of: 5).low == 0 && TaskResult.interval(5, of: 5).high == 1)
    }

    @Test("generated answers match what greedy generation gives, and nothing else")
    func matches() throws {
        let prompts = ["Question: a?\nAnswer:", "Question: b c?\nAnswer:"]
        let texts = try prompts.map { prompt in
            let ids = try model.generate(
                prompt: [tokenizer.endOfText] + tokenizer.encode(prompt), count: 12,
                sampling: Sampling(temperature: 0), endOfText: tokenizer.endOfText)
            return try tokenizer.decode(ids.filter { $0 != tokenizer.endOfText })
        }
        let first = try #require(AnswerJudge.answer(of: texts[0], after: nil))
        let file = try scratch.write(
            "match.jsonl",
            "{\"question\": \"a?\", \"answer\": \(JSONValue.quoted(first))}\n{\"question\": \"b c?\", \"answer\": \"no such thing\"}\n"
        )
        func task(_ stop: [String], marker: String? = nil) throws -> DownstreamTask {
            try DownstreamTask(
                TaskSpecification(
                    name: "match", files: [file],
                    prompt: try Template("Question: {question}\nAnswer:"),
                    form: .match(
                        answer: try Template("{answer}"), rule: .behind(marker: marker), tokens: 12,
                        stop: stop)))
        }
        let (result, outcomes) = try task([]).score(model, tokenizer)
        #expect(result.correct == 1 && result.count == 2 && result.normalised == nil)
        #expect(outcomes.map(\.text) == texts)
        // A stop text must be UTF-8, which what fresh weights generate need not be.
        let place = try #require(texts[0].firstIndex { (0x21..<0x7f).contains($0) })
        let end = String(decoding: [texts[0][place]], as: UTF8.self)
        let cut = try task([end]).score(model, tokenizer).outcomes[0].text
        #expect(cut == Array(texts[0][..<place]))
        #expect(
            message { _ = try task([], marker: "####") }.contains(
                "match.jsonl:1: the answer has no text behind \"####\""))
    }

    @Test("ids that only the model has are not generated for an answer")
    func padded() throws {
        var shape = laboratory.base.model
        shape.vocabulary = 4000
        let file = try scratch.write("n.jsonl", "{\"question\": 1.50, \"answer\": 5}")
        let task = try DownstreamTask(
            TaskSpecification(
                name: "numbers", files: [file], prompt: try Template("{question}"),
                form: .match(
                    answer: try Template("{answer}"), rule: .behind(marker: nil), tokens: 24,
                    stop: [])))
        let (result, outcomes) = try task.score(try shape.model(seed: 3), tokenizer)
        #expect(result.count == 1 && outcomes[0].reference == "5" && outcomes[0].text != nil)
        #expect(task.questions[0].prompt == Array("1.50".utf8))
    }

    @Test("what is wrong is named")
    func errors() throws {
        #expect(
            message { _ = try choices("a", "{\"question\": []}") }.contains("expected a string"))
        #expect(message { _ = try choices("a", "{\"question\": \"x\"}") }.contains("no field"))
        #expect(message { _ = try choices("a", "") }.contains("hold no question"))
        let empty = Self.sciq.replacing("a stone", with: "").replacing("sand", with: " ")
        #expect(message { _ = try choices("a", empty) }.contains("a.jsonl:1: every distractor"))
        #expect(message { _ = try choices().score(model, tokenizer, limit: 0) }.contains("limit"))
    }

    @Test("a study has a task's columns, and answers from the store")
    func study() throws {
        let task = try choices()
        func make() throws -> Study {
            let arms = [
                Arm(
                    name: "control", parameters: [("seed", .integer(1))], recipe: laboratory.base,
                    finetuning: [laboratory.finetuning()])
            ]
            return try Study(
                arms: arms, evaluate: [laboratory.tasks], measures: [TaskAccuracy(task, limit: 2)],
                evaluationLimit: 2,
                store: laboratory.store)
        }
        let result = try make().run()
        #expect(result.trainedSteps > 0)
        let again = try make().run()
        #expect(again.trainedSteps == 0 && again.csv() == result.csv())
        for name in ["sciq", "sciq_before", "sciq_normalised", "sciq_normalised_before"] {
            let column = try #require(result.columns.firstIndex(of: name))
            let value = try #require(result.records()[0][column].number)
            #expect([0, 0.5, 1].contains(value))
        }
        let run = try laboratory.run(laboratory.base)
        let score = try run.score(task, limit: 2)
        #expect(score.accuracy == result.rows[0].before["sciq"])
        #expect(score.normalised == result.rows[0].before["sciq_normalised"])
        #expect(
            message {
                _ = try Study(
                    arms: result.rows.map(\.arm), evaluate: [laboratory.tasks],
                    measures: [TaskAccuracy(task), TaskAccuracy(task)], evaluationLimit: nil,
                    store: laboratory.store)
            }.contains("sciq twice"))
        for name in ["arm", "seed", "key", "failure", "code-tasks_before", "tokens_prose"] {
            let error = message {
                _ = try Study(
                    arms: result.rows.map(\.arm), evaluate: [laboratory.tasks],
                    measures: [TaskAccuracy(try choices(name))], evaluationLimit: nil,
                    store: laboratory.store)
            }
            #expect(
                error.contains("expected names of their own, got \(name)"), "\(name): \(error)")
        }
    }
}
