import CKernels

/// The arithmetic of matrix products.
public enum Precision: String, Codable, CaseIterable, Sendable {
    /// 32-bit operands and sums.
    case float32
    /// Operands rounded to bfloat16, sums in 32 bits; what is stored stays in 32 bits.
    case bfloat16
}

/// The seam between tensors and the processor: coarse operations on contiguous tensors of matching
/// shapes.
///
/// These are the only functions that know the kernels, so that another device can stand in their
/// place. Callers have checked shapes and packed their tensors. `beta` 1 adds to the result, 0
/// overwrites it.
enum Kernels {
    /// `c = op(a) op(b) + beta c + bias`, all matrices; `m`, `n`, `k` are those of the product.
    static func multiply(
        transposeA: Bool = false, _ a: Tensor, _ b: Tensor, transposeB: Bool = false,
        into c: Tensor, m: Int, n: Int,
        k: Int, beta: Float = 0, bias: Tensor? = nil, precision: Precision = .float32
    ) throws {
        var (left, right) = (a, b)
        if precision == .bfloat16 {
            if ck_has_bf16() != 0 {
                left = try bfloat16(a)
                right = try bfloat16(b)
                withExtendedLifetime((left, right, c, bias)) {
                    ck_gemm_bf16(
                        transposeA ? 1 : 0, transposeB ? 1 : 0, m, n, k, bits(left),
                        transposeA ? m : k, bits(right),
                        transposeB ? k : n, beta, c.pointer, n, bias?.pointer)
                }
                return
            }
            left = try rounded(a)
            right = try rounded(b)
        }
        withExtendedLifetime((left, right, c, bias)) {
            ck_gemm(
                transposeA ? 1 : 0, transposeB ? 1 : 0, m, n, k, left.pointer, transposeA ? m : k,
                right.pointer,
                transposeB ? k : n, beta, c.pointer, n, bias?.pointer)
        }
    }

    private static func bits(_ tensor: Tensor) -> UnsafePointer<UInt16> {
        UnsafeRawPointer(tensor.pointer).assumingMemoryBound(to: UInt16.self)
    }

    /// The numbers as bfloat16, two to a slot of the result.
    private static func bfloat16(_ x: Tensor) throws -> Tensor {
        let y = try Tensor(uninitialized: [(x.count + 1) / 2])
        withExtendedLifetime((x, y)) {
            let target = UnsafeMutableRawPointer(y.pointer).assumingMemoryBound(to: UInt16.self)
            ck_to_bf16(x.count, x.pointer, target)
        }
        return y
    }

    private static func rounded(_ x: Tensor) throws -> Tensor {
        let y = try Tensor(uninitialized: x.shape)
        withExtendedLifetime((x, y)) { ck_round_bf16(x.count, x.pointer, y.pointer) }
        return y
    }

    /// `count` products of equal shapes, one after the other in each operand.
    static func multiplyBatch(
        _ count: Int, transposeA: Bool = false, _ a: Tensor, _ b: Tensor, transposeB: Bool = false,
        into c: Tensor,
        m: Int, n: Int, k: Int, beta: Float = 0
    ) {
        withExtendedLifetime((a, b, c)) {
            ck_gemm_batch(
                count, transposeA ? 1 : 0, transposeB ? 1 : 0, m, n, k, a.pointer, m * k, b.pointer,
                k * n, beta,
                c.pointer, m * n)
        }
    }

    /// `y = factor x + beta y`.
    static func add(_ factor: Float, _ x: Tensor, to y: Tensor, beta: Float) {
        withExtendedLifetime((x, y)) { ck_axpby(x.count, factor, x.pointer, beta, y.pointer) }
    }

    /// Copies any view into a contiguous tensor of the same shape.
    static func copy(_ x: Tensor, into y: Tensor) {
        withExtendedLifetime((x, y)) {
            if x.isContiguous {
                ck_axpby(x.count, 1, x.pointer, 0, y.pointer)
            } else {
                ck_gather_strided(Int32(x.rank), x.shape, x.strides, x.pointer, y.pointer)
            }
        }
    }

    /// `y = a op b`; an operand with one element is repeated.
    static func binary(_ kind: ck_binary_kind, _ a: Tensor, _ b: Tensor, into y: Tensor) {
        withExtendedLifetime((a, b, y)) {
            let single = y.count != 1
            ck_binary(
                kind, y.count, a.pointer, single && a.count == 1 ? 0 : 1, b.pointer,
                single && b.count == 1 ? 0 : 1,
                y.pointer)
        }
    }

    /// `y = op(x)`.
    static func unary(_ kind: ck_unary_kind, _ x: Tensor, into y: Tensor) {
        withExtendedLifetime((x, y)) { ck_unary(kind, x.count, x.pointer, y.pointer) }
    }

    /// `y = condition ≠ 0 ? a : b`.
    static func choose(_ condition: Tensor, _ a: Tensor, _ b: Tensor, into y: Tensor) {
        withExtendedLifetime((condition, a, b, y)) {
            ck_where(y.count, condition.pointer, a.pointer, b.pointer, y.pointer)
        }
    }

    /// Reduces the middle axis of `x[outer, axis, inner]`.
    static func reduce(
        _ kind: ck_reduce_kind, _ x: Tensor, outer: Int, axis: Int, inner: Int, into y: Tensor
    ) {
        withExtendedLifetime((x, y)) { ck_reduce(kind, outer, axis, inner, x.pointer, y.pointer) }
    }

    /// GELU.
    static func gelu(_ x: Tensor, tanhForm: Bool, into y: Tensor) {
        withExtendedLifetime((x, y)) { ck_gelu(x.count, tanhForm ? 1 : 0, x.pointer, y.pointer) }
    }

    /// The gradient of GELU.
    static func geluGradient(
        _ dy: Tensor, _ x: Tensor, tanhForm: Bool, into dx: Tensor, beta: Float
    ) {
        withExtendedLifetime((dy, x, dx)) {
            ck_gelu_gradient(x.count, tanhForm ? 1 : 0, dy.pointer, x.pointer, beta, dx.pointer)
        }
    }

    /// Softmax, or its logarithm, of rows.
    static func softmax(_ x: Tensor, rows: Int, width: Int, logarithm: Bool, into y: Tensor) {
        withExtendedLifetime((x, y)) {
            ck_softmax(rows, width, logarithm ? 1 : 0, x.pointer, y.pointer)
        }
    }

    /// The gradient of softmax, from its result `y`.
    static func softmaxGradient(
        _ dy: Tensor, _ y: Tensor, rows: Int, width: Int, logarithm: Bool, into dx: Tensor,
        beta: Float
    ) {
        withExtendedLifetime((dy, y, dx)) {
            ck_softmax_gradient(
                rows, width, logarithm ? 1 : 0, dy.pointer, y.pointer, beta, dx.pointer)
        }
    }

    /// Layer norm of rows; `mean` and `rstd` of each row are kept for the gradient.
    static func layerNorm(
        _ x: Tensor, gain: Tensor, bias: Tensor, epsilon: Float, rows: Int, width: Int,
        into y: Tensor, mean: Tensor,
        rstd: Tensor
    ) {
        withExtendedLifetime((x, gain, bias, y, mean, rstd)) {
            ck_layer_norm(
                rows, width, epsilon, x.pointer, gain.pointer, bias.pointer, y.pointer,
                mean.pointer, rstd.pointer)
        }
    }

    /// The gradient of layer norm's input.
    static func layerNormInput(
        _ dy: Tensor, _ x: Tensor, gain: Tensor, mean: Tensor, rstd: Tensor, rows: Int, width: Int,
        into dx: Tensor,
        beta: Float
    ) {
        withExtendedLifetime((dy, x, gain, mean, rstd, dx)) {
            ck_layer_norm_input(
                rows, width, dy.pointer, x.pointer, gain.pointer, mean.pointer, rstd.pointer, beta,
                dx.pointer)
        }
    }

    /// The gradients of layer norm's gain and bias, overwritten.
    static func layerNormWeights(
        _ dy: Tensor, _ x: Tensor, mean: Tensor, rstd: Tensor, rows: Int, width: Int, beta: Float,
        gain: Tensor, bias: Tensor
    ) {
        withExtendedLifetime((dy, x, mean, rstd, gain, bias)) {
            ck_layer_norm_weights(
                rows, width, dy.pointer, x.pointer, mean.pointer, rstd.pointer, beta, gain.pointer,
                bias.pointer)
        }
    }

    /// Sums over rows.
    static func columnSums(_ x: Tensor, rows: Int, width: Int, into y: Tensor, beta: Float) {
        withExtendedLifetime((x, y)) { ck_column_sums(rows, width, x.pointer, beta, y.pointer) }
    }

    /// Rows of a table by id.
    static func rows(_ ids: [Int32], of table: Tensor, width: Int, into y: Tensor) {
        withExtendedLifetime((table, y)) {
            ck_rows(ids.count, width, ids, table.pointer, y.pointer)
        }
    }

    /// Adds rows of `dy` to rows of the table's gradient.
    static func rowsGradient(
        _ ids: [Int32], _ dy: Tensor, width: Int, tableRows: Int, into table: Tensor
    ) {
        withExtendedLifetime((dy, table)) {
            ck_rows_gradient(ids.count, width, tableRows, ids, dy.pointer, table.pointer)
        }
    }

    /// Losses of rows of logits; with `gradient`, logits turn into `scale` times the gradient of
    /// their sum.
    static func crossEntropy(
        _ logits: Tensor, _ targets: ArraySlice<Int32>, width: Int, gradient: Bool, scale: Float,
        losses: inout [Double]
    ) {
        withExtendedLifetime(logits) {
            targets.withUnsafeBufferPointer { ids in
                ck_cross_entropy(
                    ids.count, width, ids.baseAddress, gradient ? 1 : 0, scale, logits.pointer,
                    &losses)
            }
        }
    }

    /// The sum of squares, in double.
    static func sumSquares(_ x: Tensor) -> Double {
        withExtendedLifetime(x) { ck_sum_squares(x.count, x.pointer) }
    }
}
