import Runtime

extension Tensor: LuaObject {}

extension Library {
    static var tensors: Library {
        Library(
            functions: creation + randomTensors + joining + [noGrad], types: [tensorType])
    }

    private static var tensorType: ObjectType {
        ObjectType(
            "tensor", Tensor.self,
            "An array of 32-bit floating-point numbers with a shape. Its numbers never change. Axes and positions count from 1, negative ones from the end; shapes broadcast from the last axis. `==` asks whether two are the same object; `eq` compares elements.",
            describe: { $0.description },
            show: { tensor, display in
                let lines = tensor.text(width: display.width(), isDetailed: true)
                    .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                let last = lines.count > 1 ? [display.faint(lines[lines.count - 1])] : []
                return RichOutput(
                    text: (lines.dropLast(last.count) + last).joined(separator: "\n"))
            }, fields: tensorFields, methods: tensorMethods,
            operators: tensorOperators,
            length: { tensor in
                guard let size = tensor.shape.first else {
                    throw Mistake("a tensor without axes has no length")
                }
                return size
            },
            index: { tensor, key, call in
                guard let position = key.integerValue else {
                    throw Mistake("index of a tensor: integer expected, got \(key.summary)")
                }
                guard let size = tensor.shape.first else {
                    throw Mistake(
                        "a tensor without axes cannot be indexed; `item` reads its number")
                }
                let index = try Positions.zeroBased(position, size, "index of a tensor")
                try call.returns { try tensor.selected(index) }
            },
            closable: true)
    }

    private static var tensorMethods: [Method<Tensor>] {
        tensorValues + tensorArithmetic + tensorComparisons + tensorFunctions + tensorReductions
            + tensorSelection + tensorAxes + tensorLayers + tensorGradients
    }

    private static var tensorFields: [Field<Tensor>] {
        [
            Field("shape", "list of integers", "Sizes of the axes; empty for a single number.") {
                $0.shape
            },
            Field("rank", "integer", "How many axes.") { $0.rank },
            Field("count", "integer", "How many numbers.") { $0.count },
            Field(
                "tracked", "boolean",
                "Whether it is a leaf made by `requires_grad` or was computed from one."
            ) { $0.requiresGradient },
            Field(
                "grad", "tensor or nil",
                "The gradient that `backward` has added up in this leaf; nil before, and for all but leaves."
            ) { $0.gradient },
        ]
    }

    private static var tensorValues: [Method<Tensor>] {
        [
            Method(
                "item", "The number in a tensor that has exactly one.", returns: "number",
                example: "print(mt.tensor({ 1, 2, 3 }):sum():item())"
            ) { tensor, call in try call.returns(try tensor.item()) },
            Method(
                "table", "The numbers as nested lists; of a tensor without axes, the number.",
                returns: "table or number",
                example: "print(mt.tensor({ { 1, 2 }, { 3, 4 } }):table()[2][1])"
            ) { tensor, call in
                try call.returns(
                    NestedNumbers(
                        values: try tensor.values(), shape: tensor.shape,
                        stop: call.interpreter.session.stop))
            },
        ]
    }
}
