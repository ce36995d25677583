import Bindings
import Foundation
import TestSupport
import Testing

/// What is wrong with the input is named: the file and line or the field, the value, and what was expected.
@Suite("Input errors") struct InputErrorTests {
    static let cases: [(code: String, parts: [String])] = [
        ("mt.corpus { 'x', files = 'nowhere.jsonl' }", ["nowhere.jsonl", "No such file"]),
        ("mt.corpus { 'x', files = 'no*where/*.txt' }", ["no*where/*.txt"]),
        ("mt.corpus { 'x', embedded = 'prosa' }", ["embedded", "prosa", "prose"]),
        ("mt.corpus { 'x', embeded = 'prose' }", ["unknown option 'embeded'", "embedded"]),
        ("mt.corpus { 'x' }", ["files"]),
        ("mt.neox('micro-0.2m', { tokenizer = tokens })", ["micro-0.2m", "micro-0.1m"]),
        (
            "mt.neox('micro-0.1m', { tokenizer = tokens, vocabulary = 299 })",
            ["vocabulary", "300", "299"]
        ),
        (
            "mt.neox('micro-0.1m', { tokenizer = tokens, heads = 3, width = 16 })",
            ["heads", "3", "16"]
        ),
        // Billions of empty tables.
        (
            "mt.zeros({ 1000000000000, 0 }):table()",
            ["a table of 1000000000000 × 0 numbers", "of memory"]
        ),
        (
            "base:open():train { keep = { 500000000 } }",
            ["keep: states of a run of", "got 500000000"]
        ),
        ("base:with { mixture = {} }", ["expected at least one source"]),
        ("base:with { steps = -5 }", ["steps", "integer in 0", "-5"]),
        ("base:with { steps = 2.5 }", ["steps", "2.5"]),
        ("base:with { batch = 0 }", ["batch", "0"]),
        ("base:with { seeds = 1 }", ["unknown option 'seeds'", "seed"]),
        (
            "base:with { optimizer = { learning_rat = 1 } }",
            ["optimizer.learning_rat", "learning_rate"]
        ),
        (
            "base:with { optimizer = { learning_rate = -1 } }",
            ["learning_rate", "number above 0", "-1"]
        ),
        ("base:with { optimizer = { schedule = 'cosin' } }", ["schedule", "cosin", "cosine"]),
        ("base:with { optimizer = { warmup = 100 } }", ["warmup", "12", "100"]),
        ("base:with { accumulate = 2 }", ["accumulate", "divisor", "5", "2"]),
        (
            "base:with { mixture = { prose = 0.5, code = 0.6 } }",
            ["sum to 1", "prose = 0.5", "code = 0.6", "1.1"]
        ),
        ("base:with { mixture = { prose = 1.5, code = -0.5 } }", ["code", "-0.5"]),
        ("base:with { mixture = { proze = 1 } }", ["proze", "prose"]),
        ("base:with { mixture = {} }", ["mixture"]),
        ("base:with { batch = 4000 }:open()", ["prose", "repeat", "tokens"]),
        ("base:midtrain { from = 12, mixture = { code = 1 } }", ["from", "0 ... 11", "12"]),
        ("base:midtrain { from = -1, mixture = { code = 1 } }", ["from", "-1"]),
        ("base:midtrain { mixture = { code = 1 } }", ["from", "missing"]),
        ("base:midtrain { from = 6, length = 9, mixture = { code = 1 } }", ["length", "9", "12"]),
        ("base:open():train { to = 13 }", ["to", "0 ... 12", "13"]),
        ("base:open():train { too = 13 }", ["unknown option 'too'", "to"]),
        ("base:finetune { tasks, epochs = 0, learning_rate = 1e-3 }", ["epochs", "0"]),
        ("base:finetune { prose, learning_rate = 'x' }", ["learning_rate", "x"]),
        (
            "mt.study { arms = mt.grid { seed = { 1 } }, recipe = function() return base end, finetune = { tasks, learning_rate = 1e-3 }, evaluate = { prose } }",
            ["evaluate", "tasks", "prose"]
        ),
        ("mt.study { arms = {}, recipe = function() return base end }", ["arms", "at least one"]),
        (
            "mt.study { arms = { {} }, recipe = function() end }",
            ["recipe(arms[1])", "recipe expected"]
        ),
        ("mt.study { arms = { 1 }, recipe = function() end }", ["arms[1]", "table expected"]),
        ("mt.grid { start = {} }", ["start", "at least one value"]),
        ("mt.tokenizer { train_on = { prose }, vocabulary = 100 }", ["vocabulary", "257", "100"]),
        ("mt.tokenizer { train_on = { prose }, file = 'x' }", ["train_on, file"]),
        ("mt.tokenizer { file = 'nowhere.json' }", ["nowhere.json", "No such file"]),
        ("mt.tokenizer { train_on = { prose }, preset = 'gpt3' }", ["preset", "gpt3", "llama3"]),
        (
            "mt.tokenizer { train_on = { prose }, end_of_text = 'x' }",
            ["end_of_text: expected only together with `file`", "x"]
        ),
        (
            "mt.tokenizer { train_on = { prose }, add_special_tokens = true }",
            ["add_special_tokens: expected only with a tokenizer.json"]
        ),
        ("mt.records('nothing')", ["no run is called 'nothing'"]),
        ("base:midtrian {}", ["midtrian", "midtrain"]),
    ]

    @Test("a wrong value is named with what was expected")
    func values() throws {
        let laboratory = try LaboratoryBench()
        for (code, parts) in Self.cases {
            let error = laboratory.bench.error(code)
            for part in parts { #expect(error.contains(part), "\(code): \(error)") }
        }
    }

    @Test("a bad file is named with its line")
    func files() throws {
        let laboratory = try LaboratoryBench()
        let scratch = laboratory.scratch
        func error(_ name: String, _ text: String, _ options: String = "") throws -> String {
            let path = try scratch.write(name, text)
            return laboratory.bench.error(
                "mt.corpus { 'x', files = '\(path)' \(options) }:summary()")
        }
        let bad = try error("bad.jsonl", "{\"text\": \"one\"}\n{\"text\": \"two\"\n")
        #expect(bad.contains("bad.jsonl:2"), "\(bad)")
        let field = try error("field.jsonl", "{\"body\": \"one\"}\n")
        #expect(field.contains("field.jsonl:1") && field.contains("text"), "\(field)")
        let template = try error(
            "template.jsonl", "{\"body\": \"one\"}\n", ", text = '{bodi}'")
        #expect(
            template.contains("template.jsonl:1") && template.contains("bodi")
                && template.contains("body"), "\(template)")
        let bytes = scratch.path + "/bytes.jsonl"
        try Data([0x7b, 0x22, 0x74, 0xff, 0x0a]).write(to: URL(fileURLWithPath: bytes))
        let encoding = laboratory.bench.error("mt.corpus { 'x', files = '\(bytes)' }:summary()")
        #expect(encoding.contains("bytes.jsonl:1"), "\(encoding)")
        let path = try scratch.write("empty.jsonl", "\n\n")
        let empty = laboratory.bench.error(
            "mt.corpus { 'empty', files = '\(path)' } base:with({ mixture = { empty = 1 } }):open()"
        )
        #expect(empty.contains("empty") && empty.contains("at least one document"), "\(empty)")
    }

    @Test("a tokenizer that the model was not made for is refused")
    func vocabulary() throws {
        let laboratory = try LaboratoryBench()
        let error = laboratory.bench.error(
            """
            local larger = mt.tokenizer { train_on = { prose }, vocabulary = 400 }
            mt.neox("micro-0.1m", { tokenizer = larger, vocabulary = 300 })
            """)
        #expect(error.contains("400") && error.contains("300"), "\(error)")
    }
}
