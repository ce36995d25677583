import RuntimeSupport

// The coarse operations that models are made of.

extension Tensor {
    /// `x · weightᵀ + bias` on the last axis.
    ///
    /// - Parameters:
    ///   - weight: shape `[outputs, inputs]`.
    ///   - bias: shape `[outputs]`, or none.
    ///   - precision: of the products, forwards and backwards.
    /// - Returns: shape `[…, outputs]`.
    public func linear(_ weight: Tensor, bias: Tensor? = nil, precision: Precision = .float32)
        throws -> Tensor
    {
        guard let inputs = shape.last, weight.rank == 2, weight.shape[1] == inputs,
            bias.map({ $0.shape == [weight.shape[0]] }) ?? true
        else {
            throw ShapeError(
                "linear", [shape, weight.shape] + (bias.map { [$0.shape] } ?? []),
                expected: "[…, inputs], a weight [outputs, inputs] and a bias [outputs]")
        }
        let outputs = weight.shape[0]
        guard count > 0, outputs > 0 else {
            throw ShapeError("linear", [shape, weight.shape], expected: "no empty axis")
        }
        let rows = count / inputs
        let x = try packed()
        let w = try weight.packed()
        let b = try bias?.packed()
        let y = try Tensor(uninitialized: shape.dropLast() + [outputs])
        let left = try Kernels.operand(x, precision)
        let right = try Kernels.operand(w, precision)
        try Kernels.multiply(
            left, right, transposeB: true, into: y, m: rows, n: outputs, k: inputs, bias: b)
        return Tensor.record(y, [self, weight] + (bias.map { [$0] } ?? [])) { gradient, nodes in
            let dy = try gradient.packed()
            let top = try Kernels.operand(dy, precision)
            if let node = nodes[0] {
                let (dx, beta) = try node.accumulator()
                try Kernels.multiply(
                    top, right, into: dx, m: rows, n: inputs, k: outputs, beta: beta)
            }
            if let node = nodes[1] {
                let (dw, beta) = try node.accumulator()
                try Kernels.multiply(
                    transposeA: true, top, left, into: dw, m: outputs, n: inputs, k: rows,
                    beta: beta)
            }
            if nodes.count > 2, let node = nodes[2] {
                let (db, beta) = try node.accumulator()
                Kernels.columnSums(dy, rows: rows, width: outputs, into: db, beta: beta)
            }
        }
    }

    /// Layer norm of the last axis: `(x − mean) / √(variance + epsilon) · gain + bias`.
    ///
    /// Ba et al. 2016, arXiv 1607.06450.
    ///
    /// - Parameters:
    ///   - gain: shape of the last axis.
    ///   - bias: shape of the last axis.
    public func layerNorm(gain: Tensor, bias: Tensor, epsilon: Float = 1e-5) throws -> Tensor {
        guard let width = shape.last, width > 0, gain.shape == [width], bias.shape == [width] else {
            throw ShapeError(
                "layer_norm", [shape, gain.shape, bias.shape],
                expected: "[…, width], a gain and a bias [width]")
        }
        let rows = count / width
        let x = try packed()
        let g = try gain.packed()
        let b = try bias.packed()
        let y = try Tensor(uninitialized: shape)
        let mean = try Tensor(uninitialized: [rows])
        let rstd = try Tensor(uninitialized: [rows])
        Kernels.layerNorm(
            x, gain: g, bias: b, epsilon: epsilon, rows: rows, width: width, into: y, mean: mean,
            rstd: rstd)
        return Tensor.record(y, [self, gain, bias]) { gradient, nodes in
            let dy = try gradient.packed()
            if let node = nodes[0] {
                let (dx, beta) = try node.accumulator()
                Kernels.layerNormInput(
                    dy, x, gain: g, mean: mean, rstd: rstd, rows: rows, width: width, into: dx,
                    beta: beta)
            }
            guard nodes[1] != nil || nodes[2] != nil else { return }
            let dgain = try Tensor(uninitialized: [width])
            let dbias = try Tensor(uninitialized: [width])
            Kernels.layerNormWeights(
                dy, x, mean: mean, rstd: rstd, rows: rows, width: width, beta: 0, gain: dgain,
                bias: dbias)
            try nodes[1]?.accumulate(dgain)
            try nodes[2]?.accumulate(dbias)
        }
    }

    /// GELU: `x Φ(x)`, or with `tanhForm` its tanh approximation (Hendrycks and Gimpel 2016, arXiv
    /// 1606.08415).
    public func gelu(tanhForm: Bool = false) throws -> Tensor {
        let x = try packed()
        let y = try Tensor(uninitialized: shape)
        Kernels.gelu(x, tanhForm: tanhForm, into: y)
        return Tensor.record(y, [self]) { gradient, nodes in
            guard let node = nodes[0] else { return }
            let dy = try gradient.packed()
            let (dx, beta) = try node.accumulator()
            Kernels.geluGradient(dy, x, tanhForm: tanhForm, into: dx, beta: beta)
        }
    }

    /// Rows of this table `[rows, width]` by id.
    ///
    /// - Parameter ids: row numbers from 0.
    /// - Returns: shape `[ids.count, width]`.
    /// - Throws: `InvalidValue` naming the first id out of range.
    public func rows(_ ids: [Int32]) throws -> Tensor {
        guard rank == 2 else {
            throw ShapeError("rows", [shape], expected: "a table [rows, width]")
        }
        let (tableRows, width) = (shape[0], shape[1])
        if let position = ids.firstIndex(where: { $0 < 0 || $0 >= tableRows }) {
            throw InvalidValue(
                "row \(position)", expected: "a row number below \(tableRows)", found: ids[position]
            )
        }
        let table = try packed()
        let y = try Tensor(uninitialized: [ids.count, width])
        Kernels.rows(ids, of: table, width: width, into: y)
        return Tensor.record(y, [self]) { gradient, nodes in
            guard let node = nodes[0] else { return }
            let dy = try gradient.packed()
            let (dtable, beta) = try node.accumulator()
            if beta == 0 { dtable.fill { _ in 0 } }
            Kernels.rowsGradient(ids, dy, width: width, tableRows: tableRows, into: dtable)
        }
    }
}
