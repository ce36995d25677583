import Foundation
import RuntimeSupport

extension Tensor {
    /// A tensor with `value` everywhere.
    public static func full(_ shape: [Int], _ value: Float) throws -> Tensor {
        let result = try Tensor(uninitialized: shape)
        withExtendedLifetime(result) {
            result.pointer.update(repeating: value, count: result.count)
        }
        return result
    }

    /// Zeros.
    public static func zeros(_ shape: [Int]) throws -> Tensor { try full(shape, 0) }

    /// Ones.
    public static func ones(_ shape: [Int]) throws -> Tensor { try full(shape, 1) }

    /// A tensor of given numbers in row-major order.
    ///
    /// - Throws: `ShapeError` if their number is not that of the shape.
    public static func from(_ values: [Float], shape: [Int]) throws -> Tensor {
        guard try Shape.count("tensor", shape) == values.count else {
            throw ShapeError(
                "tensor", [shape], expected: "\(values.count) elements, as many as there are values"
            )
        }
        let result = try Tensor(uninitialized: shape)
        withExtendedLifetime(result) { result.pointer.update(from: values, count: values.count) }
        return result
    }

    /// `start`, `start + step`, … up to but not including `end`.
    ///
    /// - Throws: `InvalidValue` if the step is zero, leads away from the end, or a bound is not
    ///   finite.
    public static func range(from start: Double, to end: Double, by step: Double = 1) throws
        -> Tensor
    {
        guard step.isFinite, step != 0 else {
            throw InvalidValue(
                "step of arange", expected: "a finite number other than 0", found: step)
        }
        guard start.isFinite, end.isFinite, (end - start) / step >= 0, (end - start) / step < 1e12
        else {
            throw InvalidValue(
                "end of arange", expected: "a finite number reached from \(start) by \(step)",
                found: end)
        }
        let count = Int(((end - start) / step).rounded(.up))
        let result = try Tensor(uninitialized: [count])
        withExtendedLifetime(result) {
            for index in 0..<count { result.pointer[index] = Float(start + Double(index) * step) }
        }
        return result
    }

    /// `first`, `first + step`, … up to `last`, which is among them if it is reached to within a
    /// billionth of a step.
    ///
    /// - Throws: `InvalidValue` if the step is zero, leads away from `last`, or a bound is not
    ///   finite.
    public static func range(from first: Double, through last: Double, by step: Double = 1) throws
        -> Tensor
    {
        guard step.isFinite, step != 0 else {
            throw InvalidValue(
                "step of range", expected: "a finite number other than 0", found: step)
        }
        let steps = (last - first) / step
        guard steps >= 0, steps < 1e12 else {
            throw InvalidValue(
                "last of range", expected: "a finite number reached from \(first) by \(step)",
                found: last)
        }
        return try generate([Int(steps + 1e-9) + 1]) { Float(first + Double($0) * step) }
    }

    /// The identity matrix.
    public static func identity(_ size: Int) throws -> Tensor {
        try generate([size, size]) { $0 / size == $0 % size ? 1 : 0 }
    }

    /// Numbers uniform in `low ..< high`: element i depends on (seed, i) alone.
    public static func uniform(_ shape: [Int], low: Float = 0, high: Float = 1, seed: UInt64) throws
        -> Tensor
    {
        guard (high - low).isFinite else {
            throw InvalidValue(
                "high of uniform", expected: "at most \(Float.greatestFiniteMagnitude) above low",
                found: high)
        }
        let stream = RandomStream(seed: seed, "uniform")
        return try generate(shape) { low + (high - low) * Float(stream.uniform(UInt64($0))) }
    }

    /// Normal numbers: element i depends on (seed, i) alone.
    public static func normal(
        _ shape: [Int], mean: Float = 0, deviation: Float = 1, seed: UInt64
    ) throws -> Tensor {
        let stream = RandomStream(seed: seed, "normal")
        return try generate(shape) { mean + deviation * Float(stream.normal(UInt64($0))) }
    }

    /// A tensor whose element i, in row-major order, is `element(i)`, computed in parallel.
    package static func generate(_ shape: [Int], _ element: @Sendable (Int) -> Float) throws
        -> Tensor
    {
        let result = try Tensor(uninitialized: shape)
        result.fill(element)
        return result
    }

    /// Writes `element(i)` to each element of a contiguous tensor.
    package func fill(_ element: @Sendable (Int) -> Float) {
        let count = self.count
        let block = 4096
        withExtendedLifetime(self) {
            let target = DisjointPlaces(UnsafeMutableBufferPointer(start: pointer, count: count))
            Parallel.forEach((count + block - 1) / block) { unit in
                for index in unit * block..<min(count, (unit + 1) * block) {
                    target[index] = element(index)
                }
            }
        }
    }
}
