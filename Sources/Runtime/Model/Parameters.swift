import RuntimeNumerics
import RuntimeSupport

/// What a parameter is to the model, which decides how optimizers treat it.
public enum ParameterRole: Hashable, Sendable {
    /// The rows of tokens, also where the head is the same matrix.
    case embedding
    /// A matrix within the model.
    case matrix
    /// The matrix that makes logits.
    case head
    /// A bias, or the gain of a norm.
    case vector
}

/// A parameter before it has a place: what a model family says of it.
public struct ParameterShape: Sendable {
    /// The name in the family's files.
    public let name: String
    /// Its name within its layer, or within the model.
    public let part: String
    /// Matrices are `[outputs, inputs]`.
    public let shape: [Int]
    /// What it is to the model.
    public let role: ParameterRole
    /// The block it belongs to, from 0; `nil` for what is before or behind all blocks.
    public let layer: Int?

    /// Describes a parameter.
    ///
    /// - Parameters:
    ///   - prefix: What the name has before `part` in the family's files.
    ///   - role: A matrix within the model for two axes and a vector for one, unless given.
    public init(
        _ prefix: String, _ part: String, _ shape: [Int], _ role: ParameterRole? = nil,
        layer: Int? = nil
    ) {
        name = prefix + part
        self.part = part
        self.shape = shape
        self.role = role ?? (shape.count > 1 ? .matrix : .vector)
        self.layer = layer
    }
}

/// Where one parameter lies in the flat buffers.
public struct ParameterRange: Hashable, Sendable {
    /// The name in the family's files.
    public let name: String
    /// Its shape; matrices are `[outputs, inputs]`.
    public let shape: [Int]
    /// Its first number in the flat buffers.
    public let offset: Int
    /// How many numbers it has.
    public let count: Int
    /// What it is to the model.
    public let role: ParameterRole
    /// The block it belongs to, from 0; `nil` for what is before or behind all blocks.
    public let layer: Int?
    /// Its name within its layer, or within the model.
    public let part: String

    /// Whether weight decay applies: to matrices, but not to biases, norms and the embedding.
    public var decays: Bool { role == .matrix || role == .head }

    /// Whether it is a matrix within the model, neither embedding nor head.
    var isInner: Bool { role == .matrix }

    /// Places for parameters, one behind the other.
    package static func ranges(of shapes: [ParameterShape]) -> [ParameterRange] {
        var offset = 0
        return shapes.map { shape in
            let count = shape.shape.reduce(1) { Int.saturatingProduct($0, $1) }
            defer { offset = Int.saturatingSum(offset, count) }
            return ParameterRange(
                name: shape.name, shape: shape.shape, offset: offset, count: count,
                role: shape.role, layer: shape.layer, part: shape.part)
        }
    }

    /// Neighbouring parameters that decay alike, together.
    static func stretches(of ranges: [ParameterRange]) -> [(range: Range<Int>, decays: Bool)] {
        var result: [(range: Range<Int>, decays: Bool)] = []
        for range in ranges {
            let end = range.offset + range.count
            if let last = result.last, last.decays == range.decays,
                last.range.upperBound == range.offset
            {
                result[result.count - 1].range = last.range.lowerBound..<end
            } else {
                result.append((range.offset..<end, range.decays))
            }
        }
        return result
    }
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
    package init(_ shapes: [ParameterShape]) throws {
        for shape in shapes { _ = try Shape.count(shape.name, shape.shape) }
        let ranges = ParameterRange.ranges(of: shapes)
        self.ranges = ranges
        count = ranges.last.map { $0.offset + $0.count } ?? 0
        indices = Dictionary(uniqueKeysWithValues: ranges.enumerated().map { ($1.name, $0) })
        storage = try Storage(count)
        storage.pointer.update(repeating: 0, count: count)
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
