import RuntimeSupport

// Operations that pick elements by position.

extension Tensor {
    /// Refuses axes so long that a 32-bit float does not hold every position.
    static func checkPositions(_ operation: String, _ size: Int) throws {
        guard size <= 1 << 24 else {
            throw ShapeError(operation, [[size]], expected: "at most 2^24 elements along the axis")
        }
    }

    /// What lies at one position of an axis, without that axis.
    ///
    /// - Throws: `InvalidValue` if the position, from 0, is not on the axis.
    public func selected(_ position: Int, axis: Int = 0) throws -> Tensor {
        let index = try Shape.axis("select", axis, rank: rank)
        guard position >= 0, position < shape[index] else {
            throw InvalidValue(
                "position of select", expected: "one within 0 ..< \(shape[index])", found: position)
        }
        var target = shape
        target.remove(at: index)
        return try sliced(axis: index, position..<position + 1).reshaped(target)
    }

    /// The given positions of an axis, from 0, in the order given; some may come more than once.
    ///
    /// - Throws: `InvalidValue` naming the first position that is not on the axis.
    public func taking(_ positions: [Int32], axis: Int = 0) throws -> Tensor {
        let index = try Shape.axis("take", axis, rank: rank)
        var order = Array(0..<rank)
        order.remove(at: index)
        order.insert(index, at: 0)
        let front = index == 0 ? self : try permuted(order)
        let rest = Array(front.shape.dropFirst())
        let taken = try front.reshaped([shape[index], rest.reduce(1, *)]).rows(positions)
            .reshaped([positions.count] + rest)
        guard index != 0 else { return taken }
        var inverse = order
        for (place, axis) in order.enumerated() { inverse[axis] = place }
        return try taken.permuted(inverse)
    }

    /// Element `[…, i, …]` of the result is element `[…, positions[…, i, …], …]` of this tensor,
    /// the position standing on one axis.
    ///
    /// - Parameters:
    ///   - positions: from 0, in row-major order of `target`.
    ///   - target: the shape of the positions: this tensor's, except along the axis.
    /// - Throws: `ShapeError`; `InvalidValue` naming the first position that is not on the axis.
    public func gathered(_ positions: [Int32], shape target: [Int], axis: Int = -1) throws -> Tensor
    {
        let index = try Shape.axis("gather", axis, rank: rank)
        guard target.count == rank,
            target.indices.allSatisfy({ $0 == index || target[$0] == shape[$0] }),
            try Shape.count("gather", target) == positions.count
        else {
            throw ShapeError(
                "gather", [shape, target],
                expected: "positions of equal sizes except along the axis")
        }
        let size = shape[index]
        if let bad = positions.firstIndex(where: { $0 < 0 || $0 >= size }) {
            throw InvalidValue(
                "position \(bad)", expected: "a position below \(size)", found: positions[bad])
        }
        let inner = shape[(index + 1)...].reduce(1, *)
        let block = max(1, target[index] * inner)
        @Sendable func place(_ i: Int) -> Int {
            i / block * size * inner + Int(positions[i]) * inner + i % inner
        }
        let x = try packed()
        let y = try withExtendedLifetime(x) {
            let source = SharedReading(x.pointer)
            return try Tensor.generate(target) { source[place($0)] }
        }
        let original = shape
        return Tensor.record(y, [self]) { gradient, nodes in
            guard let node = nodes[0] else { return }
            let dy = try gradient.packed()
            let dx = try Tensor.zeros(original)
            withExtendedLifetime((dx, dy)) {
                for i in 0..<dy.count { dx.pointer[place(i)] += dy.pointer[i] }
            }
            try node.accumulate(dx)
        }
    }

    /// The largest elements of each row of the last axis, largest first, NaN before all, and their
    /// positions from 0; of equal ones the first comes first.
    ///
    /// - Throws: `InvalidValue` unless `count` is in 0 … the size of the axis.
    public func largest(_ count: Int) throws -> (values: Tensor, positions: Tensor) {
        guard let width = shape.last else {
            throw ShapeError("topk", [shape], expected: "at least one axis")
        }
        guard count >= 0, count <= width else {
            throw InvalidValue("k of topk", expected: "an integer in 0 ... \(width)", found: count)
        }
        try Tensor.checkPositions("topk", width)
        let target = Array(shape.dropLast()) + [count]
        let x = try packed()
        let rows = width == 0 ? 0 : x.count / width
        let found = try withExtendedLifetime(x) {
            let source = SharedReading(x.pointer)
            return try Parallel.map(rows) { row -> [Int32] in
                let line = source.start + row * width
                let order = (0..<Int32(width)).sorted { a, b in
                    let (u, v) = (line[Int(a)], line[Int(b)])
                    if u.isNaN || v.isNaN { return u.isNaN && (!v.isNaN || a < b) }
                    return u == v ? a < b : u > v
                }
                return Array(order.prefix(count))
            }
        }.flatMap { $0 }
        let positions = try Tensor.from(found.map(Float.init), shape: target)
        return (try gathered(found, shape: target), positions)
    }
}
