import RuntimeSupport

/// Shapes that do not fit an operation.
public struct ShapeError: RuntimeError {
    /// The operation, by the name scripts use.
    public let operation: String
    /// The shapes it was given, in order of arguments.
    public let shapes: [[Int]]
    /// What it needs.
    public let expected: String

    /// Creates the error.
    public init(_ operation: String, _ shapes: [[Int]], expected: String) {
        self.operation = operation
        self.shapes = shapes
        self.expected = expected
    }

    /// `matmul: shapes [2, 3] and [2, 3] do not fit: expected …`.
    public var message: String {
        let found = shapes.map { "[" + $0.map(String.init).joined(separator: ", ") + "]" }.joined(
            separator: " and ")
        return
            "\(operation): shape\(shapes.count == 1 ? "" : "s") \(found) do\(shapes.count == 1 ? "es" : "") not fit: "
            + "expected \(expected)"
    }
}

/// Arithmetic on shapes.
package enum Shape {
    /// The number of elements.
    ///
    /// - Throws: `ShapeError` if a size is negative, there are more than 8 axes, or the product of
    ///   all sizes but zeros passes 2^48, so that products of some of them never overflow.
    package static func count(_ operation: String, _ shape: [Int]) throws -> Int {
        guard shape.count <= 8 else {
            throw ShapeError(operation, [shape], expected: "at most 8 axes")
        }
        var extent = 1
        for size in shape {
            guard size >= 0 else {
                throw ShapeError(operation, [shape], expected: "sizes of 0 or more")
            }
            let (product, overflow) = extent.multipliedReportingOverflow(by: max(1, size))
            guard !overflow, product <= 1 << 48 else {
                throw ShapeError(operation, [shape], expected: "at most 2^48 elements")
            }
            extent = product
        }
        return shape.contains(0) ? 0 : extent
    }

    /// Row-major strides.
    static func strides(_ shape: [Int]) -> [Int] {
        var strides = Array(repeating: 1, count: shape.count)
        for axis in stride(from: shape.count - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * max(1, shape[axis + 1])
        }
        return strides
    }

    /// The shape that both broadcast to: axes are matched from the last, and a size of 1 stretches.
    package static func broadcast(_ operation: String, _ a: [Int], _ b: [Int]) throws -> [Int] {
        guard a != b else { return a }
        let rank = max(a.count, b.count)
        var result = Array(repeating: 1, count: rank)
        for axis in 1...max(1, rank) where axis <= rank {
            let left = axis <= a.count ? a[a.count - axis] : 1
            let right = axis <= b.count ? b[b.count - axis] : 1
            guard left == right || left == 1 || right == 1 else {
                throw ShapeError(
                    operation, [a, b], expected: "equal sizes, or 1, on each axis from the last")
            }
            result[rank - axis] = left == 1 ? right : left
        }
        return result
    }

    /// `axis` counted from 0; negative ones from the end.
    package static func axis(_ operation: String, _ axis: Int, rank: Int) throws -> Int {
        let index = axis < 0 ? axis + rank : axis
        guard index >= 0 && index < rank else {
            throw InvalidValue(
                "axis of \(operation)", expected: "an axis of a tensor with \(rank)", found: axis)
        }
        return index
    }
}
