import Runtime

extension Library {
    /// A method with one tensor, or number, as its argument.
    private static func binary(
        _ name: String, _ help: String, _ example: String,
        _ operation: @escaping (Tensor, Tensor) throws -> Tensor
    ) -> Method<Tensor> {
        Method(
            name, help, [.operand("other", "A number, or a tensor whose shape broadcasts.")],
            returns: "tensor", example: example
        ) { tensor, call in
            let other = try call.operand("other")
            try call.returns { try operation(tensor, other) }
        }
    }

    /// A method without arguments that keeps the shape.
    private static func unary(
        _ name: String, _ help: String, _ example: String,
        _ operation: @escaping (Tensor) throws -> Tensor
    ) -> Method<Tensor> {
        Method(name, help, returns: "tensor of the same shape", example: example) { tensor, call in
            try call.returns { try operation(tensor) }
        }
    }

    static var tensorArithmetic: [Method<Tensor>] {
        [
            Method(
                "matmul",
                "The matrix product: of [m, k] and [k, n], [m, n]. Equal leading axes, or leading axes on one side only, give a product for each position; a vector is a row on the left and a column on the right.",
                [.object("other", "tensor", "The right factor.")], returns: "tensor",
                example: "print(mt.ones({ 2, 3 }):matmul(mt.eye(3)))"
            ) { tensor, call in
                let other: Tensor = try call.object("other")
                try call.returns { try tensor.product(other) }
            },
            binary(
                "pow", "Powers, as `^`; the gradient of the exponent is 0 where the base is 0.",
                "print(mt.range(1, 3):pow(2))"
            ) { try $0.raised(to: $1) },
            binary(
                "maximum",
                "The larger of two numbers, NaN if either is; equal ones share the gradient.",
                "print(mt.range(1, 3):maximum(2))"
            ) { try $0.maximum($1) },
            binary(
                "minimum",
                "The smaller of two numbers, NaN if either is; equal ones share the gradient.",
                "print(mt.range(1, 3):minimum(2))"
            ) { try $0.minimum($1) },
        ]
    }

    static var tensorComparisons: [Method<Tensor>] {
        [
            binary("eq", "1 where equal, else 0; without gradient.", "print(mt.range(1, 3):eq(2))")
            {
                try $0.equal(to: $1)
            },
            binary(
                "ne", "1 where not equal, else 0; without gradient.", "print(mt.range(1, 3):ne(2))"
            ) { try $0.notEqual(to: $1) },
            binary("lt", "1 where less, else 0; without gradient.", "print(mt.range(1, 3):lt(2))") {
                try $0.less(than: $1)
            },
            binary(
                "le", "1 where less or equal, else 0; without gradient.",
                "print(mt.range(1, 3):le(2))"
            ) { try $0.lessOrEqual(to: $1) },
            binary(
                "gt", "1 where greater, else 0; without gradient.", "print(mt.range(1, 3):gt(2))"
            ) { try $1.less(than: $0) },
            binary(
                "ge", "1 where greater or equal, else 0; without gradient.",
                "print(mt.range(1, 3):ge(2))"
            ) { try $1.lessOrEqual(to: $0) },
        ]
    }

    static var tensorFunctions: [Method<Tensor>] {
        [
            unary("exp", "e to the power of each element.", "print(mt.tensor({ 0, 1 }):exp())") {
                try $0.exponential()
            },
            unary(
                "log", "Natural logarithms; -inf at 0, NaN below.",
                "print(mt.tensor({ 1, 10 }):log())"
            ) { try $0.logarithm() },
            unary("sqrt", "Square roots; NaN below 0.", "print(mt.tensor({ 4, 9 }):sqrt())") {
                try $0.squareRoot()
            },
            unary("tanh", "Hyperbolic tangents.", "print(mt.tensor({ 0, 1 }):tanh())") {
                try $0.hyperbolicTangent()
            },
            unary(
                "sigmoid", "The logistic function, 1 / (1 + exp(-x)).",
                "print(mt.tensor({ 0, 1 }):sigmoid())"
            ) { try $0.sigmoid() },
            unary(
                "relu", "The element where it is positive, else 0; the gradient at 0 is 0.",
                "print(mt.tensor({ -1, 1 }):relu())"
            ) { try $0.relu() },
            unary(
                "abs", "Absolute values; the gradient at 0 is 0.",
                "print(mt.tensor({ -1, 1 }):abs())"
            ) { try $0.absolute() },
            Method(
                "gelu",
                "GELU: x times the normal distribution function, or its tanh approximation.",
                [.choice("form", ["exact", "tanh"], "Which of the two.").or("exact")],
                returns: "tensor of the same shape", example: "print(mt.tensor({ -1, 1 }):gelu())"
            ) { tensor, call in
                let tanh = try call.string("form") == "tanh"
                try call.returns { try tensor.gelu(tanhForm: tanh) }
            },
        ]
    }

    private static var sides: [Parameter] {
        [.operand("left", "A tensor or a number."), .operand("right", "A tensor or a number.")]
    }

    private static func operation(
        _ name: String, _ help: String, _ body: @escaping (Tensor, Tensor) throws -> Tensor
    ) -> Function {
        Function(name, help, sides, returns: "tensor") { call in
            let (left, right) = (try call.operand("left"), try call.operand("right"))
            try call.returns { try body(left, right) }
        }
    }

    private static func order(
        _ name: String, _ help: String, _ method: String,
        _ body: @escaping (Float, Float) -> Bool
    ) -> Function {
        Function(name, help, sides, returns: "boolean") { call in
            let sides = (try call.operand("left"), try call.operand("right"))
            guard sides.0.count == 1, sides.1.count == 1 else {
                throw Mistake(
                    "\(method) compares single numbers, got shapes \(sides.0.shape) and \(sides.1.shape); use :lt, :le, :gt or :ge for each element"
                )
            }
            try call.returns(body(try sides.0.item(), try sides.1.item()))
        }
    }

    static var tensorOperators: [Function] {
        [
            operation("__add", "`a + b`, with broadcasting.") { try $0.adding($1) },
            operation("__sub", "`a - b`, with broadcasting.") { try $0.subtracting($1) },
            operation("__mul", "`a * b`, element by element, with broadcasting.") {
                try $0.multiplied(by: $1)
            },
            operation("__div", "`a / b`, with broadcasting; division by 0 gives inf or nan.") {
                try $0.divided(by: $1)
            },
            operation("__pow", "`a ^ b`, with broadcasting.") { try $0.raised(to: $1) },
            operation("__unm", "`-a`.") { operand, _ in try operand.negated() },
            order("__lt", "`a < b` and `a > b` of single numbers.", "'<'") { $0 < $1 },
            order("__le", "`a <= b` and `a >= b` of single numbers.", "'<='") { $0 <= $1 },
        ]
    }
}
