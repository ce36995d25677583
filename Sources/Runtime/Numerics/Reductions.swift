import CKernels

extension Tensor {
    private func reduced(_ name: String, _ kind: ck_reduce_kind, axis: Int, keepsAxis: Bool) throws
        -> Tensor
    {
        let x = try packed()
        let size = shape[axis]
        guard size > 0 || kind == CK_SUM else {
            throw ShapeError(name, [shape], expected: "at least one element along the axis")
        }
        var target = shape
        if keepsAxis { target[axis] = 1 } else { target.remove(at: axis) }
        let y = try Tensor(uninitialized: target)
        Kernels.reduce(
            kind, x, outer: shape[..<axis].reduce(1, *), axis: size,
            inner: shape[(axis + 1)...].reduce(1, *), into: y)
        return y
    }

    /// The shape of a reduction that keeps its axis.
    private func kept(_ axis: Int) -> [Int] {
        var result = shape
        result[axis] = 1
        return result
    }

    /// The sum along an axis (from 0; negative from the end), added in double; all axes if none is
    /// given.
    public func sum(axis: Int? = nil, keepsAxis: Bool = false) throws -> Tensor {
        guard let axis else { return try reshaped([count]).sum(axis: 0) }
        let index = try Shape.axis("sum", axis, rank: rank)
        let y = try reduced("sum", CK_SUM, axis: index, keepsAxis: keepsAxis)
        let (original, kept) = (shape, kept(index))
        return Tensor.record(y, [self]) { gradient, nodes in
            try nodes[0]?.accumulate(try gradient.reshaped(kept).stretched(to: original).packed())
        }
    }

    /// The mean along an axis; of all elements if none is given.
    ///
    /// - Throws: `ShapeError` if there are no elements.
    public func mean(axis: Int? = nil, keepsAxis: Bool = false) throws -> Tensor {
        let size = try axis.map { shape[try Shape.axis("mean", $0, rank: rank)] } ?? count
        guard size > 0 else { throw ShapeError("mean", [shape], expected: "at least one element") }
        return try sum(axis: axis, keepsAxis: keepsAxis).divided(by: Tensor.full([], Float(size)))
    }

    /// The mean square deviation along an axis, or of all elements, with `n − correction` as the
    /// divisor.
    public func variance(axis: Int? = nil, correction: Int = 0, keepsAxis: Bool = false) throws
        -> Tensor
    {
        guard let axis else {
            return try reshaped([count]).variance(axis: 0, correction: correction)
        }
        let size = shape[try Shape.axis("variance", axis, rank: rank)]
        guard size > correction, correction >= 0 else {
            throw ShapeError(
                "variance", [shape], expected: "more than \(max(0, correction)) elements")
        }
        let deviation = try subtracting(mean(axis: axis, keepsAxis: true))
        return try deviation.multiplied(by: deviation).sum(axis: axis, keepsAxis: keepsAxis)
            .divided(by: Tensor.full([], Float(size - correction)))
    }

    /// The largest element along an axis, or of all; equal ones share the gradient.
    public func maximum(axis: Int? = nil, keepsAxis: Bool = false) throws -> Tensor {
        try extreme("max", CK_MAX, axis, keepsAxis)
    }

    /// The smallest element along an axis, or of all; equal ones share the gradient.
    public func minimum(axis: Int? = nil, keepsAxis: Bool = false) throws -> Tensor {
        try extreme("min", CK_MIN, axis, keepsAxis)
    }

    private func extreme(_ name: String, _ kind: ck_reduce_kind, _ axis: Int?, _ keepsAxis: Bool)
        throws -> Tensor
    {
        guard let axis else { return try reshaped([count]).extreme(name, kind, 0, false) }
        let index = try Shape.axis(name, axis, rank: rank)
        let y = try reduced(name, kind, axis: index, keepsAxis: keepsAxis)
        let (x, kept) = (detached, kept(index))
        return Tensor.record(y, [self]) { gradient, nodes in
            guard let node = nodes[0] else { return }
            let mask = try x.equal(to: y.reshaped(kept))
            let share = try gradient.reshaped(kept).divided(
                by: mask.sum(axis: index, keepsAxis: true))
            try node.accumulate(try mask.multiplied(by: share))
        }
    }

    /// The position from 0 of the largest element along an axis, or of all in row-major order; the
    /// first of equals.
    public func argmax(axis: Int? = nil) throws -> Tensor {
        guard let axis else { return try reshaped([count]).argmax(axis: 0) }
        let index = try Shape.axis("argmax", axis, rank: rank)
        try Tensor.checkPositions("argmax", shape[index])
        return try detached.reduced("argmax", CK_ARGMAX, axis: index, keepsAxis: false)
    }

    /// Softmax along an axis, the last by default.
    public func softmax(axis: Int = -1) throws -> Tensor {
        try normalised("softmax", axis, logarithm: false)
    }

    /// The logarithm of softmax along an axis, the last by default.
    public func logSoftmax(axis: Int = -1) throws -> Tensor {
        try normalised("log_softmax", axis, logarithm: true)
    }

    private func normalised(_ name: String, _ axis: Int, logarithm: Bool) throws -> Tensor {
        let index = try Shape.axis(name, axis, rank: rank)
        guard index == rank - 1 else {
            return try transposed(index, rank - 1).normalised(name, -1, logarithm: logarithm)
                .transposed(index, rank - 1)
        }
        let width = shape[index]
        guard width > 0 else {
            throw ShapeError(name, [shape], expected: "at least one element along the axis")
        }
        let rows = count / width
        let y = try Tensor(uninitialized: shape)
        Kernels.softmax(try packed(), rows: rows, width: width, logarithm: logarithm, into: y)
        return Tensor.record(y, [self]) { gradient, nodes in
            guard let node = nodes[0] else { return }
            let dy = try gradient.packed()
            let (dx, beta) = try node.accumulator()
            Kernels.softmaxGradient(
                dy, y, rows: rows, width: width, logarithm: logarithm, into: dx, beta: beta)
        }
    }
}
