extension Tensor {
    /// The matrix product, in which a vector on the left is a row and one on the right a column;
    /// the axis added for it is removed again, so that two vectors give a single number.
    ///
    /// - Throws: `ShapeError` if inner sizes differ or an axis is empty.
    public func product(_ other: Tensor) throws -> Tensor {
        guard rank > 0, other.rank > 0, count > 0, other.count > 0,
            shape[rank - 1] == other.shape[max(0, other.rank - 2)]
        else {
            throw ShapeError(
                "matmul", [shape, other.shape],
                expected: "[…, m, k] and […, k, n] with equal or no leading axes, none empty")
        }
        let left = rank == 1 ? try unsqueezed(axis: 0) : self
        let right = other.rank == 1 ? try other.unsqueezed(axis: 1) : other
        var result = try left.matmul(right)
        if rank == 1 { result = try result.squeezed(axis: -2) }
        if other.rank == 1 { result = try result.squeezed(axis: -1) }
        return result
    }
}
