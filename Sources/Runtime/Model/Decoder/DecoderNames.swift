/// What a family's files call the weights of a decoder; matrices and norms without `.weight` and `.bias`.
public struct DecoderNames: Sendable {
    var prefix = "model."
    var layers = "layers."
    var embedding = "embed_tokens.weight"
    var positions = "wpe.weight"
    var attentionNorm = "input_layernorm"
    /// One matrix each for queries, keys and values, or one for all.
    var attention = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]
    var queryNorm = "self_attn.q_norm"
    var keyNorm = "self_attn.k_norm"
    var dense = "self_attn.o_proj"
    var afterAttentionNorm = "post_attention_layernorm"
    var feedForwardNorm = "post_attention_layernorm"
    /// The matrix of the function and the one it multiplies, or one for both.
    var up = ["mlp.gate_proj", "mlp.up_proj"]
    var down = "mlp.down_proj"
    var afterFeedForwardNorm = "post_feedforward_layernorm"
    var finalNorm = "norm"
    var head = "lm_head.weight"
}

extension DecoderShape {
    /// Names, shapes and roles of the parameters, in the order in which `DecoderWeights` takes them.
    ///
    /// Matrices that are multiplied as one stand one behind the other, and so do their biases.
    func parameterShapes(_ names: DecoderNames) -> [ParameterShape] {
        var result = [
            ParameterShape(names.prefix, names.embedding, [vocabulary, width], .embedding)
        ]
        if let positionRows {
            result.append(
                ParameterShape(
                    names.prefix, names.positions, [positionRows, width], .embedding)
            )
        }
        var (prefix, current): (String, Int?) = (names.prefix, nil)
        func add(_ name: String, _ shape: [Int]) {
            result.append(ParameterShape(prefix, name, shape, layer: current))
        }
        func addNorm(_ name: String) {
            guard norm != .plainLayer else { return }
            add(name + ".weight", [width])
            if norm == .layer { add(name + ".bias", [width]) }
        }
        func matrices(_ names: [String], _ outputs: [Int], _ inputs: Int, bias: Bool) {
            let all = outputs.reduce(0) { Int.saturatingSum($0, $1) }
            let outputs = names.count == outputs.count ? outputs : [all]
            for (name, count) in zip(names, outputs) { add(name + ".weight", [count, inputs]) }
            guard bias else { return }
            for (name, count) in zip(names, outputs) { add(name + ".bias", [count]) }
        }
        let query = Int.saturatingProduct(heads, size)
        let key = Int.saturatingProduct(groups, size)
        for layer in 0..<layers {
            (prefix, current) = ("\(names.prefix)\(names.layers)\(layer).", layer)
            if normPlace != .after { addNorm(names.attentionNorm) }
            matrices(names.attention, [query, key, key], width, bias: attentionBias != .none)
            if let queryKeyNorm {
                add(names.queryNorm + ".weight", [queryKeyNorm == .head ? size : query])
                add(names.keyNorm + ".weight", [queryKeyNorm == .head ? size : key])
            }
            matrices([names.dense], [width], query, bias: attentionBias == .all)
            if normPlace != .before { addNorm(names.afterAttentionNorm) }
            if normPlace != .after { addNorm(names.feedForwardNorm) }
            matrices(
                names.up, isGated ? [feedForward, feedForward] : [feedForward], width,
                bias: feedForwardBias)
            matrices([names.down], [width], feedForward, bias: feedForwardBias)
            if normPlace != .before { addNorm(names.afterFeedForwardNorm) }
        }
        (prefix, current) = (names.prefix, nil)
        addNorm(names.finalNorm)
        if !tiedEmbeddings {
            result.append(ParameterShape("", names.head, [vocabulary, width], .head))
        }
        return result
    }
}
