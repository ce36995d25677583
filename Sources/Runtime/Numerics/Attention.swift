import Foundation
import RuntimeSupport

/// The angles of rotary position embedding: `position · base^(−2i/rotated)`.
///
/// Su et al. 2021, arXiv 2104.09864.
public final class RotaryAngles {
    /// How many leading numbers of each head turn; even.
    public let rotated: Int
    /// Positions covered.
    public let positions: Int
    package let cosine: Tensor
    package let sine: Tensor

    /// Computes the angles in 32 bits, as Hugging Face's transformers does.
    ///
    /// - Throws: `InvalidValue` if `rotated` is odd or negative.
    public convenience init(rotated: Int, positions: Int, base: Float = 10_000) throws {
        guard rotated >= 0, rotated % 2 == 0 else {
            throw InvalidValue("rotated", expected: "an even number of 0 or more", found: rotated)
        }
        try self.init(
            frequencies: Self.frequencies(rotated: rotated, base: base), positions: positions)
    }

    /// `base^(−2i/rotated)` for each pair of numbers that turns.
    package static func frequencies(rotated: Int, base: Float) -> [Float] {
        (0..<rotated / 2).map { 1 / powf(base, Float(2 * $0) / Float(rotated)) }
    }

    /// Computes the angles `position · frequency` in 32 bits.
    ///
    /// - Parameters:
    ///   - frequencies: One for each pair of numbers that turns.
    ///   - factor: Multiplies sines and cosines.
    package init(frequencies: [Float], positions: Int, factor: Float = 1) throws {
        rotated = 2 * frequencies.count
        self.positions = positions
        let half = frequencies.count
        cosine = try Tensor.generate([positions, half]) {
            cosf(Float($0 / half) * frequencies[$0 % half]) * factor
        }
        sine = try Tensor.generate([positions, half]) {
            sinf(Float($0 / half) * frequencies[$0 % half]) * factor
        }
    }

    /// The angles from position `start` on.
    package func from(_ start: Int) -> (cosine: Tensor, sine: Tensor) {
        let half = rotated / 2
        func tail(_ table: Tensor) -> Tensor {
            Tensor(table.storage, shape: [positions - start, half], offset: start * half)
        }
        return (tail(cosine), tail(sine))
    }
}

extension Tensor {
    /// Causal self-attention on joint queries, keys and values.
    ///
    /// Position t sees positions 0 … t of its row; scores are `q·k / √size`. Only causal work is
    /// done and no `[columns, columns]` matrix is kept.
    ///
    /// - Parameters:
    ///   - rows: sequences in the batch.
    ///   - heads: attention heads; the last axis is `heads × (query, key, value) × size`.
    ///   - angles: rotary angles that cover all positions.
    /// - Returns: shape `[rows · columns, heads · size]`.
    public func causalAttention(
        rows: Int, heads: Int, angles: RotaryAngles, precision: Precision = .float32
    ) throws -> Tensor {
        let geometry = try attentionShape(
            rows: rows, heads: heads, angles: angles, precision: precision)
        let (columns, size) = (geometry.time, geometry.size)
        let q = try Tensor(uninitialized: geometry.headed)
        let k = try Tensor(uninitialized: geometry.headed)
        let v = try Tensor(uninitialized: geometry.headed)
        let out = try Tensor(uninitialized: [rows * columns, heads * size])
        let lse = try Tensor(uninitialized: [rows, heads, columns])
        Kernels.splitHeads(
            geometry, try packed(), cosine: angles.cosine, sine: angles.sine, q: q, k: k, v: v)
        try Kernels.attend(geometry, q: q, k: k, v: v, into: out, lse: lse)
        return Tensor.record(out, [self]) { gradient, nodes in
            guard let node = nodes[0] else { return }
            let headed = [rows, heads, columns, size]
            let dq = try Tensor(uninitialized: headed)
            let dk = try Tensor(uninitialized: headed)
            let dv = try Tensor(uninitialized: headed)
            try Kernels.attendGradient(
                geometry, q: q, k: k, v: v, out: out, lse: lse, dout: try gradient.packed(), dq: dq,
                dk: dk, dv: dv)
            let (dqkv, beta) = try node.accumulator()
            Kernels.splitHeadsGradient(
                geometry, dq: dq, dk: dk, dv: dv, cosine: angles.cosine, sine: angles.sine,
                into: dqkv, beta: beta)
        }
    }

    /// The geometry of attention on this tensor of joint queries, keys and values.
    ///
    /// - Throws: `ShapeError` if it, the heads and the angles do not fit.
    func attentionShape(
        rows: Int, heads: Int, angles: RotaryAngles, precision: Precision
    ) throws -> Kernels.AttentionShape {
        guard rank == 2, rows > 0, heads > 0, shape[0] % rows == 0, shape[1] % (3 * heads) == 0
        else {
            throw ShapeError(
                "attention", [shape],
                expected: "[rows · columns, 3 · heads · size] with \(rows) rows, \(heads) heads")
        }
        let columns = shape[0] / rows
        let size = shape[1] / (3 * heads)
        guard size <= Kernels.AttentionShape.largestHead, angles.rotated <= size,
            columns <= angles.positions
        else {
            throw ShapeError(
                "attention", [shape],
                expected:
                    "heads of \(angles.rotated) … \(Kernels.AttentionShape.largestHead) numbers "
                    + "and at most \(angles.positions) columns")
        }
        return Kernels.AttentionShape(
            batch: rows, time: columns, heads: heads, size: size, rotated: angles.rotated,
            precision: precision,
            isHalf: precision == .bfloat16 && Kernels.attendsHalf(size: size))
    }
}
