import Runtime

extension Library {
    /// Tensors from numbers.
    static var creation: [Function] {
        [
            Function(
                "tensor",
                "A tensor of the numbers in nested lists, whose lengths give its shape; of a number, one without axes.",
                [
                    Parameter(
                        "values", .either([.number(.element), .table]),
                        "A number, or lists of equal lengths. Numbers are kept in 32 bits.")
                ], returns: "tensor", example: "print(mt.tensor { { 1, 2, 3 }, { 4, 5, 6 } })"
            ) { call in
                let nested = try call.naming("values") {
                    try Nested(
                        try call.value("values") ?? .null, path: "values", expected: "number"
                    ) { $0.numberValue.map { Float($0) } }
                }
                try call.returns { try Tensor.from(nested.elements, shape: nested.shape) }
            },
            Function(
                "zeros", "A tensor of zeros.",
                [.shape("Sizes of the axes; one number for one axis.")],
                returns: "tensor", example: "print(mt.zeros { 2, 3 })"
            ) { call in
                let shape = try call.integers("shape")
                try call.returns { try Tensor.zeros(shape) }
            },
            Function(
                "ones", "A tensor of ones.",
                [.shape("Sizes of the axes; one number for one axis.")],
                returns: "tensor", example: "print(mt.ones(4))"
            ) { call in
                let shape = try call.integers("shape")
                try call.returns { try Tensor.ones(shape) }
            },
            Function(
                "full", "A tensor with one number everywhere.",
                [
                    .shape("Sizes of the axes; one number for one axis."),
                    .number("value", "The number.", .element),
                ], returns: "tensor", example: "print(mt.full({ 2, 2 }, 0.5))"
            ) { call in
                let shape = try call.integers("shape")
                let value = Float(try call.number("value"))
                try call.returns { try Tensor.full(shape, value) }
            },
            Function(
                "range", "The numbers `first`, `first + step`, … up to `last`, as a `for` loop.",
                [
                    .number("first", "The first number.", .finite),
                    .number("last", "The last, if the steps reach it.", .finite),
                    .number("step", "What is added; not 0.", .finite).or(1.0),
                ], returns: "tensor, shape [count]", example: "print(mt.range(0, 1, 0.25))"
            ) { call in
                let (first, last) = (try call.number("first"), try call.number("last"))
                let step = try call.number("step")
                try call.returns { try Tensor.range(from: first, through: last, by: step) }
            },
            Function(
                "eye", "The identity matrix.",
                [.integer("size", "Rows and columns.", .size)],
                returns: "tensor, shape [size, size]",
                example: "print(mt.eye(3))"
            ) { call in
                let size = try call.integer("size")
                try call.returns { try Tensor.identity(size) }
            },
        ]
    }

    private static var seedOption: Parameter {
        .integer(
            "seed",
            "Number i depends on the seed and i alone. By default the n-th random tensor of a session takes its seed from the session's and n, so that a script draws the same numbers each time.",
            .seed
        ).optional
    }

    private static func seed(_ options: Options, _ call: Call) throws -> UInt64 {
        try options.integer(ifPresent: "seed").map { UInt64($0) }
            ?? call.interpreter.session.nextSeed()
    }

    /// Tensors drawn at random.
    static var randomTensors: [Function] {
        [
            Function(
                "uniform", "Random numbers, uniform between `low` and `high`.",
                [
                    .shape("Sizes of the axes; one number for one axis."),
                    .options([
                        .number("low", "The least.", .finite).or(0.0),
                        .number("high", "The bound above.", .finite).or(1.0), seedOption,
                    ]).optional,
                ], returns: "tensor", example: "print(mt.uniform({ 2, 3 }, { low = -1, seed = 4 }))"
            ) { call in
                let shape = try call.integers("shape")
                let options = try call.options()
                let (low, high) = (try options.number("low"), try options.number("high"))
                guard low <= high else {
                    throw call.mistake(
                        "options", "low of at most high expected, got \(low) and \(high)")
                }
                let seed = try seed(options, call)
                try call.returns {
                    try Tensor.uniform(shape, low: Float(low), high: Float(high), seed: seed)
                }
            },
            Function(
                "normal", "Random numbers with a normal distribution.",
                [
                    .shape("Sizes of the axes; one number for one axis."),
                    .options([
                        .number("mean", "Their mean.", .finite).or(0.0),
                        .number("deviation", "Their standard deviation.", .finite.nonNegative).or(
                            1.0),
                        seedOption,
                    ]).optional,
                ], returns: "tensor",
                example: "print(mt.normal({ 1000 }, { mean = 5, seed = 1 }):mean())"
            ) { call in
                let shape = try call.integers("shape")
                let options = try call.options()
                let mean = Float(try options.number("mean"))
                let deviation = Float(try options.number("deviation"))
                let seed = try seed(options, call)
                try call.returns {
                    try Tensor.normal(shape, mean: mean, deviation: deviation, seed: seed)
                }
            },
        ]
    }

    /// One tensor of several.
    static var joining: [Function] {
        [
            Function(
                "cat", "Tensors joined along an axis; their other sizes are equal.",
                [
                    .objects("tensors", "tensor", "What is joined, in order."),
                    .axis("Which axis.").or(1),
                ], returns: "tensor",
                example: "print(mt.cat({ mt.ones { 2, 2 }, mt.zeros { 2, 1 } }, 2))"
            ) { call in
                let tensors = try call.objects("tensors", as: Tensor.self)
                guard let first = tensors.first else {
                    throw call.mistake("tensors", "at least one expected")
                }
                let axis = try call.requiredAxis(rank: first.rank)
                try call.returns { try Tensor.concatenated(tensors, axis: axis) }
            },
            Function(
                "stack", "Tensors of one shape along a new axis.",
                [
                    .objects("tensors", "tensor", "What is stacked, in order."),
                    .axis("Which axis of the result is the new one.").or(1),
                ], returns: "tensor", example: "print(mt.stack { mt.ones(3), mt.zeros(3) })"
            ) { call in
                let tensors = try call.objects("tensors", as: Tensor.self)
                guard let first = tensors.first else {
                    throw call.mistake("tensors", "at least one expected")
                }
                let axis = try call.requiredAxis(rank: first.rank + 1)
                try call.returns { try Tensor.stacked(tensors, axis: axis) }
            },
            Function(
                "where",
                "Elements of `a` where the condition is not 0, else of `b`; all three broadcast.",
                [
                    .operand("condition", "Such as the result of `x:gt(0)`; it has no gradient."),
                    .operand("a", "Taken where the condition is not 0."),
                    .operand("b", "Taken where it is 0."),
                ], returns: "tensor",
                example: "local x = mt.tensor { -1, 2, -3 }\nprint(mt.where(x:gt(0), x, 0))"
            ) { call in
                let (a, b) = (try call.operand("a"), try call.operand("b"))
                let condition = try call.operand("condition")
                try call.returns { try condition.choosing(a, b) }
            },
        ]
    }
}
