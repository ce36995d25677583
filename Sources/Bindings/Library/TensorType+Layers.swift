import Runtime

extension Library {
    /// Methods that models are made of.
    static var tensorLayers: [Method<Tensor>] {
        [
            Method(
                "linear", "`x · weightᵀ + bias` on the last axis, of size `inputs`.",
                [
                    .object("weight", "tensor", "Shape [outputs, inputs]."),
                    .object("bias", "tensor", "Shape [outputs].").optional,
                ],
                returns: "tensor [..., outputs]",
                example: "print(mt.ones({ 2, 3 }):linear(mt.ones { 4, 3 }, mt.zeros(4)))"
            ) { tensor, call in
                let weight: Tensor = try call.object("weight")
                let bias: Tensor? = try call.object(ifPresent: "bias")
                try call.returns { try tensor.linear(weight, bias: bias) }
            },
            Method(
                "layer_norm",
                "Layer norm of the last axis: `(x - mean) / sqrt(variance + epsilon) * gain + bias`.",
                [
                    .object("gain", "tensor", "Shape of the last axis."),
                    .object("bias", "tensor", "Shape of the last axis."),
                    .number("epsilon", "Added to variances.", .epsilon).or(1e-5),
                ],
                returns: "tensor of the same shape",
                example: "print(mt.tensor({ { 1, 2, 6 } }):layer_norm(mt.ones(3), mt.zeros(3)))"
            ) { tensor, call in
                let gain: Tensor = try call.object("gain")
                let bias: Tensor = try call.object("bias")
                let epsilon = Float(try call.number("epsilon"))
                try call.returns { try tensor.layerNorm(gain: gain, bias: bias, epsilon: epsilon) }
            },
            Method(
                "embedding", "Rows of this table [rows, width] by token id.",
                [
                    .positions(
                        "ids", "Nested lists or a tensor of ids, from 0 as a tokenizer counts.")
                ],
                returns: "tensor with the shape of the ids and an axis of `width`",
                example: "print(mt.eye(4):embedding { 0, 3 })"
            ) { table, call in
                guard table.rank == 2 else {
                    throw ShapeError("embedding", [table.shape], expected: "a table [rows, width]")
                }
                let (ids, shape) = try call.ids("ids", 0..<table.shape[0])
                try call.returns { try table.rows(ids).reshaped(shape + [table.shape[1]]) }
            },
            Method(
                "cross_entropy",
                "The mean cross-entropy of these logits [..., classes] against class ids, in nats for each id that counts.",
                [
                    .positions(
                        "ids",
                        "Nested lists or a tensor of ids, shaped like the logits without the last axis: from 0, as a tokenizer counts; -1 does not count."
                    )
                ],
                returns: "tensor without axes",
                example: "print(mt.tensor({ { 2, 0 }, { 0, 1 } }):cross_entropy { 0, 1 })"
            ) { logits, call in
                guard let classes = logits.shape.last, classes > 0 else {
                    throw ShapeError(
                        "cross_entropy", [logits.shape], expected: "logits [..., classes]")
                }
                let (ids, shape) = try call.ids("ids", -1..<classes)
                guard shape == logits.shape.dropLast() else {
                    throw ShapeError(
                        "cross_entropy", [logits.shape, shape],
                        expected: "logits [..., classes] and an id for each row")
                }
                try call.returns { try logits.crossEntropy(ids) }
            },
        ]
    }
}
