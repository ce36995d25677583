import RuntimeSupport

// Operations that move or select elements.

extension Tensor {
    private func view(_ shape: [Int], strides: [Int], offset: Int) -> Tensor {
        Tensor(storage, shape: shape, strides: strides, offset: offset)
    }

    /// The same elements in row-major order under another shape; one size may be −1, which is
    /// worked out.
    ///
    /// - Throws: `ShapeError` if the number of elements would change.
    public func reshaped(_ target: [Int]) throws -> Tensor {
        var target = target
        if let unknown = target.firstIndex(of: -1) {
            var others = target
            others.remove(at: unknown)
            guard !others.contains(-1) else {
                throw ShapeError("reshape", [shape, target], expected: "one -1 at most")
            }
            let known = try Shape.count("reshape", others)
            guard known > 0, count % known == 0 else {
                throw ShapeError("reshape", [shape, target], expected: "as many elements")
            }
            target[unknown] = count / known
        }
        guard try Shape.count("reshape", target) == count else {
            throw ShapeError("reshape", [shape, target], expected: "as many elements")
        }
        let original = shape
        let source = try packed()
        return Tensor.record(
            source.view(target, strides: Shape.strides(target), offset: source.offset), [self]
        ) {
            gradient, nodes in
            try nodes[0]?.accumulate(try gradient.reshaped(original))
        }
    }

    /// A view with axes in another order: axis i of the result is axis `order[i]` of this tensor.
    public func permuted(_ order: [Int]) throws -> Tensor {
        let axes = try order.map { try Shape.axis("permute", $0, rank: rank) }
        guard axes.sorted() == Array(0..<rank) else {
            throw InvalidValue(
                "order of permute", expected: "each of \(rank) axes once", found: order)
        }
        var inverse = axes
        for (position, axis) in axes.enumerated() { inverse[axis] = position }
        let result = view(axes.map { shape[$0] }, strides: axes.map { strides[$0] }, offset: offset)
        return Tensor.record(result, [self]) { [inverse] gradient, nodes in
            try nodes[0]?.accumulate(try gradient.permuted(inverse))
        }
    }

    /// A view with two axes exchanged, by default the last two.
    public func transposed(_ first: Int = -2, _ second: Int = -1) throws -> Tensor {
        let a = try Shape.axis("transpose", first, rank: rank)
        let b = try Shape.axis("transpose", second, rank: rank)
        var order = Array(0..<rank)
        order.swapAt(a, b)
        return try permuted(order)
    }

    /// A view of positions `range` along an axis.
    ///
    /// - Throws: `InvalidValue` if the range leaves the axis.
    public func sliced(axis: Int, _ range: Range<Int>) throws -> Tensor {
        let index = try Shape.axis("slice", axis, rank: rank)
        guard range.lowerBound >= 0, range.upperBound <= shape[index] else {
            throw InvalidValue(
                "range of slice", expected: "positions within 0 ..< \(shape[index])", found: range)
        }
        var target = shape
        target[index] = range.count
        let result = view(
            target, strides: strides, offset: offset + range.lowerBound * strides[index])
        let original = shape
        return Tensor.record(result, [self]) { gradient, nodes in
            guard let node = nodes[0] else { return }
            let whole = try Tensor.zeros(original)
            var place = target
            place[index] = range.count
            try gradient.packed().write(
                into: whole.view(
                    place, strides: whole.strides, offset: range.lowerBound * whole.strides[index]))
            try node.accumulate(whole)
        }
    }

    /// Copies this contiguous tensor into a strided view of the same shape.
    private func write(into target: Tensor) {
        withExtendedLifetime((self, target)) {
            // Row by row along the last axis; the others are counted up.
            let width = shape.last ?? 1
            guard count > 0 else { return }
            var index = Array(repeating: 0, count: max(0, rank - 1))
            let step = target.strides.last ?? 1
            for row in 0..<count / width {
                var place = 0
                for axis in index.indices { place += index[axis] * target.strides[axis] }
                for column in 0..<width {
                    target.pointer[place + column * step] = pointer[row * width + column]
                }
                for axis in index.indices.reversed() {
                    index[axis] += 1
                    if index[axis] < shape[axis] { break }
                    index[axis] = 0
                }
            }
        }
    }

    /// Tensors joined along an axis; their other sizes are equal.
    public static func concatenated(_ tensors: [Tensor], axis: Int = 0) throws -> Tensor {
        guard let first = tensors.first else {
            throw InvalidValue("tensors of cat", expected: "at least one", found: 0)
        }
        let index = try Shape.axis("cat", axis, rank: first.rank)
        func others(_ shape: [Int]) -> [Int] {
            shape.enumerated().filter { $0.offset != index }.map(\.element)
        }
        if let bad = tensors.first(where: {
            $0.rank != first.rank || others($0.shape) != others(first.shape)
        }) {
            throw ShapeError(
                "cat", [first.shape, bad.shape],
                expected: "equal sizes on all axes but the joined one")
        }
        var target = first.shape
        target[index] = 0
        for tensor in tensors {
            target[index] += tensor.shape[index]
            _ = try Shape.count("cat", target)
        }
        let result = try Tensor(uninitialized: target)
        var starts: [Int] = []
        var start = 0
        for tensor in tensors {
            starts.append(start)
            try tensor.packed().write(
                into: result.view(
                    tensor.shape, strides: result.strides, offset: start * result.strides[index]))
            start += tensor.shape[index]
        }
        let sizes = tensors.map { $0.shape[index] }
        return Tensor.record(result, tensors) { [starts] gradient, nodes in
            for (position, node) in nodes.enumerated() {
                try node?.accumulate(
                    try gradient.sliced(
                        axis: index, starts[position]..<starts[position] + sizes[position]))
            }
        }
    }
}
