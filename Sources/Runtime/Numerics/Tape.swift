import RuntimeSupport
import Synchronization

/// A gradient that cannot be computed.
public struct GradientError: RuntimeError {
    /// What is wrong and what to do.
    public let message: String
}

/// Whether operations are recorded.
public enum Tape {
    @TaskLocal static var isRecording = true

    private static let counter = Atomic<Int>(0)

    static func nextNumber() -> Int { counter.add(1, ordering: .relaxed).newValue }

    /// Runs `body` without recording: results require no gradients and hold on to nothing.
    public static func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $isRecording.withValue(false, operation: body)
    }
}

/// How a tensor was made: the tape is the graph of these.
///
/// Closures capture values without history; history is in `inputs` alone, so that a long chain can
/// be taken apart without recursion.
package final class Node {
    package typealias Backward = (_ gradient: Tensor, _ inputs: [Node?]) throws -> Void

    package let number = Tape.nextNumber()
    package let shape: [Int]
    package var inputs: [Node?]
    package var backward: Backward?
    var spent = false
    package private(set) var gradient: Tensor?
    private var mayWrite = false

    package init(shape: [Int], inputs: [Node?] = [], backward: Backward? = nil) {
        self.shape = shape
        self.inputs = inputs
        self.backward = backward
    }

    /// A leaf whose gradient is always added to `gradient`.
    package init(accumulatingInto gradient: Tensor) {
        shape = gradient.shape
        inputs = []
        self.gradient = gradient
        mayWrite = true
    }

    deinit {
        var pending = inputs.compactMap { $0 }
        inputs = []
        while var node = pending.popLast() {
            if isKnownUniquelyReferenced(&node) {
                pending.append(contentsOf: node.inputs.compactMap { $0 })
                node.inputs = []
            }
        }
    }

    var isLeaf: Bool { inputs.isEmpty && backward == nil && !spent }

    /// Adds to the gradient; `value` may be shared until something else is added.
    package func accumulate(_ value: Tensor) throws {
        guard let gradient else {
            self.gradient = value.detached
            mayWrite = false
            return
        }
        if mayWrite && gradient.isContiguous {
            Kernels.add(1, try value.packed(), to: gradient, beta: 1)
        } else {
            let sum = try gradient.copied()
            Kernels.add(1, try value.packed(), to: sum, beta: 1)
            self.gradient = sum
            mayWrite = true
        }
    }

    /// A contiguous tensor to compute the gradient into, and 1 if it is to be added to, 0 if it is
    /// uninitialised.
    package func accumulator() throws -> (Tensor, beta: Float) {
        if let gradient, mayWrite, gradient.isContiguous { return (gradient, 1) }
        let fresh = try gradient?.copied() ?? Tensor(uninitialized: shape)
        let beta: Float = gradient == nil ? 0 : 1
        gradient = fresh
        mayWrite = true
        return (fresh, beta)
    }

    /// The gradient to hand out, which later additions will not change.
    package func share() -> Tensor? {
        mayWrite = false
        return gradient
    }

    package func clear() {
        gradient = nil
        mayWrite = false
    }
}

extension Tensor {
    /// A copy in storage of its own, without history.
    package func copied() throws -> Tensor {
        let result = try Tensor(uninitialized: shape)
        Kernels.copy(self, into: result)
        return result
    }

    /// The same numbers as a leaf of the tape, whose gradient `backward()` will compute.
    public func requiringGradient() -> Tensor {
        Tensor(storage, shape: shape, strides: strides, offset: offset, node: Node(shape: shape))
    }

    /// The gradient accumulated by `backward()`; `nil` before, and for all but leaves.
    public var gradient: Tensor? {
        guard let node, node.isLeaf else { return nil }
        return node.share()
    }

    /// Forgets the gradient of this leaf.
    public func clearGradient() { node?.clear() }

    /// The result of an operation on `inputs`, recorded if any of them requires gradients.
    package static func record(
        _ value: Tensor, _ inputs: [Tensor?], _ backward: @escaping Node.Backward
    )
        -> Tensor
    {
        guard Tape.isRecording, inputs.contains(where: { $0?.node != nil }) else { return value }
        let node = Node(shape: value.shape, inputs: inputs.map { $0?.node }, backward: backward)
        return Tensor(
            value.storage, shape: value.shape, strides: value.strides, offset: value.offset,
            node: node)
    }

    /// Adds the gradients of this tensor's sum to every leaf that it was computed from, then
    /// forgets the history.
    ///
    /// - Parameter gradient: weights of this tensor's elements, of its shape; by default the tensor
    ///   must be a single number, whose gradient is taken.
    /// - Throws: `GradientError` if nothing requires gradients or the history is already used;
    ///   `ShapeError`; `OutOfMemory`; `Interrupted`, after which the leaves have no gradients.
    public func backward(_ gradient: Tensor? = nil, stop: ShouldStop = { false }) throws {
        guard let node else {
            throw GradientError(
                message: "backward: nothing that this tensor was computed from requires gradients")
        }
        if let gradient {
            guard gradient.shape == shape else {
                throw ShapeError(
                    "backward", [shape, gradient.shape],
                    expected: "a gradient of the tensor's shape")
            }
            try node.accumulate(gradient)
        } else {
            guard count == 1 else {
                throw ShapeError(
                    "backward", [shape], expected: "a single number, or a gradient for each element"
                )
            }
            try node.accumulate(try Tensor.full(shape, 1))
        }
        try Tape.withoutGradients {
            let history = try node.history()
            for node in history {
                guard !stop() else {
                    for leaf in history where leaf.isLeaf { leaf.clear() }
                    throw Interrupted("interrupted in backward; its leaves have no gradients now")
                }
                guard let backward = node.backward, let gradient = node.gradient else { continue }
                node.backward = nil
                node.spent = true
                try backward(gradient, node.inputs)
                node.clear()
                node.inputs = []
            }
        }
    }
}

extension Node {
    /// This node and all before it, latest first.
    fileprivate func history() throws -> [Node] {
        var found: [Node] = []
        var seen: Set<ObjectIdentifier> = [ObjectIdentifier(self)]
        var pending = [self]
        while let node = pending.popLast() {
            guard !node.spent else {
                throw GradientError(
                    message:
                        "backward: part of this history was already used by another backward; compute it again"
                )
            }
            found.append(node)
            for case let input? in node.inputs where seen.insert(ObjectIdentifier(input)).inserted {
                pending.append(input)
            }
        }
        return found.sorted { $0.number > $1.number }
    }
}
