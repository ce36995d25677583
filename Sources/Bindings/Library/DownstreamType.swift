import Runtime

extension DownstreamTask: LuaObject {}

extension Library {
    static var downstream: Library {
        Library(functions: [multipleChoice, exactMatch], types: [taskType])
    }

    private static var common: [Parameter] {
        [
            .string("name", "What tables call it.").item,
            .paths("files", "Paths, globs or folders of .jsonl, .json, .csv and .tsv files."),
            .boolean(
                "parse_special",
                "Whether special tokens of the tokenizer that are written out in templates become their ids; otherwise they are plain text, with a warning. What a record holds is always plain text."
            ).or(false),
        ]
    }

    private static var multipleChoice: Function {
        Function(
            "multiple_choice",
            "Questions whose correct answer must be more likely than every distractor after the prompt, in all and for each character. The defaults are the fields of SciQ, read as lm_eval reads them.",
            [
                .options(
                    common + [
                        .string("prompt", "Template of what stands before an answer.").or(
                            "{support}\nQuestion: {question}\nAnswer:"),
                        .strings(
                            "lstrip",
                            "Fields whose white space at the beginning is left out. Default: \"support\"."
                        ).optional,
                        .string("correct", "Template of the correct answer.").or(
                            " {correct_answer}"),
                        .strings(
                            "distractors",
                            "Templates of the wrong answers; those without text are left out. Default: \" {distractor1}\", \" {distractor2}\", \" {distractor3}\"."
                        ).optional,
                    ])
            ],
            returns: "task",
            example: """
                local file = os.tmpname() .. ".jsonl"
                local out = assert(io.open(file, "w"))
                out:write('{"q": "2 + 2 =", "right": "4", "wrong": ["5", "six"]}')
                out:close()
                local sums = mt.multiple_choice { "sums", files = file, prompt = "{q}", correct = " {right}",
                  distractors = { " {wrong[1]}", " {wrong[2]}" } }
                print(sums.count)
                os.remove(file)
                """
        ) { call in
            let options = try call.options()
            let distractors =
                try options.strings(ifPresent: "distractors")
                ?? [" {distractor1}", " {distractor2}", " {distractor3}"]
            try call.returns(
                try task(
                    options, call,
                    .choice(
                        correct: try Template(try options.string("correct")),
                        distractors: try distractors.map { try Template($0) }),
                    stripped: try options.strings(ifPresent: "lstrip") ?? ["support"]))
        }
    }

    private static var exactMatch: Function {
        Function(
            "exact_match",
            "Questions whose generated answer must be the reference. The defaults are the fields and the rules of GSM8K in lm_eval, its filter `strict-match`.",
            [
                .options(
                    common + [
                        .string("prompt", "Template of what stands before an answer.").or(
                            "Question: {question}\nAnswer:"),
                        .string("answer", "Template of the reference's text.").or("{answer}"),
                        .string(
                            "marker",
                            "In place of `pattern`: behind it stands the answer, in the reference and in what is generated, up to the end of the line; `,`, `$` and a final period do not matter."
                        ).optional,
                        .boolean(
                            "whole",
                            "Whether there is no marker and the first line of the text is the answer."
                        ).or(
                            false),
                        .choice(
                            "filter", ["strict-match", "flexible-extract"],
                            "The rules of lm_eval's GSM8K: the number behind the first `#### `, or the last number in the text."
                        ).or("strict-match"),
                        .string(
                            "pattern",
                            "A regular expression (PCRE2) that finds the answer in what is generated, in place of the filter's: its first group with text, or all of the match."
                        ).optional,
                        .integer(
                            "match",
                            "Which match of `pattern` counts: 1 is the first, -1 the last. Default: 1.",
                            .position, in: -(1 << 16)...1 << 16
                        ).optional,
                        .strings(
                            "ignore",
                            "Regular expressions whose matches are removed from answer and reference. Default: those of GSM8K, `,`, `\\$`, `(?s).*#### ` and `\\.$`; none with `pattern`."
                        ).optional,
                        .boolean(
                            "ignore_case",
                            "Whether capital and small letters are the same. Default: true, with `pattern` false."
                        ).optional,
                        .boolean(
                            "ignore_punctuation", "Whether ASCII punctuation is removed from both."
                        ).or(
                            false),
                        .boolean("ignore_numbers", "Whether ASCII digits are removed from both.")
                            .or(
                                false),
                        .integer("tokens", "Tokens to generate at most.", .tokens, in: 1...1 << 16)
                            .or(256),
                        .strings(
                            "stop",
                            "Texts that end the answer. Default: \"Question:\", \"</s>\", \"<|im_end|>\", as of GSM8K; with `marker` or `whole`: \"\\nQuestion:\"."
                        ).optional,
                    ])
            ],
            returns: "task",
            example: """
                local file = os.tmpname() .. ".jsonl"
                local out = assert(io.open(file, "w"))
                out:write('{"question": "2 + 2?", "answer": "Two and two. #### 4"}')
                out:close()
                print(mt.exact_match({ "sums", files = file, tokens = 32 }).count)
                os.remove(file)
                """
        ) { call in
            let options = try call.options()
            let rule = try answerRule(options)
            var ends = ["\nQuestion:"]
            if case .matching = rule { ends = ["Question:", "</s>", "<|im_end|>"] }
            try call.returns(
                try task(
                    options, call,
                    .match(
                        answer: try Template(try options.string("answer")), rule: rule,
                        tokens: try options.integer("tokens"),
                        stop: try options.strings(ifPresent: "stop") ?? ends)))
        }
    }

    private static func answerRule(_ options: Options) throws -> AnswerRule {
        let marker = try options.string(ifPresent: "marker")
        let pattern = try options.string(ifPresent: "pattern")
        let whole = try options.boolean("whole")
        let selected = try options.integer(ifPresent: "match")
        let ignored = try options.strings(ifPresent: "ignore")
        let ignoresCase = try options.boolean(ifPresent: "ignore_case")
        let punctuation = try options.boolean("ignore_punctuation")
        let numbers = try options.boolean("ignore_numbers")
        if marker != nil || whole {
            let other = [
                ("pattern", pattern != nil), ("match", selected != nil), ("ignore", ignored != nil),
                ("ignore_case", ignoresCase != nil), ("ignore_punctuation", punctuation),
                ("ignore_numbers", numbers),
            ].first(where: \.1)
            if let other {
                throw Mistake("\(other.0): expected only without `\(whole ? "whole" : "marker")`")
            }
            return .behind(marker: whole ? nil : marker)
        }
        let isStrict = try options.string("filter") == "strict-match"
        var rule = isStrict ? AnswerRule.Extraction.strictMatch : .flexibleExtract
        if let pattern { rule = AnswerRule.Extraction(pattern: pattern) }
        if let selected {
            guard selected != 0 else {
                throw Mistake("match: expected 1 for the first, -1 for the last and so on, got 0")
            }
            rule.selected = selected > 0 ? selected - 1 : selected
        }
        if let ignored { rule.ignored = ignored }
        if let ignoresCase { rule.ignoresCase = ignoresCase }
        rule.ignoresPunctuation = punctuation
        rule.ignoresNumbers = numbers
        return .matching(rule)
    }

    private static func task(
        _ options: Options, _ call: Call, _ form: TaskSpecification.Form, stripped: [String] = []
    ) throws -> DownstreamTask {
        let session = call.interpreter.session
        var specification = TaskSpecification(
            name: try options.string("name"), files: try options.strings("files"),
            prompt: try Template(try options.string("prompt")), form: form)
        specification.stripped = stripped
        specification.parsesSpecial = try options.boolean("parse_special")
        return try session.working { try DownstreamTask(specification, stop: session.stop) }
    }

    private static var taskType: ObjectType {
        ObjectType(
            "task", DownstreamTask.self, "Questions with known answers, for `score` and studies.",
            describe: { "task \($0.name): \($0.count) questions" },
            fields: [
                Field("name", "string", "What tables call it.") { $0.name },
                Field("count", "integer", "Questions.") { $0.count },
            ])
    }

    // MARK: - Scores

    static var scoreHelp: String {
        "Asks the questions of a task. Choices are judged by the log-likelihood of the answers, exact matches by greedy generation; intervals are Wilson's, at 95%."
    }

    static var scoreReturns: String {
        "table with accuracy, interval (low, high), count, correct, truncated (questions whose beginning did not fit the context); of choices also normalised (by the likelihood for each character) and normalised_interval"
    }

    static var scoreParameters: [Parameter] {
        [
            .object("task", "task", "What to ask."),
            .options([
                .integer("limit", "Questions at most; default: all.", .count.positive).optional,
                .boolean(
                    "details",
                    "Whether `outcomes` tells of every question: correct, log_likelihoods (the correct answer first), or text, answer (what was found in it) and reference."
                ).or(false),
            ]).optional,
        ]
    }

    static func scoreTable(
        _ result: TaskResult, _ outcomes: [DownstreamTask.Outcome]? = nil
    ) -> Record {
        func interval(_ correct: Int) -> Record {
            let (low, high) = TaskResult.interval(correct, of: result.count)
            return Record([], items: [low, high])
        }
        let items = outcomes?.map { outcome in
            Record([
                ("correct", outcome.isCorrect),
                (
                    "log_likelihoods",
                    outcome.logLikelihoods.isEmpty ? nil : Record([], items: outcome.logLikelihoods)
                ),
                ("text", outcome.text.map(Bytes.init)), ("answer", outcome.answer),
                ("reference", outcome.reference),
            ])
        }
        return Record([
            ("accuracy", result.accuracy), ("interval", interval(result.correct)),
            ("normalised", result.normalised),
            ("normalised_interval", result.correctNormalised.map(interval)),
            ("count", result.count), ("correct", result.correct), ("truncated", result.truncated),
            ("outcomes", items.map { Record([], items: $0) }),
        ])
    }

    static var runScoreMethod: Method<RunBox> {
        Method("score", scoreHelp, scoreParameters, returns: scoreReturns) { box, call in
            let session = call.interpreter.session
            let options = try call.options()
            let task: DownstreamTask = try call.object("task")
            let limit = try options.integer(ifPresent: "limit")
            var settings = RunOptions()
            settings.progress = session.progress.work
            settings.stop = session.stop
            let record = try session.working {
                guard try options.boolean("details") else {
                    return scoreTable(try box.run.score(task, limit: limit, settings))
                }
                let (result, outcomes) = try task.score(
                    try box.run.model(options: settings), box.run.trajectory.recipe.tokenizer,
                    limit: limit, progress: session.progress.work, stop: session.stop)
                return scoreTable(result, outcomes)
            }
            try call.returns(record)
        }
    }

    static var networkScoreMethod: Method<Network> {
        Method("score", scoreHelp, scoreParameters, returns: scoreReturns) { network, call in
            let session = call.interpreter.session
            let options = try call.options()
            let task: DownstreamTask = try call.object("task")
            let limit = try options.integer(ifPresent: "limit")
            let (result, outcomes) = try session.working {
                try task.score(
                    network.model, network.tokenizer, limit: limit,
                    progress: session.progress.work, stop: session.stop)
            }
            let details = try options.boolean("details")
            try call.returns(scoreTable(result, details ? outcomes : nil))
        }
    }
}
