extension Tensor {
    /// The square root of `variance`.
    public func standardDeviation(axis: Int? = nil, correction: Int = 0, keepsAxis: Bool = false)
        throws -> Tensor
    {
        try variance(axis: axis, correction: correction, keepsAxis: keepsAxis).squareRoot()
    }

    /// The square root of the sum of squares along an axis, or of all elements; its gradient is 0
    /// where it is 0.
    public func norm(axis: Int? = nil, keepsAxis: Bool = false) throws -> Tensor {
        guard let axis else { return try reshaped([count]).norm(axis: 0) }
        let index = try Shape.axis("norm", axis, rank: rank)
        let x = detached
        let kept = try x.multiplied(by: x).sum(axis: index, keepsAxis: true).squareRoot()
        var target = kept.shape
        if !keepsAxis { target.remove(at: index) }
        return Tensor.record(try kept.reshaped(target), [self]) { gradient, nodes in
            let zero = try Tensor.full([], 0)
            let divisor = try kept.equal(to: zero).choosing(Tensor.full([], 1), kept)
            let scale = try gradient.reshaped(kept.shape).divided(by: divisor)
            try nodes[0]?.accumulate(try x.multiplied(by: scale))
        }
    }
}
