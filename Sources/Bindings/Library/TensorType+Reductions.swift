import Runtime

extension Library {
    private static var keep: Parameter {
        .boolean("keep", "Whether the axis stays, with size 1; only with `axis`.").or(false)
    }

    /// A method that reduces an axis, or all.
    private static func reduction(
        _ name: String, _ help: String, _ example: String, options: [Parameter] = [],
        _ body: @escaping (Tensor, _ axis: Int?, _ keep: Bool, Options) throws -> Tensor
    ) -> Method<Tensor> {
        Method(
            name, help,
            [
                .axis("Which axis; default: all elements.").optional,
                .options([keep] + options).optional,
            ],
            returns: "tensor without the axis; without axes if none is given", example: example
        ) { tensor, call in
            let axis = try call.axis(rank: tensor.rank)
            let options = try call.options()
            let keep = try options.boolean("keep")
            if keep && axis == nil { throw call.mistake("options", "keep needs an axis") }
            try call.returns { try body(tensor, axis, keep, options) }
        }
    }

    private static var correction: Parameter {
        .integer("correction", "Subtracted from the count in the divisor.", .count).or(1)
    }

    static var tensorReductions: [Method<Tensor>] {
        [
            reduction("sum", "Sums, added in 64 bits.", "print(mt.ones({ 2, 3 }):sum(1))") {
                tensor, axis, keep, _ in try tensor.sum(axis: axis, keepsAxis: keep)
            },
            reduction(
                "mean", "Means; of no elements, an error.",
                "local x = mt.uniform({ 2, 3 })\nprint(x - x:mean(2, { keep = true }))"
            ) { tensor, axis, keep, _ in try tensor.mean(axis: axis, keepsAxis: keep) },
            reduction(
                "max", "The largest elements, NaN if there is one; equal ones share the gradient.",
                "print(mt.tensor({ { 1, 5 }, { 3, 2 } }):max(2))"
            ) { tensor, axis, keep, _ in try tensor.maximum(axis: axis, keepsAxis: keep) },
            reduction(
                "min", "The smallest elements, NaN if there is one; equal ones share the gradient.",
                "print(mt.tensor({ { 1, 5 }, { 3, 2 } }):min(1))"
            ) { tensor, axis, keep, _ in try tensor.minimum(axis: axis, keepsAxis: keep) },
            reduction(
                "variance", "Mean square deviations, with `count - correction` as the divisor.",
                "print(mt.range(1, 5):variance())", options: [correction]
            ) { tensor, axis, keep, options in
                try tensor.variance(
                    axis: axis, correction: try options.integer("correction"), keepsAxis: keep)
            },
            reduction(
                "std", "Standard deviations: the square roots of `variance`.",
                "print(mt.range(1, 5):std(1, { correction = 0 }))", options: [correction]
            ) { tensor, axis, keep, options in
                try tensor.standardDeviation(
                    axis: axis, correction: try options.integer("correction"), keepsAxis: keep)
            },
            reduction(
                "norm", "Euclidean norms; the gradient at 0 is 0.",
                "print(mt.tensor({ 3, 4 }):norm())"
            ) { tensor, axis, keep, _ in try tensor.norm(axis: axis, keepsAxis: keep) },
            Method(
                "argmax",
                "Where the largest elements are, from 1; the first of equal ones. Without an axis, the place in row-major order. A token id is one less.",
                [.axis("Which axis; default: all elements.").optional],
                returns: "tensor of positions, without gradient",
                example: "print(mt.tensor({ { 1, 5 }, { 3, 2 } }):argmax(2))"
            ) { tensor, call in
                let axis = try call.axis(rank: tensor.rank)
                try call.returns { try tensor.argmax(axis: axis).adding(Tensor.full([], 1)) }
            },
            Method(
                "topk",
                "The k largest elements along the last axis, largest first, and where they are, from 1; the first of equal ones first.",
                [.integer("k", "How many, at most the size of the axis.", .count)],
                returns: "two tensors [..., k]: elements, and positions without gradient",
                example: "print(mt.tensor({ 0.1, 0.6, 0.3 }):topk(2))"
            ) { tensor, call in
                let (values, positions) = try tensor.largest(try call.integer("k"))
                try call.returns(values, try positions.adding(Tensor.full([], 1)))
            },
            Method(
                "softmax", "Softmax along an axis.", [.axis("Which axis.").or(-1)],
                returns: "tensor of the same shape",
                example: "print(mt.tensor({ { 0, 1 }, { 2, 2 } }):softmax())"
            ) { tensor, call in
                let axis = try call.requiredAxis(rank: tensor.rank)
                try call.returns { try tensor.softmax(axis: axis) }
            },
            Method(
                "log_softmax", "Logarithms of softmax along an axis.",
                [.axis("Which axis.").or(-1)],
                returns: "tensor of the same shape",
                example: "print(mt.tensor({ { 0, 1 }, { 2, 2 } }):log_softmax())"
            ) { tensor, call in
                let axis = try call.requiredAxis(rank: tensor.rank)
                try call.returns { try tensor.logSoftmax(axis: axis) }
            },
        ]
    }
}
