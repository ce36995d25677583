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

    /// A `config.json` of a family's smallest model with changes to its text.
    private func refusal(
        _ family: String, _ scratch: Scratch, _ change: (inout [String: Any]) -> Void
    ) throws -> String {
        let model = try DecoderFamilies.tiny(family).model(seed: 1)
        let folder = "\(scratch.path)/\(family)"
        try ModelExport.write(
            folder, model.configuration, model.parameters, Laboratory().base.tokenizer)
        let path = "\(folder)/config.json"
        let text = try Data(contentsOf: URL(fileURLWithPath: path))
        var fields = try #require(JSONSerialization.jsonObject(with: text) as? [String: Any])
        change(&fields)
        try JSONSerialization.data(withJSONObject: fields).write(to: URL(fileURLWithPath: path))
        let found = message { _ = try PretrainedModel(folder) }
        #expect(found.contains(path), "\(found)")
        return found
    }

    @Test("what is not supported is refused by the field's name and value")
    func refusals() throws {
        let scratch = try Scratch()
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
            ("llama", "hidden_size", 63, "heads: expected a divisor of the width 63"),
            ("llama", "num_key_value_heads", "1", "num_key_value_heads: expected a whole number"),
            ("llama", "num_attention_heads", 1e30, "num_attention_heads: expected"),
            ("llama", "head_dim", Int.max, "head_size: expected a whole number"),
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
            let found = try refusal(family, scratch) { $0[field] = value }
            #expect(found.contains(reason), "\(family) \(field): \(found)")
        }
        let unknown = try refusal("llama", scratch) { $0["model_type"] = "mamba" }
        #expect(unknown.contains("model_type: expected \"gpt_neox\" or \"llama\""))
    }
}
