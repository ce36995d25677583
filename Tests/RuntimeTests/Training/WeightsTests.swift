import Foundation
import Runtime
import Testing

@Suite("Training from weights", .serialized) struct WeightsTests {
    /// A laboratory, and its base recipe starting from the weights that a run of it has after 5 steps.
    private static func laboratory() throws -> (Laboratory, Recipe, Run) {
        let laboratory = try Laboratory()
        let run = try laboratory.run(laboratory.base)
        try run.train(to: 5)
        let folder = laboratory.scratch.path + "/exported"
        try run.export(to: folder)
        var recipe = laboratory.base
        recipe.weights = try PretrainedModel(folder)
        return (laboratory, recipe, run)
    }

    @Test("state 0 is the weights, whose content is in its key and whose seed is not")
    func start() throws {
        let (laboratory, recipe, run) = try Self.laboratory()
        let start = try laboratory.run(recipe)
        #expect(start.step == 0)
        #expect(
            try start.model().parameters.values.elementsEqual(run.model().parameters.values))
        var other = recipe
        other.seed = 77
        let second = try laboratory.run(other).trajectory
        #expect(second.keys[0] == start.trajectory.keys[0])
        #expect(second.keys[1] != start.trajectory.keys[1])  // the seed orders the data
        #expect(start.trajectory.keys[0] != run.trajectory.keys[0])
        // Rounded weights are other weights.
        let rounded = laboratory.scratch.path + "/rounded"
        try run.export(to: rounded, storage: .bfloat16)
        other.weights = try PretrainedModel(rounded)
        #expect(try laboratory.run(other).trajectory.keys[0] != start.trajectory.keys[0])
        let text = try start.trajectory.recipeText()
        #expect(text.contains(recipe.weights?.digest.hex ?? "?"))
        #expect(!(try run.trajectory.recipeText()).contains("weights\":\""))
    }

    @Test("interrupted and resumed is the same as not, and finetuning follows")
    func resume() throws {
        let (laboratory, recipe, _) = try Self.laboratory()
        let whole = try laboratory.run(try recipe.finetuned(laboratory.finetuning()))
        let (other, same, _) = try Self.laboratory()
        let first = try other.run(try same.finetuned(other.finetuning()))
        try whole.train()
        try first.train(to: 4)
        let second = try other.run(try same.finetuned(other.finetuning()))
        #expect(second.step == 4)
        try second.train()
        #expect(try second.bits() == whole.bits())
        #expect(second.key == whole.key)
    }

    @Test("another shape than that of the weights is refused, another context is not")
    func shape() throws {
        let (_, recipe, _) = try Self.laboratory()
        var other = recipe
        other.model.context = 64
        try other.validate()
        var shape = try #require(other.model as? NeoXConfiguration)
        shape.parallelResidual = false
        other.model = shape
        #expect { try other.validate() } throws: {
            "\($0)".contains("its shape is not that of the weights in")
        }
    }

    @Test("a state is exported from the store with the tokenizer that the store keeps")
    func store() throws {
        let (laboratory, _, run) = try Self.laboratory()
        var options = RunOptions()
        options.keep = [7]
        try run.train(options: options)
        let folder = laboratory.scratch.path + "/out"
        for (name, step) in [("test", 12), ("test@7", 7), ("\(run.trajectory.keys[12].hex)@7", 7)] {
            #expect(try laboratory.store.export(name, to: folder).step == step)
            let again = try PretrainedModel(folder)
            #expect(RecordedModel(again.configuration) == RecordedModel(laboratory.base.model))
            #expect(try again.tokenizer().digest == laboratory.base.tokenizer.digest)
        }
        #expect { try laboratory.store.export("test@6", to: folder) } throws: {
            "\($0)" == "run test has no checkpoint of state 6; it has those of 5, 7, 12"
        }
        #expect(throws: UnknownRun.self) { try laboratory.store.export("tset@5", to: folder) }
        let kept =
            "\(laboratory.store.folder)/tokenizers/\(laboratory.base.tokenizer.digest.hex).json"
        let elsewhere = laboratory.scratch.path + "/tokenizer.json"
        try FileManager.default.copyItem(atPath: kept, toPath: elsewhere)
        try FileManager.default.removeItem(atPath: "\(laboratory.store.folder)/tokenizers")
        #expect { try laboratory.store.export("test", to: folder) } throws: {
            "\($0)".contains("does not have the tokenizer of run test")
        }
        try laboratory.store.export("test", to: folder, tokenizer: elsewhere)
        #expect(try PretrainedModel(folder).tokenizer().digest == laboratory.base.tokenizer.digest)
    }

    @Test("what is read beside a tokenizer is written back, from a model and from the store")
    func companions() throws {
        let (laboratory, recipe, _) = try Self.laboratory()
        let folder = laboratory.scratch.path + "/theirs"
        try FileManager.default.copyItem(
            atPath: laboratory.scratch.path + "/exported", toPath: folder)
        let files = [
            "tokenizer_config.json":
                #"{"eos_token": {"content": "<|end|>"}, "padding_side": "left", "model_max_length": 1000000000000000019884624838656, "pad_token": "!"}"#,
            "special_tokens_map.json": #"{"pad_token": "!"}"#,
            "generation_config.json": #"{"eos_token_id": [5, 7], "temperature": 0.6}"#,
            "chat_template.jinja": "{% for m in messages %}{{ m['content'] }}\n{% endfor %}",
            "chat_template.json": #"{"chat_template": "x"}"#,
            "additional_chat_templates/rag.jinja": "{{ documents }}",
        ]
        try AtomicFile.makeFolder("\(folder)/additional_chat_templates")
        for (name, text) in files {
            try AtomicFile.write("\(folder)/\(name)", text: text)
        }
        let configuration = try FileReader.text(folder + "/config.json")
            .replacing(
                "\"eos_token_id\" : 0", with: "\"eos_token_id\" : [5, 7], \"pad_token_id\" : 1")
        try AtomicFile.write(folder + "/config.json", text: configuration)
        let tokenizer = try PretrainedModel(folder).tokenizer()
        #expect(tokenizer.digest == recipe.tokenizer.digest)
        #expect(tokenizer.notices.count == 3, "\(tokenizer.notices)")
        #expect(tokenizer.notices[0].contains("config.json: eos_token_id [5, 7] is not used"))
        #expect(tokenizer.notices[2].contains("eos_token <|end|> is not used"))
        var other = recipe
        other.tokenizer = tokenizer
        let run = try laboratory.run(other)
        try run.train(to: 3)
        let out = laboratory.scratch.path + "/written"
        func check() throws {
            for (name, text) in files {
                #expect(try FileReader.text("\(out)/\(name)") == text)
            }
            let root = try JSONValue.read(out + "/config.json", limit: 1 << 20)
            #expect(root["eos_token_id"]?.text == "[5, 7]" && root["pad_token_id"]?.integer == 1)
            #expect(root["bos_token_id"]?.integer == 0)
            #expect(try PretrainedModel(out).tokenizer().extras.digest == tokenizer.extras.digest)
        }
        try run.export(to: out)
        try check()
        let stored = try #require(
            try laboratory.store.runs().first { $0.row.state == run.key })
        try laboratory.store.export("\(stored.row.key)@3", to: out)
        try check()
        for (name, text, reason) in [
            ("generation_config.json", "[]", "expected an object"),
            ("tokenizer_config.json", #"{"pad_token": 3}"#, "pad_token is 3: expected a text"),
            (
                "tokenizer_config.json", #"{"padding_side": "middle"}"#,
                #"padding_side is "middle": expected "left" or "right""#
            ),
            (
                "tokenizer_config.json", #"{"model_max_length": "9"}"#,
                #"model_max_length is "9": expected a number"#
            ),
            (
                "tokenizer_config.json", #"{"chat_template": [{"name": "x"}]}"#,
                "chat_template is a list: expected a text, or a list of objects"
            ),
            (
                "special_tokens_map.json", #"{"eos_token": {"id": 1}}"#,
                "eos_token is an object: expected a text, or an object"
            ),
            (
                "config.json",
                configuration.replacing(
                    "\"bos_token_id\" : 0", with: "\"bos_token_id\" : 9223372036854775807"),
                "bos_token_id is"
            ),
        ] {
            let before = try FileReader.text("\(folder)/\(name)")
            try AtomicFile.write("\(folder)/\(name)", text: text)
            #expect {
                _ = try PretrainedModel(folder).tokenizer()
            } throws: {
                "\($0)".contains("\(name): \(reason)")
            }
            try AtomicFile.write("\(folder)/\(name)", text: before)
        }
    }
}
