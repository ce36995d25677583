import CKernels

// Arithmetic with broadcasting: axes are matched from the last, and an axis of size 1 stretches.

extension Tensor {
    /// A view of this tensor stretched to `target`, which it broadcasts to.
    func stretched(to target: [Int]) -> Tensor {
        guard shape != target else { return detached }
        let missing = target.count - shape.count
        let steps = target.indices.map { axis in
            axis < missing || shape[axis - missing] == 1 ? 0 : strides[axis - missing]
        }
        return Tensor(storage, shape: target, strides: steps, offset: offset)
    }

    /// Stretched and packed, but a single number stays one: kernels repeat it.
    private func operand(_ target: [Int]) throws -> Tensor {
        count == 1 ? detached : try stretched(to: target).packed()
    }

    /// Sums over the axes that were stretched from `original`.
    func collapsed(to original: [Int]) throws -> Tensor {
        guard shape != original else { return self }
        var result = self
        for _ in 0..<max(0, rank - original.count) { result = try result.sum(axis: 0) }
        for axis in original.indices where original[axis] == 1 && result.shape[axis] != 1 {
            result = try result.sum(axis: axis, keepsAxis: true)
        }
        return result
    }

    private static func elementwise(
        _ name: String, _ kind: ck_binary_kind, _ a: Tensor, _ b: Tensor
    ) throws -> Tensor {
        let target = try Shape.broadcast(name, a.shape, b.shape)
        let y = try Tensor(uninitialized: target)
        Kernels.binary(kind, try a.operand(target), try b.operand(target), into: y)
        return y
    }

    private static func unary(_ kind: ck_unary_kind, _ x: Tensor) throws -> Tensor {
        let y = try Tensor(uninitialized: x.shape)
        Kernels.unary(kind, try x.packed(), into: y)
        return y
    }

    /// Records an operation of one operand whose gradient is `dy · slope()`.
    private func recordingUnary(_ y: Tensor, _ slope: @escaping () throws -> Tensor) -> Tensor {
        Tensor.record(y, [self]) { gradient, nodes in
            try nodes[0]?.accumulate(try gradient.multiplied(by: slope()))
        }
    }

    /// Sum.
    public func adding(_ other: Tensor) throws -> Tensor {
        let y = try Tensor.elementwise("+", CK_ADD, self, other)
        let (left, right) = (shape, other.shape)
        return Tensor.record(y, [self, other]) { gradient, nodes in
            try nodes[0]?.accumulate(try gradient.collapsed(to: left))
            try nodes[1]?.accumulate(try gradient.collapsed(to: right))
        }
    }

    /// Difference.
    public func subtracting(_ other: Tensor) throws -> Tensor {
        let y = try Tensor.elementwise("-", CK_SUBTRACT, self, other)
        let (left, right) = (shape, other.shape)
        return Tensor.record(y, [self, other]) { gradient, nodes in
            try nodes[0]?.accumulate(try gradient.collapsed(to: left))
            if let node = nodes[1] {
                try node.accumulate(try gradient.negated().collapsed(to: right))
            }
        }
    }

    /// Product, element by element.
    public func multiplied(by other: Tensor) throws -> Tensor {
        let y = try Tensor.elementwise("*", CK_MULTIPLY, self, other)
        let (a, b) = (detached, other.detached)
        return Tensor.record(y, [self, other]) { gradient, nodes in
            if let node = nodes[0] {
                try node.accumulate(try gradient.multiplied(by: b).collapsed(to: a.shape))
            }
            if let node = nodes[1] {
                try node.accumulate(try gradient.multiplied(by: a).collapsed(to: b.shape))
            }
        }
    }

    /// Quotient; division by zero gives infinities and NaN as usual.
    public func divided(by other: Tensor) throws -> Tensor {
        let y = try Tensor.elementwise("/", CK_DIVIDE, self, other)
        let (a, b) = (detached, other.detached)
        return Tensor.record(y, [self, other]) { gradient, nodes in
            if let node = nodes[0] {
                try node.accumulate(try gradient.divided(by: b).collapsed(to: a.shape))
            }
            if let node = nodes[1] {
                let slope = try y.divided(by: b).negated()
                try node.accumulate(try gradient.multiplied(by: slope).collapsed(to: b.shape))
            }
        }
    }

    /// Power, element by element.
    ///
    /// The exponent's gradient is 0 where the base is 0.
    public func raised(to other: Tensor) throws -> Tensor {
        let y = try Tensor.elementwise("pow", CK_POWER, self, other)
        let (a, b) = (detached, other.detached)
        return Tensor.record(y, [self, other]) { gradient, nodes in
            if let node = nodes[0] {
                let slope = try b.multiplied(by: a.raised(to: b.subtracting(Tensor.full([], 1))))
                try node.accumulate(try gradient.multiplied(by: slope).collapsed(to: a.shape))
            }
            if let node = nodes[1] {
                let zero = try Tensor.full([], 0)
                let slope = try a.equal(to: zero).choosing(zero, y.multiplied(by: a.logarithm()))
                try node.accumulate(try gradient.multiplied(by: slope).collapsed(to: b.shape))
            }
        }
    }

    /// The larger of two numbers; NaN if either is.
    ///
    /// Equal operands share the gradient.
    public func maximum(_ other: Tensor) throws -> Tensor {
        try extreme("maximum", CK_MAXIMUM, other)
    }

    /// The smaller of two numbers; NaN if either is.
    ///
    /// Equal operands share the gradient.
    public func minimum(_ other: Tensor) throws -> Tensor {
        try extreme("minimum", CK_MINIMUM, other)
    }

    private func extreme(_ name: String, _ kind: ck_binary_kind, _ other: Tensor) throws -> Tensor {
        let y = try Tensor.elementwise(name, kind, self, other)
        let (a, b) = (detached, other.detached)
        return Tensor.record(y, [self, other]) { gradient, nodes in
            let (fromA, fromB) = (try a.equal(to: y), try b.equal(to: y))
            let shared = try gradient.divided(by: fromA.adding(fromB))
            if let node = nodes[0] {
                try node.accumulate(try shared.multiplied(by: fromA).collapsed(to: a.shape))
            }
            if let node = nodes[1] {
                try node.accumulate(try shared.multiplied(by: fromB).collapsed(to: b.shape))
            }
        }
    }

    /// 1 where equal, else 0; without gradient.
    public func equal(to other: Tensor) throws -> Tensor {
        try Tensor.elementwise("eq", CK_EQUAL, self, other)
    }

    /// 1 where not equal, else 0; without gradient.
    public func notEqual(to other: Tensor) throws -> Tensor {
        try Tensor.full([], 1).subtracting(equal(to: other))
    }

    /// 1 where less, else 0; without gradient.
    public func less(than other: Tensor) throws -> Tensor {
        try Tensor.elementwise("lt", CK_LESS, self, other)
    }

    /// 1 where less or equal, else 0; without gradient.
    public func lessOrEqual(to other: Tensor) throws -> Tensor {
        try Tensor.elementwise("le", CK_LESS_EQUAL, self, other)
    }

    /// With this tensor as the condition: `a` where it is not 0, else `b`; all three broadcast
    /// together.
    public func choosing(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        let target = try Shape.broadcast("where", Shape.broadcast("where", shape, a.shape), b.shape)
        let condition = try stretched(to: target).packed()
        let y = try Tensor(uninitialized: target)
        Kernels.choose(
            condition, try a.stretched(to: target).packed(), try b.stretched(to: target).packed(),
            into: y)
        let (left, right) = (a.shape, b.shape)
        return Tensor.record(y, [a, b]) { gradient, nodes in
            let zero = try Tensor.full([], 0)
            if let node = nodes[0] {
                try node.accumulate(try condition.choosing(gradient, zero).collapsed(to: left))
            }
            if let node = nodes[1] {
                try node.accumulate(try condition.choosing(zero, gradient).collapsed(to: right))
            }
        }
    }

    /// The negative.
    public func negated() throws -> Tensor {
        let y = try Tensor.unary(CK_NEGATE, self)
        return Tensor.record(y, [self]) { gradient, nodes in
            try nodes[0]?.accumulate(try Tensor.unary(CK_NEGATE, gradient))
        }
    }

    /// e to the power of each element.
    public func exponential() throws -> Tensor {
        let y = try Tensor.unary(CK_EXP, self)
        return recordingUnary(y) { y }
    }

    /// The natural logarithm; NaN below 0.
    public func logarithm() throws -> Tensor {
        let x = detached
        return recordingUnary(try Tensor.unary(CK_LOG, self)) {
            try Tensor.full([], 1).divided(by: x)
        }
    }

    /// The square root; NaN below 0.
    public func squareRoot() throws -> Tensor {
        let y = try Tensor.unary(CK_SQRT, self)
        return recordingUnary(y) { try Tensor.full([], 0.5).divided(by: y) }
    }

    /// The hyperbolic tangent.
    public func hyperbolicTangent() throws -> Tensor {
        let y = try Tensor.unary(CK_TANH, self)
        return recordingUnary(y) { try Tensor.full([], 1).subtracting(y.multiplied(by: y)) }
    }

    /// The logistic function.
    public func sigmoid() throws -> Tensor {
        let y = try Tensor.unary(CK_SIGMOID, self)
        return recordingUnary(y) { try y.subtracting(y.multiplied(by: y)) }
    }

    /// The element where it is positive, else 0; the gradient at 0 is 0.
    public func relu() throws -> Tensor {
        let x = detached
        return recordingUnary(try Tensor.unary(CK_RELU, self)) { try Tensor.unary(CK_STEP, x) }
    }

    /// The absolute value; the gradient at 0 is 0.
    public func absolute() throws -> Tensor {
        let x = detached
        return recordingUnary(try Tensor.unary(CK_ABS, self)) { try Tensor.unary(CK_SIGN, x) }
    }
}
