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
package enum Kernels {
    /// The kernels for the instructions in use, which `Numerics.level` names.
    static let level = ck_kernels_in_use().pointee

    /// A matrix in the arithmetic it is multiplied in, prepared once for several products.
    package struct Operand {
        package let tensor: Tensor
        /// Whether the storage holds bfloat16 numbers, two to a slot.
        let isHalf: Bool
        package let precision: Precision
        /// How many numbers it has.
        package let count: Int
        /// Numbers from one row to the next, if the rows do not lie close.
        package var stride: Int?

        package var half: UnsafePointer<UInt16> {
            UnsafeRawPointer(tensor.pointer).assumingMemoryBound(to: UInt16.self)
        }
    }

    /// A contiguous tensor as an operand: itself, or rounded to bfloat16.
    package static func operand(_ x: Tensor, _ precision: Precision) throws -> Operand {
        if let ready = x.prepared, ready.precision == precision { return ready }
        guard precision == .bfloat16 else {
            return Operand(tensor: x, isHalf: false, precision: precision, count: x.count)
        }
        let isHalf = level.has_bf16() != 0
        let y = try Tensor(uninitialized: isHalf ? [(x.count + 1) / 2] : x.shape)
        run("to bf16", (x, y), "\(x.count)", numbers: x.count + y.count) {
            guard isHalf else { return level.round_bf16(x.count, x.pointer, y.pointer) }
            let target = UnsafeMutableRawPointer(y.pointer).assumingMemoryBound(to: UInt16.self)
            level.to_bf16(x.count, x.pointer, target)
        }
        return Operand(tensor: y, isHalf: isHalf, precision: precision, count: x.count)
    }

    /// `c = op(a) op(b) + beta c + bias + residual`, all matrices; `m`, `n`, `k` are those of the
    /// product.
    ///
    /// Both operands are of one precision. `name` is what a profile calls the product.
    ///
    /// - Throws: `LibraryOutOfMemory` if the matrix library has no memory; `c` is then undefined.
    package static func multiply(
        transposeA: Bool = false, _ a: Operand, _ b: Operand, transposeB: Bool = false,
        into c: Tensor, m: Int, n: Int, k: Int, beta: Float = 0, bias: Tensor? = nil,
        residual: Tensor? = nil, name: String = "matmul"
    ) throws {
        let (ta, tb): (Int32, Int32) = (transposeA ? 1 : 0, transposeB ? 1 : 0)
        let (lda, ldb) = (a.stride ?? (transposeA ? m : k), b.stride ?? (transposeB ? k : n))
        let status = run(
            a.isHalf ? "\(name) bf16" : name, (a.tensor, b.tensor, c, bias, residual),
            "\(m) x \(n) x \(k)", operations: 2 * m * n * k,
            numbers: m * n + (m * k + n * k) / (a.isHalf ? 2 : 1)
        ) { () -> Int32 in
            guard m == 1, transposeB, !transposeA, beta == 0 else {
                return a.isHalf
                    ? level.gemm_bf16(
                        ta, tb, m, n, k, a.half, lda, b.half, ldb, beta, c.pointer, n,
                        bias?.pointer, residual?.pointer)
                    : level.gemm(
                        ta, tb, m, n, k, a.tensor.pointer, lda, b.tensor.pointer, ldb, beta,
                        c.pointer, n, bias?.pointer, residual?.pointer)
            }
            var status: Int32 = 0
            if a.isHalf {
                status = level.gemv_bf16(n, k, b.half, ldb, a.half, bias?.pointer, c.pointer)
            } else {
                level.gemv(n, k, b.tensor.pointer, ldb, a.tensor.pointer, bias?.pointer, c.pointer)
            }
            if let residual { level.axpby(n, 1, residual.pointer, 1, c.pointer) }
            return status
        }
        try check(status)
    }

    /// `count` products of equal shapes, one after the other in each operand.
    static func multiplyBatch(
        _ count: Int, transposeA: Bool = false, _ a: Tensor, _ b: Tensor, transposeB: Bool = false,
        into c: Tensor,
        m: Int, n: Int, k: Int, beta: Float = 0
    ) throws {
        let status = run(
            "matmul batch", (a, b, c), "\(count) x \(m) x \(n) x \(k)",
            operations: 2 * count * m * n * k, numbers: count * (m * n + m * k + n * k)
        ) {
            level.gemm_batch(
                count, transposeA ? 1 : 0, transposeB ? 1 : 0, m, n, k, a.pointer, m * k, b.pointer,
                k * n, beta,
                c.pointer, m * n)
        }
        try check(status)
    }

    private static func check(_ status: Int32) throws {
        guard status == 0 else { throw LibraryOutOfMemory() }
    }

    /// `y = factor x + beta y`.
    package static func add(_ factor: Float, _ x: Tensor, to y: Tensor, beta: Float) {
        run("add", (x, y), "\(x.count)", numbers: (beta == 0 ? 2 : 3) * x.count) {
            level.axpby(x.count, factor, x.pointer, beta, y.pointer)
        }
    }

    /// Copies any view into a contiguous tensor of the same shape.
    package static func copy(_ x: Tensor, into y: Tensor) {
        run("copy", (x, y), "\(x.count)", numbers: 2 * x.count) {
            if x.isContiguous {
                level.axpby(x.count, 1, x.pointer, 0, y.pointer)
            } else {
                level.gather_strided(Int32(x.rank), x.shape, x.strides, x.pointer, y.pointer)
            }
        }
    }

    /// `y = a op b`; an operand with one element is repeated.
    package static func binary(_ kind: ck_binary_kind, _ a: Tensor, _ b: Tensor, into y: Tensor) {
        run("binary", (a, b, y), "\(y.count)", numbers: 3 * y.count) {
            let single = y.count != 1
            level.binary(
                kind, y.count, a.pointer, single && a.count == 1 ? 0 : 1, b.pointer,
                single && b.count == 1 ? 0 : 1,
                y.pointer)
        }
    }

    /// `y = op(x)`.
    package static func unary(_ kind: ck_unary_kind, _ x: Tensor, into y: Tensor) {
        run("unary", (x, y), "\(x.count)", numbers: 2 * x.count) {
            level.unary(kind, x.count, x.pointer, y.pointer)
        }
    }

    /// `y = condition ≠ 0 ? a : b`.
    package static func choose(_ condition: Tensor, _ a: Tensor, _ b: Tensor, into y: Tensor) {
        run("where", (condition, a, b, y), "\(y.count)", numbers: 4 * y.count) {
            level.`where`(y.count, condition.pointer, a.pointer, b.pointer, y.pointer)
        }
    }

    /// Reduces the middle axis of `x[outer, axis, inner]`.
    package static func reduce(
        _ kind: ck_reduce_kind, _ x: Tensor, outer: Int, axis: Int, inner: Int, into y: Tensor
    ) {
        run("reduce", (x, y), "\(x.count)", numbers: x.count + y.count) {
            level.reduce(kind, outer, axis, inner, x.pointer, y.pointer)
        }
    }

    /// GELU.
    package static func gelu(_ x: Tensor, tanhForm: Bool, into y: Tensor) {
        run("gelu", (x, y), "\(x.count)", numbers: 2 * x.count) {
            level.gelu(x.count, tanhForm ? 1 : 0, x.pointer, 0, y.pointer)
        }
    }

    /// The gradient of GELU.
    static func geluGradient(
        _ dy: Tensor, _ x: Tensor, tanhForm: Bool, into dx: Tensor, beta: Float
    ) {
        run("gelu gradient", (dy, x, dx), "\(x.count)", numbers: 3 * x.count) {
            level.gelu_gradient(x.count, tanhForm ? 1 : 0, dy.pointer, x.pointer, beta, dx.pointer)
        }
    }

    /// Softmax, or its logarithm, of rows.
    package static func softmax(_ x: Tensor, rows: Int, width: Int, logarithm: Bool, into y: Tensor)
    {
        run("softmax", (x, y), "\(rows) x \(width)", numbers: 2 * x.count) {
            level.softmax(rows, width, logarithm ? 1 : 0, x.pointer, y.pointer)
        }
    }

    /// The gradient of softmax, from its result `y`.
    static func softmaxGradient(
        _ dy: Tensor, _ y: Tensor, rows: Int, width: Int, logarithm: Bool, into dx: Tensor,
        beta: Float
    ) {
        run("softmax gradient", (dy, y, dx), "\(rows) x \(width)", numbers: 3 * y.count) {
            level.softmax_gradient(
                rows, width, logarithm ? 1 : 0, dy.pointer, y.pointer, beta, dx.pointer)
        }
    }

    /// Layer norm of rows; `mean` and `rstd` of each row are kept for the gradient.
    package static func layerNorm(
        _ x: Tensor, gain: Tensor, bias: Tensor, epsilon: Float, rows: Int, width: Int,
        into y: Tensor, mean: Tensor,
        rstd: Tensor
    ) {
        run(
            "layer norm", (x, gain, bias, y, mean, rstd), "\(rows) x \(width)", numbers: 2 * x.count
        ) {
            level.layer_norm(
                rows, width, epsilon, x.pointer, gain.pointer, bias.pointer, 0,
                y.pointer, mean.pointer, rstd.pointer)
        }
    }

    /// The gradient of layer norm's input.
    static func layerNormInput(
        _ dy: Tensor, _ x: Tensor, gain: Tensor, mean: Tensor, rstd: Tensor, rows: Int, width: Int,
        into dx: Tensor,
        beta: Float
    ) {
        run(
            "layer norm gradient", (dy, x, gain, mean, rstd, dx), "\(rows) x \(width)",
            numbers: 3 * x.count
        ) {
            level.layer_norm_input(
                rows, width, dy.pointer, x.pointer, gain.pointer, mean.pointer, rstd.pointer, beta,
                dx.pointer)
        }
    }

    /// The gradients of layer norm's gain and bias, overwritten.
    static func layerNormWeights(
        _ dy: Tensor, _ x: Tensor, mean: Tensor, rstd: Tensor, rows: Int, width: Int, beta: Float,
        gain: Tensor, bias: Tensor
    ) {
        run(
            "layer norm weights", (dy, x, mean, rstd, gain, bias), "\(rows) x \(width)",
            numbers: 2 * x.count
        ) {
            level.layer_norm_weights(
                rows, width, dy.pointer, x.pointer, mean.pointer, rstd.pointer, beta, gain.pointer,
                bias.pointer)
        }
    }

    /// Sums over rows.
    static func columnSums(_ x: Tensor, rows: Int, width: Int, into y: Tensor, beta: Float) {
        run("column sums", (x, y), "\(rows) x \(width)", numbers: x.count) {
            level.column_sums(rows, width, x.pointer, beta, y.pointer)
        }
    }

    /// Rows of a table by id.
    package static func rows(_ ids: [Int32], of table: Tensor, width: Int, into y: Tensor) {
        run("rows", (table, y), "\(ids.count) x \(width)", numbers: 2 * y.count) {
            level.rows(ids.count, width, ids, table.pointer, y.pointer)
        }
    }

    /// Adds rows of `dy` to rows of the table's gradient.
    static func rowsGradient(
        _ ids: [Int32], _ dy: Tensor, width: Int, tableRows: Int, into table: Tensor
    ) {
        run("rows gradient", (dy, table), "\(ids.count) x \(width)", numbers: 3 * dy.count) {
            level.rows_gradient(ids.count, width, tableRows, ids, dy.pointer, table.pointer)
        }
    }

    /// Losses of rows of logits.
    package static func crossEntropy(
        _ logits: Tensor, _ targets: ArraySlice<Int32>, width: Int, losses: inout [Double]
    ) {
        crossEntropy(logits, targets, width: width, gradient: 0, scale: 1, losses: &losses)
    }

    /// Losses of rows of logits, which turn into `scale` times the gradient of their sum.
    ///
    /// - Returns: the gradient as an operand, in the place of the logits.
    package static func crossEntropyGradient(
        _ logits: Tensor, _ targets: ArraySlice<Int32>, width: Int, scale: Float,
        precision: Precision, losses: inout [Double]
    ) throws -> Operand {
        let isHalf = precision == .bfloat16 && level.has_bf16() != 0
        crossEntropy(
            logits, targets, width: width, gradient: isHalf ? 2 : 1, scale: scale, losses: &losses)
        guard isHalf else { return try operand(logits, precision) }
        return Operand(
            tensor: logits, isHalf: true, precision: precision, count: targets.count * width,
            stride: 2 * width)
    }

    private static func crossEntropy(
        _ logits: Tensor, _ targets: ArraySlice<Int32>, width: Int, gradient: Int32, scale: Float,
        losses: inout [Double]
    ) {
        run(
            "cross-entropy", logits, "\(targets.count) x \(width)",
            numbers: (gradient != 0 ? 2 : 1) * targets.count * width
        ) {
            targets.withUnsafeBufferPointer { ids in
                level.cross_entropy(
                    ids.count, width, ids.baseAddress, gradient, scale, logits.pointer, &losses)
            }
        }
    }

    /// Sets numbers to zero.
    package static func zero(_ count: Int, _ x: UnsafeMutablePointer<Float>) {
        run("zero", (), "\(count)", numbers: count) { level.zero(count, x) }
    }

    /// What one AdamW step does with each number.
    package struct AdamWStep {
        private var step: ck_adamw_step

        /// - Parameters:
        ///   - clip: The factor of the gradient.
        ///   - rate: The learning rate / (1 - beta1^t).
        ///   - root: 1 / sqrt(1 - beta2^t).
        ///   - keep: 1 - learning rate * weight decay.
        package init(
            clip: Float, beta1: Float, beta2: Float, epsilon: Float, rate: Float, root: Float,
            keep: Float
        ) {
            step = ck_adamw_step(
                clip: clip, beta1: beta1, beta2: beta2, epsilon: epsilon, rate: rate, root: root,
                keep: keep)
        }

        /// 1 - learning rate * weight decay.
        package var keep: Float {
            get { step.keep }
            set { step.keep = newValue }
        }

        fileprivate func callAsFunction(_ body: (UnsafePointer<ck_adamw_step>) -> Void) {
            withUnsafePointer(to: step, body)
        }
    }

    /// One AdamW step on `count` numbers.
    package static func adamW(
        _ count: Int, _ step: AdamWStep, gradient: UnsafePointer<Float>,
        value: UnsafeMutablePointer<Float>, first: UnsafeMutablePointer<Float>,
        second: UnsafeMutablePointer<Float>
    ) {
        run("adamw", (), "\(count)", numbers: 7 * count) {
            step { level.adamw(count, $0, gradient, value, first, second) }
        }
    }

    /// What a step with momentum does with each number.
    package struct MomentumStep {
        fileprivate var step: ck_momentum_step

        /// - Parameters:
        ///   - clip: The factor of the gradient.
        ///   - momentum: What stays of the momentum.
        ///   - decay: Weight decay, which `sgd` adds to the gradient.
        ///   - rate: The learning rate of `sgd`.
        package init(
            clip: Float, momentum: Float, decay: Float = 0, rate: Float = 0, nesterov: Bool
        ) {
            step = ck_momentum_step(
                clip: clip, momentum: momentum, decay: decay, rate: rate,
                nesterov: nesterov ? 1 : 0)
        }
    }

    /// One step of SGD with momentum on `count` numbers.
    package static func sgd(
        _ count: Int, _ step: MomentumStep, gradient: UnsafePointer<Float>,
        value: UnsafeMutablePointer<Float>, momentum: UnsafeMutablePointer<Float>
    ) {
        run("sgd", (), "\(count)", numbers: 5 * count) {
            withUnsafePointer(to: step.step) { level.sgd(count, $0, gradient, value, momentum) }
        }
    }

    /// Takes a gradient into its running mean.
    package static func average(
        _ count: Int, _ step: MomentumStep, gradient: UnsafePointer<Float>,
        momentum: UnsafeMutablePointer<Float>
    ) {
        run("momentum", (), "\(count)", numbers: 3 * count) {
            withUnsafePointer(to: step.step) { level.average(count, $0, gradient, momentum) }
        }
    }

    /// What a step follows: the running mean after this gradient, or what is ahead of it; the mean stays as it is.
    package static func ahead(
        _ count: Int, _ step: MomentumStep, gradient: UnsafePointer<Float>,
        momentum: UnsafePointer<Float>, into direction: Tensor
    ) {
        run("momentum", direction, "\(count)", numbers: 3 * count) {
            withUnsafePointer(to: step.step) {
                level.ahead(count, $0, gradient, momentum, direction.pointer)
            }
        }
    }

    /// value = keep · value − rate · direction.
    package static func follow(
        _ direction: Tensor, keep: Float, rate: Float, value: UnsafeMutablePointer<Float>
    ) {
        run("follow", direction, "\(direction.count)", numbers: 3 * direction.count) {
            level.follow(direction.count, keep, rate, direction.pointer, value)
        }
    }

    /// The sum of squares of `count` numbers, in double.
    package static func sumSquares(_ count: Int, _ x: UnsafePointer<Float>) -> Double {
        run("sum of squares", (), "\(count)", numbers: count) { level.sum_squares(count, x) }
    }
}
