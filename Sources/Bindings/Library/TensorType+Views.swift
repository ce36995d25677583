import Runtime

extension Library {
    /// Methods that pick elements.
    static var tensorSelection: [Method<Tensor>] {
        [
            Method(
                "select",
                "What lies at one position of an axis, without that axis; `t[i]` is `t:select(i)`.",
                [
                    .integer("position", "From 1; negative from the end.", .position),
                    .axis("Which axis.").or(1),
                ],
                returns: "tensor", example: "print(mt.eye(3):select(2, -1))"
            ) { tensor, call in
                let axis = try call.requiredAxis(rank: tensor.rank)
                let position = try call.zeroBasedInteger("position", tensor.shape[axis])
                try call.returns { try tensor.selected(position, axis: axis) }
            },
            Method(
                "slice", "Positions `first` to `last` of an axis, both included.",
                [
                    .integer("first", "From 1; negative from the end.", .position),
                    .integer("last", "Negative from the end; `first - 1` for none.", .position).or(
                        -1),
                    .axis("Which axis.").or(1),
                ],
                returns: "tensor", example: "print(mt.range(1, 9):slice(2, -3))"
            ) { tensor, call in
                let axis = try call.requiredAxis(rank: tensor.rank)
                let range = try sliceRange(call, tensor.shape[axis])
                try call.returns { try tensor.sliced(axis: axis, range) }
            },
            Method(
                "take",
                "The given positions of an axis, in that order; some may come more than once.",
                [
                    .positions(
                        "positions", "A list or a tensor [n], from 1; negative from the end."),
                    .axis("Which axis.").or(1),
                ],
                returns: "tensor with size n on the axis",
                example: "print(mt.eye(3):take { 3, 1, 3 })"
            ) { tensor, call in
                let axis = try call.requiredAxis(rank: tensor.rank)
                let (positions, shape) = try call.zeroBased("positions", tensor.shape[axis])
                guard shape.count <= 1 else {
                    throw call.mistake("positions", "one axis expected, got the shape \(shape)")
                }
                try call.returns { try tensor.taking(positions, axis: axis) }
            },
            Method(
                "gather",
                "One element for each position: the result's element [..., i, ...] is this tensor's at [..., positions[..., i, ...], ...].",
                [
                    .positions(
                        "positions",
                        "Nested lists or a tensor, from 1, shaped like this tensor except along the axis."
                    ),
                    .axis("The axis that positions stand on.").or(-1),
                ],
                returns: "tensor with the shape of the positions",
                example: "print(mt.tensor({ { 1, 2 }, { 3, 4 } }):gather { { 2 }, { 1 } })"
            ) { tensor, call in
                let axis = try call.requiredAxis(rank: tensor.rank)
                let (positions, shape) = try call.zeroBased("positions", tensor.shape[axis])
                try call.returns { try tensor.gathered(positions, shape: shape, axis: axis) }
            },
        ]
    }

    private static func sliceRange(_ call: Call, _ size: Int) throws -> Range<Int> {
        func bound(_ name: String, _ range: ClosedRange<Int>) throws -> Int {
            let given = try call.integer(name)
            let value = given < 0 && given >= -size ? given + size + 1 : given
            guard range.contains(value) else {
                throw call.mistake(
                    name,
                    "\(range.lowerBound) ... \(range.upperBound)\(size > 0 ? " or from the end" : "") expected, got \(given)"
                )
            }
            return value
        }
        let first = try bound("first", 1...size + 1)
        if size == 0, try call.integer("last") == -1 { return 0..<0 }
        return first - 1..<(try bound("last", first - 1...size))
    }

    /// Methods that arrange axes.
    static var tensorAxes: [Method<Tensor>] {
        [
            Method(
                "reshape", "The same elements in row-major order under another shape.",
                [.integers("shape", "Sizes; one may be -1, which is worked out.", .sizeOrRest)],
                returns: "tensor", example: "print(mt.range(1, 6):reshape { 2, -1 })"
            ) { tensor, call in
                let shape = try call.integers("shape")
                try call.returns { try tensor.reshaped(shape) }
            },
            Method(
                "transpose", "Two axes exchanged.",
                [
                    .integer("first", "An axis.", .axis).or(-2),
                    .integer("second", "Another.", .axis).or(-1),
                ],
                returns: "tensor",
                example: "print(mt.tensor({ { 1, 2, 3 }, { 4, 5, 6 } }):transpose())"
            ) { tensor, call in
                let first = try call.requiredAxis(rank: tensor.rank, "first")
                let second = try call.requiredAxis(rank: tensor.rank, "second")
                try call.returns { try tensor.transposed(first, second) }
            },
            Method(
                "permute", "The axes in another order: axis i of the result is axis `order[i]`.",
                [.integers("order", "Every axis once.", .axis)], returns: "tensor",
                example: "print(#mt.zeros({ 2, 3, 4 }):permute { 3, 1, 2 })"
            ) { tensor, call in
                let given = try call.integers("order")
                let order = given.map { $0 < 0 ? $0 &+ tensor.rank : $0 &- 1 }
                guard order.sorted() == Array(0..<tensor.rank) else {
                    throw call.mistake(
                        "order", "each of \(tensor.rank) axes once expected, got \(given)")
                }
                try call.returns { try tensor.permuted(order) }
            },
            Method(
                "squeeze", "Without an axis, which has size 1.",
                [.axis("Which axis; default: all of size 1.").optional], returns: "tensor",
                example: "print(#mt.zeros({ 1, 3, 1 }):squeeze().shape)"
            ) { tensor, call in
                let axis = try call.axis(rank: tensor.rank)
                try call.returns { try tensor.squeezed(axis: axis) }
            },
            Method(
                "unsqueeze", "With a new axis of size 1.",
                [.axis("Which axis of the result is the new one.").or(1)], returns: "tensor",
                example: "print(mt.range(1, 3):unsqueeze(2))"
            ) { tensor, call in
                let axis = try call.requiredAxis(rank: tensor.rank + 1)
                try call.returns { try tensor.unsqueezed(axis: axis) }
            },
            Method(
                "expand", "A larger shape that this one broadcasts to; takes no memory of its own.",
                [.shape("The larger shape.")], returns: "tensor",
                example: "print(mt.range(1, 3):expand { 2, 3 })"
            ) { tensor, call in
                let shape = try call.integers("shape")
                try call.returns { try tensor.expanded(to: shape) }
            },
        ]
    }
}
