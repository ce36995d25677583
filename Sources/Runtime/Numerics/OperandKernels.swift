import CKernels

// Kernels that write the operands of products themselves: numbers are rounded to bfloat16 on their way to
// memory, to the same bits as by a pass of its own.
extension Kernels {
    /// The rows that a part of a column sum covers.
    static let partRows = Int(CK_PART_ROWS)

    /// An operand of `count` numbers that are yet to be written by `fill`, as float32 or, with
    /// `half`, as bfloat16.
    static func operand(
        count: Int, _ precision: Precision, in place: Tensor? = nil,
        fill: (_ half: Int32, _ y: Tensor) -> Void
    ) throws -> Operand {
        let isHalf = precision == .bfloat16 && level.has_bf16() != 0
        let y =
            if let place, !isHalf { place } else {
                try Tensor(uninitialized: [isHalf ? (count + 1) / 2 : count])
            }
        fill(isHalf ? 1 : 0, y)
        if precision == .bfloat16, !isHalf { level.round_bf16(count, y.pointer, y.pointer) }
        return Operand(tensor: y, isHalf: isHalf, precision: precision, count: count)
    }

    /// `layerNorm` of rows as an operand.
    package static func layerNorm(
        _ x: Tensor, gain: Tensor, bias: Tensor, epsilon: Float, rows: Int, width: Int,
        mean: Tensor,
        rstd: Tensor, precision: Precision
    ) throws -> Operand {
        try operand(count: rows * width, precision) { half, y in
            run(
                "layer norm", (x, gain, bias, y, mean, rstd), "\(rows) x \(width)",
                numbers: x.count + y.count
            ) {
                level.layer_norm(
                    rows, width, epsilon, x.pointer, gain.pointer, bias.pointer, half, y.pointer,
                    mean.pointer, rstd.pointer)
            }
        }
    }

    /// GELU as an operand.
    package static func gelu(_ x: Tensor, tanhForm: Bool, precision: Precision) throws -> Operand {
        try operand(count: x.count, precision) { half, y in
            run("gelu", (x, y), "\(x.count)", numbers: x.count + y.count) {
                level.gelu(x.count, tanhForm ? 1 : 0, x.pointer, half, y.pointer)
            }
        }
    }

    /// The gradient of GELU as an operand, which may take the place of `dy`, and parts of its column
    /// sums for `addParts`.
    static func geluGradient(
        _ dy: Tensor, _ x: Tensor, tanhForm: Bool, rows: Int, width: Int, precision: Precision
    ) throws -> (Operand, parts: Tensor) {
        let parts = try Tensor(uninitialized: [(rows + partRows - 1) / partRows, width])
        let dx = try operand(count: x.count, precision, in: dy) { half, dx in
            run(
                "gelu gradient", (dy, x, dx, parts), "\(x.count)",
                numbers: 2 * x.count + dx.count + parts.count
            ) {
                level.gelu_gradient_rows(
                    rows, width, tanhForm ? 1 : 0, dy.pointer, x.pointer, half, dx.pointer,
                    parts.pointer)
            }
        }
        return (dx, parts)
    }

    /// `splitHeadsGradient` as an operand, and parts of its column sums for `addParts`; for a time that
    /// is a multiple of `partRows`.
    static func splitHeadsGradient(
        _ shape: AttentionShape, dq: Tensor, dk: Tensor, dv: Tensor, cosine: Tensor, sine: Tensor
    ) throws -> (Operand, parts: Tensor) {
        var native = shape.native
        let parts = try Tensor(
            uninitialized: [shape.batch * shape.time / partRows, 3 * shape.heads * shape.size])
        let joint = try operand(count: 3 * shape.count, shape.precision) { half, joint in
            run(
                "split heads gradient", (dq, dk, dv, cosine, sine, joint, parts), shape.text,
                numbers: 3 * shape.count + joint.count + parts.count
            ) {
                level.heads_gradient_rows(
                    &native, dq.pointer, dk.pointer, dv.pointer, cosine.pointer, sine.pointer, half,
                    joint.pointer, parts.pointer)
            }
        }
        return (joint, parts)
    }

    /// `y = beta y +` the column sums that `parts` add up to.
    static func addParts(_ parts: Tensor, into y: Tensor, beta: Float) {
        let (count, width) = (parts.shape[0], parts.shape[1])
        run("column sums", (parts, y), "\(count) parts x \(width)", numbers: parts.count) {
            level.add_parts(count, width, parts.pointer, beta, y.pointer)
        }
    }
}
