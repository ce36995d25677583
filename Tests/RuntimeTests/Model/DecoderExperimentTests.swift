import Foundation
import Runtime
import Testing

@Suite("The whole experiment of each family")
struct DecoderExperimentTests {
    @Test(
        "pretrains, midtrains, resumes to the same bits, finetunes, is measured, exported and read",
        arguments: DecoderFamilies.names)
    func wholePath(family: String) throws {
        func run(_ laboratory: Laboratory) throws -> Run {
            var recipe = try laboratory.midtrained()
            recipe.model = try DecoderFamilies.tiny(family)
            return try laboratory.run(recipe.finetuned(laboratory.finetuning()))
        }
        let (one, two) = (try Laboratory(), try Laboratory())
        let whole = try run(one)
        try whole.train()
        try run(two).train(to: 7)
        let resumed = try run(two)
        #expect(resumed.step == 7)
        try resumed.train()
        #expect(try resumed.bits() == whole.bits())
        let losses = try whole.records().map(\.loss)
        #expect(losses[11] < losses[0])

        #expect(try whole.evaluate(EvaluationSet(one.prose, .valid)).loss < 6)
        let model = try whole.model()
        #expect(model.configuration.family == family)
        let lines = try LayerDistortion(
            from: whole.trajectory.storedModel(0, one.store), to: model
        ).lines
        #expect(
            Set(lines.map(\.layer)).isSuperset(of: ["embedding", "1", "2", "all"]))

        let folder = "\(one.scratch.path)/exported"
        for storage in [StorageFormat.float32, .bfloat16] {
            try ModelExport.write(
                folder, model.configuration, model.parameters, one.base.tokenizer, storage: storage,
                shardBytes: storage == .bfloat16 ? 100_000 : nil)
            let read = try PretrainedModel(folder)
            var shape = try #require(read.configuration as? any DecoderConfiguration)
            // A file states how many positions are learned.
            if shape.shape.learnedPositions == 128 { shape.shape.learnedPositions = 0 }
            #expect(RecordedModel(shape) == RecordedModel(model.configuration))
            guard storage == .float32 else { continue }
            shape.context = 64
            shape.shape.learnedPositions =
                (read.configuration as? any DecoderConfiguration)?.shape.learnedPositions
            let again = try read.model(shape)
            #expect(Array(again.parameters.values) == Array(model.parameters.values))
        }
    }

    /// The folder of a family's smallest model, whose `config.json` is changed again and again.
    private struct Folder {
        let path: String
        let fields: [String: Any]

        init(_ family: String, _ scratch: Scratch, _ tokenizer: Tokenizer) throws {
            let model = try DecoderFamilies.tiny(family).model(seed: 1)
            path = "\(scratch.path)/\(family)"
            try ModelExport.write(path, model.configuration, model.parameters, tokenizer)
            let text = try Data(contentsOf: URL(fileURLWithPath: "\(path)/config.json"))
            fields = try #require(JSONSerialization.jsonObject(with: text) as? [String: Any])
        }

        /// What is said of the folder with another value of a field.
        func message(_ field: String, _ value: Any) throws -> String {
            var changed = fields
            changed[field] = value
            let file = "\(path)/config.json"
            try JSONSerialization.data(withJSONObject: changed).write(
                to: URL(fileURLWithPath: file))
            return RuntimeTests.message { _ = try PretrainedModel(path) }
        }
    }

    @Test("numbers at the ends of their range are errors, and never end the process")
    func ends() throws {
        let (scratch, tokenizer) = (try Scratch(), try Laboratory().base.tokenizer)
        let numbers: [Any] = [
            0, -1, 1 << 40, Int.max, 9.2e18, 1e300,
        ]
        for family in DecoderFamilies.names {
            let folder = try Folder(family, scratch, tokenizer)
            for (field, value) in folder.fields where value is NSNumber {
                for number in numbers {
                    let found = try folder.message(field, number)
                    #expect(
                        found == "no error" || found.contains(folder.path),
                        "\(family) \(field) \(number): \(found)")
                }
            }
        }
    }

    @Test("what is not supported is refused by the field's name and value")
    func refusals() throws {
        let (scratch, tokenizer) = (try Scratch(), try Laboratory().base.tokenizer)
        var folders: [String: Folder] = [:]
        for name in DecoderFamilies.names {
            folders[name] = try Folder(name, scratch, tokenizer)
        }
        let longRope: [String: Any] = ["rope_type": "longrope", "factor": 4.0]
        for (family, field, value, reason) in [
            ("llama", "rope_scaling", longRope, "rope_scaling.rope_type: expected \"default\" or"),
            ("llama", "rope_scaling", longRope, "found \"longrope\""),
            ("llama", "rope_scaling", ["rope_type": "linear"], "rope_scaling.factor: expected"),
            (
                "llama", "rope_scaling", ["rope_type": "llama3", "factor": 8],
                "rope_scaling.original_max_position_embeddings: expected a whole number, found nothing"
            ),
            ("llama", "rope_scaling", 3, "rope_scaling: expected an object or null, found 3"),
            ("llama", "hidden_act", "mish", "hidden_act: expected \"silu\""),
            ("llama", "hidden_act", "mish", "found \"mish\""),
            ("llama", "pretraining_tp", 2, "pretraining_tp: expected 1 or null"),
            ("llama", "hidden_size", 63, "is F32 [300, 64], expected F32, F16 or BF16 [300, 63]"),
            ("llama", "num_key_value_heads", "1", "num_key_value_heads: expected a whole number"),
            ("llama", "num_attention_heads", 1e30, "num_attention_heads: expected"),
            (
                "llama", "head_dim", 5000,
                "head_size: expected a whole number from 1 to 1024, got 5000"
            ),
            ("llama", "rms_norm_eps", -1, "norm_epsilon: expected"),
            ("llama", "attention_bias", "no", "attention_bias: expected true or false"),
            (
                "llama", "attention_bias", true,
                "tensor model.layers.0.self_attn.q_proj.bias is missing"
            ),
            ("llama", "tie_word_embeddings", 1, "tie_word_embeddings: expected true or false"),
            ("mistral", "sliding_window", -1, "window: expected"),
            ("qwen2", "use_sliding_window", true, "use_sliding_window: expected false or null"),
            ("qwen3", "layer_types", ["sliding_attention"], "layer_types: expected only"),
            (
                "olmo", "clip_qkv", 8,
                "clip_qkv: expected null: other values are not supported, found 8"
            ),
            ("gpt2", "scale_attn_by_inverse_layer_idx", true, "scale_attn_by_inverse_layer_idx:"),
            ("gpt2", "activation_function", "tanh", "activation_function: expected"),
            (
                "gpt2", "n_positions", 64,
                "wpe.weight is F32 [128, 64], expected F32, F16 or BF16 [64"
            ),
            ("gemma2", "layer_types", ["full_attention"], "layer_types: expected"),
            ("gemma3", "attn_logit_softcapping", 50, "attn_logit_softcapping: expected null"),
            (
                "smollm3", "no_rope_layers", [1, 0, 0],
                "no_rope_layers: expected 0 in every so many"
            ),
            ("phi3", "rope_scaling", longRope, "found \"longrope\""),
        ] as [(String, String, Any, String)] {
            let folder = try #require(folders[family])
            let found = try folder.message(field, value)
            #expect(
                found.contains(reason) && found.contains(folder.path),
                "\(family) \(field): \(found)")
        }
        let unknown = try #require(folders["llama"]).message("model_type", "mamba")
        #expect(unknown.contains("model_type: expected \"gpt_neox\" or \"llama\""))
    }
}
