/// A matrix `[outputs, inputs]` with a bias `[outputs]` or none; or several of as many inputs, whose outputs stand one
/// after the other.
package struct Affine {
    package let weights: [Tensor]
    package let biases: [Tensor]

    package init(weight: Tensor, bias: Tensor?) {
        self.init(weights: [weight], biases: bias.map { [$0] } ?? [])
    }

    /// - Parameter biases: As many as matrices, or none.
    package init(weights: [Tensor], biases: [Tensor]) {
        self.weights = weights
        self.biases = biases
    }

    /// The matrix, where there is one.
    package var weight: Tensor { weights[0] }
    /// The bias of the matrix, where there is one.
    package var bias: Tensor? { biases.first }

    /// The same as one matrix, prepared for many products and without history.
    package func joined(_ precision: Precision) throws -> Affine {
        let weight = try weights.stacked()
        try weight.prepare(precision)
        return Affine(weight: weight, bias: biases.isEmpty ? nil : try biases.stacked())
    }
}

extension [Tensor] {
    /// Tensors one below the other without their history: a view where they lie so, as neighbours among parameters do.
    func stacked() throws -> Tensor {
        let parts = try map { try $0.packed() }
        guard parts.count > 1 else { return parts[0] }
        if let view = parts.neighbours { return view }
        return try Tensor.concatenated(parts)
    }

    /// Contiguous tensors of one storage that lie one behind the other, as one tensor.
    fileprivate var neighbours: Tensor? {
        var end = self[0].offset
        for part in self {
            guard part.storage === self[0].storage, part.offset == end else { return nil }
            end += part.count
        }
        return Tensor(
            self[0].storage, shape: [reduce(0) { $0 + $1.shape[0] }] + self[0].shape.dropFirst(),
            offset: self[0].offset)
    }
}

extension [Node?] {
    /// Adds a gradient to tensors one below the other: `write` computes that of all of them, added to what is there
    /// where its second argument is 1.
    func addStacked(_ shapes: [[Int]], _ write: (Tensor, Float) throws -> Void) throws {
        guard contains(where: { $0 != nil }) else { return }
        let places = try map { try $0?.accumulator() }
        let known = places.compactMap { $0 }
        if known.count == count, known.allSatisfy({ $0.beta == known[0].beta }),
            let whole = known.map(\.0).neighbours
        {
            return try write(whole, known[0].beta)
        }
        let whole = try Tensor(
            uninitialized: [shapes.reduce(0) { $0 + $1[0] }] + shapes[0].dropFirst())
        try write(whole, 0)
        var offset = 0
        for (shape, place) in zip(shapes, places) {
            let part = Tensor(whole.storage, shape: shape, offset: offset)
            if let (gradient, beta) = place { Kernels.add(1, part, to: gradient, beta: beta) }
            offset += part.count
        }
    }
}

extension Node {
    func accumulateParts(_ parts: Tensor) throws {
        let (y, beta) = try accumulator()
        Kernels.addParts(parts, into: y, beta: beta)
    }
}

/// The operands of a product with a matrix, for the product and its gradients.
struct Projection {
    let input, weight: Kernels.Operand
    let rows, inputs, outputs: Int
    private let shapes: [[Int]]

    init(_ input: Kernels.Operand, _ affine: Affine, _ precision: Precision) throws {
        self.input = input
        let matrix = try affine.weights.stacked()
        weight = try Kernels.operand(matrix, precision)
        (outputs, inputs) = (matrix.shape[0], matrix.shape[1])
        rows = input.count / inputs
        shapes = affine.weights.map(\.shape)
    }

    func output(_ affine: Affine, adding residual: Tensor? = nil) throws -> Tensor {
        let y = try Tensor(uninitialized: [rows, outputs])
        try Kernels.multiply(
            input, weight, transposeB: true, into: y, m: rows, n: outputs, k: inputs,
            bias: affine.biases.isEmpty ? nil : try affine.biases.stacked(), residual: residual)
        return y
    }

    func inputGradient(_ top: Kernels.Operand) throws -> Tensor {
        let dx = try Tensor(uninitialized: [rows, inputs])
        try Kernels.multiply(top, weight, into: dx, m: rows, n: inputs, k: outputs)
        return dx
    }

    func addGradients(_ top: Kernels.Operand, weights nodes: [Node?]) throws {
        try nodes.addStacked(shapes) { dw, beta in
            try Kernels.multiply(
                transposeA: true, top, input, into: dw, m: outputs, n: inputs, k: rows, beta: beta)
        }
    }

    /// Adds the column sums of a gradient to the biases, as many as matrices or none.
    func addGradients(_ top: Tensor, biases nodes: [Node?]) throws {
        try nodes.addStacked(shapes.map { [$0[0]] }) { db, beta in
            Kernels.columnSums(top, rows: rows, width: outputs, into: db, beta: beta)
        }
    }

    /// The same from parts of the column sums.
    func addGradients(parts: Tensor, biases nodes: [Node?]) throws {
        try nodes.addStacked(shapes.map { [$0[0]] }) { db, beta in
            Kernels.addParts(parts, into: db, beta: beta)
        }
    }
}
