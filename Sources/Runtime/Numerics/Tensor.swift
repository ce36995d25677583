/// An array of 32-bit floating-point numbers with a shape, which may remember how it was computed.
///
/// Values never change once made, except parameters under an optimiser. Reshaped, transposed and
/// sliced tensors are views of the same storage. A tensor that requires gradients records the
/// operations it goes through (unless under `Tape.withoutGradients`), and `backward()` then fills
/// in the gradients of the leaves.
public final class Tensor {
    /// Sizes of the axes, the last varying fastest; empty for a single number.
    public let shape: [Int]
    let strides: [Int]
    package let offset: Int
    package let storage: Storage
    package let node: Node?
    /// These numbers as an operand of products, for tensors that many products read and nothing
    /// changes meanwhile.
    private(set) var prepared: Kernels.Operand?

    package init(
        _ storage: Storage, shape: [Int], strides: [Int]? = nil, offset: Int = 0, node: Node? = nil
    ) {
        self.storage = storage
        self.shape = shape
        self.strides = strides ?? Shape.strides(shape)
        self.offset = offset
        self.node = node
    }

    /// A tensor whose numbers are yet to be written.
    package convenience init(uninitialized shape: [Int]) throws {
        self.init(try Storage(try Shape.count("tensor", shape)), shape: shape)
    }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }

    /// The number of axes.
    public var rank: Int { shape.count }

    /// Whether gradients flow into this tensor.
    public var requiresGradient: Bool { node != nil }

    /// The first element; meaningful together with `strides`.
    package var pointer: UnsafeMutablePointer<Float> { storage.pointer + offset }

    /// Whether elements lie in row-major order without gaps.
    var isContiguous: Bool {
        var expected = 1
        for axis in stride(from: shape.count - 1, through: 0, by: -1) where shape[axis] != 1 {
            if strides[axis] != expected { return false }
            expected *= shape[axis]
        }
        return true
    }

    /// Makes the operand of this contiguous tensor once, for all products to come; only for weights
    /// that stay as they are.
    package func prepare(_ precision: Precision) throws {
        guard precision != .float32 else { return }
        prepared = try Kernels.operand(self, precision)
    }

    /// The same numbers without their history.
    public var detached: Tensor {
        node == nil ? self : Tensor(storage, shape: shape, strides: strides, offset: offset)
    }

    /// The same numbers, in row-major order, without their history.
    package func packed() throws -> Tensor {
        if isContiguous { return detached }
        let result = try Tensor(uninitialized: shape)
        Kernels.copy(self, into: result)
        return result
    }

    /// The elements in row-major order.
    public func values() throws -> [Float] {
        let source = try packed()
        return withExtendedLifetime(source) {
            Array(UnsafeBufferPointer(start: source.pointer, count: source.count))
        }
    }

    /// The only element.
    ///
    /// - Throws: `ShapeError` unless there is exactly one.
    public func item() throws -> Float {
        guard count == 1 else { throw ShapeError("item", [shape], expected: "exactly one element") }
        return withExtendedLifetime(self) { pointer.pointee }
    }
}
