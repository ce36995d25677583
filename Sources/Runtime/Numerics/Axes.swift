// Operations that add, remove and stretch axes.

extension Tensor {
    /// Without an axis, which has size 1; without all of size 1 if none is given.
    ///
    /// - Throws: `ShapeError` if the axis has another size.
    public func squeezed(axis: Int? = nil) throws -> Tensor {
        guard let axis else { return try reshaped(shape.filter { $0 != 1 }) }
        let index = try Shape.axis("squeeze", axis, rank: rank)
        guard shape[index] == 1 else {
            throw ShapeError("squeeze", [shape], expected: "size 1 on the axis")
        }
        var target = shape
        target.remove(at: index)
        return try reshaped(target)
    }

    /// With a new axis of size 1, which becomes axis `axis` (from 0; negative from the end) of the
    /// result.
    public func unsqueezed(axis: Int) throws -> Tensor {
        let index = try Shape.axis("unsqueeze", axis, rank: rank + 1)
        var target = shape
        target.insert(1, at: index)
        return try reshaped(target)
    }

    /// A view of a larger shape, which this tensor broadcasts to.
    ///
    /// - Throws: `ShapeError` if it does not.
    public func expanded(to target: [Int]) throws -> Tensor {
        _ = try Shape.count("expand", target)
        guard try Shape.broadcast("expand", shape, target) == target else {
            throw ShapeError(
                "expand", [shape, target], expected: "equal sizes, or 1, on each axis from the last"
            )
        }
        let original = shape
        return Tensor.record(stretched(to: target), [self]) { gradient, nodes in
            try nodes[0]?.accumulate(try gradient.collapsed(to: original))
        }
    }

    /// Tensors of one shape along a new axis.
    public static func stacked(_ tensors: [Tensor], axis: Int = 0) throws -> Tensor {
        if let first = tensors.first, let bad = tensors.first(where: { $0.shape != first.shape }) {
            throw ShapeError("stack", [first.shape, bad.shape], expected: "equal shapes")
        }
        return try concatenated(tensors.map { try $0.unsqueezed(axis: axis) }, axis: axis)
    }
}
