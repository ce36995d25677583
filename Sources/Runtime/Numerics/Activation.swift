import CKernels

/// What stands between the two products of a feed-forward part.
package struct Activation: Hashable, Sendable {
    /// A function of each number.
    package enum Function: Sendable {
        case silu, gelu, geluTanh, relu, squaredReLU

        fileprivate var native: ck_gate_kind {
            switch self {
            case .silu: CK_GATE_SILU
            case .gelu: CK_GATE_GELU
            case .geluTanh: CK_GATE_GELU_TANH
            case .relu: CK_GATE_RELU
            case .squaredReLU: CK_GATE_RELU2
            }
        }

        fileprivate var name: String {
            switch self {
            case .silu: "silu"
            case .gelu, .geluTanh: "gelu"
            case .relu: "relu"
            case .squaredReLU: "relu2"
            }
        }
    }

    /// The function.
    package var function: Function
    /// Whether the first product has two halves, of which the function of one multiplies the other.
    package var isGated: Bool

    package init(_ function: Function, isGated: Bool = false) {
        self.function = function
        self.isGated = isGated
    }

    /// GELU alone has kernels that do the sums for biases on the way.
    private var isPlainGelu: Bool { !isGated && (function == .gelu || function == .geluTanh) }

    private var name: String { isGated ? "gated \(function.name)" : function.name }

    /// The operand of the second product from the first's result `[rows, width]` or `[rows, 2 · width]`.
    func operand(_ x: Tensor, _ precision: Precision) throws -> Kernels.Operand {
        if isPlainGelu {
            return try Kernels.gelu(x, tanhForm: function == .geluTanh, precision: precision)
        }
        let (rows, width) = (x.shape[0], x.shape[1] / (isGated ? 2 : 1))
        return try Kernels.operand(count: rows * width, precision) { half, y in
            Kernels.run(name, (x, y), "\(rows) x \(width)", numbers: x.count + y.count) {
                Kernels.level.gate(
                    rows, width, function.native, isGated ? 1 : 0, x.pointer, half, y.pointer)
            }
        }
    }

    /// The gradient of the first product as an operand, that of its biases being added.
    func gradient(
        _ dy: Tensor, _ x: Tensor, of rising: Projection, biases: [Node?], _ precision: Precision
    ) throws -> Kernels.Operand {
        if isPlainGelu {
            let (dx, parts) = try Kernels.geluGradient(
                dy, x, tanhForm: function == .geluTanh, rows: rising.rows, width: rising.outputs,
                precision: precision)
            try rising.addGradients(parts: parts, biases: biases)
            return dx
        }
        let (rows, width) = (x.shape[0], x.shape[1] / (isGated ? 2 : 1))
        func fill(_ half: Int32, _ dx: Tensor) {
            Kernels.run(
                "\(name) gradient", (dy, x, dx), "\(rows) x \(width)",
                numbers: dy.count + x.count + dx.count
            ) {
                Kernels.level.gate_gradient(
                    rows, width, function.native, isGated ? 1 : 0, dy.pointer, x.pointer, half,
                    dx.pointer)
            }
        }
        guard biases.contains(where: { $0 != nil }) else {
            return try Kernels.operand(count: x.count, precision, fill: fill)
        }
        let dx = try Tensor(uninitialized: x.shape)
        fill(0, dx)
        try rising.addGradients(dx, biases: biases)
        return try Kernels.operand(dx, precision)
    }
}
