import RuntimeNumerics
import RuntimeSupport

/// Where one parameter lies in the flat buffers.
public struct ParameterRange: Hashable, Sendable {
    /// The name that Hugging Face's GPTNeoXForCausalLM gives it.
    public let name: String
    /// Its shape; matrices are `[outputs, inputs]`, and query_key_value is laid out head by head as
    /// `(q, k, v)`.
    public let shape: [Int]
    /// Its first number in the flat buffers.
    public let offset: Int
    /// How many numbers it has.
    public let count: Int
    /// Whether weight decay applies: to matrices, but not to biases, norms and the embedding.
    public let decays: Bool
}

/// All trained numbers of a model in one flat buffer, and their gradients in another.
public final class Parameters {
    /// The parameters in order; they lie one after the other.
    public let ranges: [ParameterRange]
    /// The number of trained numbers.
    public let count: Int
    private let storage: Storage
    private var gradientStorage: Storage?
    private let indices: [String: Int]

    /// Zeros for parameters of the given names and shapes.
    package init(_ shapes: [(name: String, shape: [Int])]) throws {
        var ranges: [ParameterRange] = []
        var offset = 0
        for (name, shape) in shapes {
            let count = try Shape.count(name, shape)
            let decays = shape.count > 1 && !name.contains("embed_in")
            ranges.append(
                ParameterRange(
                    name: name, shape: shape, offset: offset, count: count, decays: decays))
            offset += count
        }
        self.ranges = ranges
        count = offset
        indices = Dictionary(uniqueKeysWithValues: ranges.enumerated().map { ($1.name, $0) })
        storage = try Storage(offset)
        storage.pointer.update(repeating: 0, count: offset)
    }

    /// The numbers; valid while this object lives.
    public var values: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: storage.pointer, count: count)
    }

    /// The gradients; valid while this object lives.
    ///
    /// Empty until `prepareGradients()` or the first accumulation.
    public var gradients: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(
            start: gradientStorage?.pointer, count: gradientStorage == nil ? 0 : count)
    }

    /// Allocates the gradients, zero, if they are not there.
    ///
    /// - Throws: `OutOfMemory`.
    public func prepareGradients() throws {
        guard gradientStorage == nil else { return }
        let fresh = try Storage(count)
        fresh.pointer.update(repeating: 0, count: count)
        gradientStorage = fresh
    }

    /// Sets every gradient to zero.
    public func zeroGradients() {
        guard let gradientStorage else { return }
        withExtendedLifetime(gradientStorage) { Kernels.zero(count, gradientStorage.pointer) }
    }

    /// A view of one parameter, which follows training.
    ///
    /// - Throws: `InvalidValue` if there is no such name.
    public func tensor(named name: String) throws -> Tensor { tensor(try range(named: name)) }

    /// A view of one parameter's gradient.
    ///
    /// - Throws: `InvalidValue` if there is no such name; `OutOfMemory`.
    public func gradient(named name: String) throws -> Tensor {
        let range = try range(named: name)
        try prepareGradients()
        return Tensor(gradientStorage ?? storage, shape: range.shape, offset: range.offset)
    }

    private func range(named name: String) throws -> ParameterRange {
        guard let index = indices[name] else {
            throw InvalidValue(
                "parameter", expected: "a name such as \(ranges[0].name)", found: name)
        }
        return ranges[index]
    }

    package func tensor(_ range: ParameterRange) -> Tensor {
        Tensor(storage, shape: range.shape, offset: range.offset)
    }

    /// A tensor for each parameter, in order; with `gradients`, leaves that accumulate into the
    /// flat gradients.
    package func tensors(gradients: Bool) throws -> [Tensor] {
        guard gradients else { return ranges.map(tensor) }
        try prepareGradients()
        guard let gradientStorage else { return [] }
        return ranges.map { range in
            let gradient = Tensor(gradientStorage, shape: range.shape, offset: range.offset)
            return Tensor(
                storage, shape: range.shape, offset: range.offset,
                node: Node(accumulatingInto: gradient))
        }
    }
}
