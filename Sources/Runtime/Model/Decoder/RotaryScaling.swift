import Foundation
import RuntimeSupport

/// How the wavelengths of rotary positions were stretched when a model was trained for a longer context.
public struct RotaryScaling: Codable, Hashable, Sendable {
    /// The way of stretching, as Hugging Face's `rope_type` has it.
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// All wavelengths alike (Chen et al. 2023, arXiv 2306.15595).
        case linear
        /// Short ones not, long ones alike, those between gradually (Llama 3, arXiv 2407.21783).
        case llama3
        /// The same by the number of turns, with sharper attention (Peng et al. 2023, arXiv 2309.00071).
        case yarn
        /// Not at all within the context that the file states, to which the model is held.
        case dynamic
    }

    /// The way of stretching.
    public var kind: Kind
    /// How far the longest wavelengths are stretched.
    public var factor: Double
    /// The context before; of `dynamic`, the longest that needs no stretching.
    public var originalContext: Int?
    /// `llama3`: the original context over the longest wavelength that is stretched in part; `yarn`: its turns.
    public var low: Double?
    /// The same for the shortest.
    public var high: Double?
    /// `yarn`: the factor of sines and cosines; `nil` for `0.1 ln factor + 1`.
    public var attentionFactor: Double?
    /// `yarn`: whether the places between which stretching changes are rounded outwards; `nil` for yes.
    public var rounds: Bool?

    /// Creates a scaling.
    public init(
        _ kind: Kind, factor: Double, originalContext: Int? = nil, low: Double? = nil,
        high: Double? = nil
    ) {
        self.kind = kind
        self.factor = factor
        self.originalContext = originalContext
        self.low = low
        self.high = high
    }

    /// Checks every field for a context.
    ///
    /// - Throws: `InvalidValue` naming the field.
    func validate(context: Int) throws {
        func check(_ name: String, _ value: Double?, _ range: PartialRangeFrom<Double>) throws {
            guard let value else { return }
            guard range.contains(value), value <= 1e9 else {
                throw InvalidValue(
                    "rotary_scaling.\(name)",
                    expected: "a number from \(range.lowerBound) to 1e9", found: value)
            }
        }
        try check("factor", factor, 1...)
        try check("low", low, 1e-3...)
        try check("high", high, 1e-3...)
        try check("attention_factor", attentionFactor, 1e-3...)
        guard let originalContext else {
            guard kind == .linear else {
                throw InvalidValue(
                    "rotary_scaling.original_context", expected: "a whole number", found: "nothing")
            }
            return
        }
        guard (1...1 << 24).contains(originalContext) else {
            throw InvalidValue(
                "rotary_scaling.original_context", expected: "a whole number from 1 to \(1 << 24)",
                found: originalContext)
        }
        if kind == .llama3, let low, let high, low >= high {
            throw InvalidValue("rotary_scaling.low", expected: "less than \(high)", found: low)
        }
        if kind == .dynamic, context > originalContext {
            throw InvalidValue(
                "context",
                expected: "at most \(originalContext), beyond which dynamic rotary scaling would "
                    + "change with the length of the text", found: context)
        }
    }

    /// The factor of sines and cosines.
    var anglesFactor: Float {
        guard kind == .yarn else { return 1 }
        return Float(attentionFactor ?? (factor <= 1 ? 1 : 0.1 * log(factor) + 1))
    }

    /// Frequencies after stretching, in 32 bits as transformers computes them.
    func stretched(_ frequencies: [Float], base: Double) -> [Float] {
        let factor = Float(factor)
        switch kind {
        case .dynamic: return frequencies
        case .linear: return frequencies.map { $0 / factor }
        case .llama3:
            let context = Float(originalContext ?? 1)
            let (low, high) = (Float(low ?? 1), Float(high ?? 4))
            return frequencies.map { frequency in
                let wavelength = 2 * Float.pi / frequency
                if wavelength < context / high { return frequency }
                if wavelength > context / low { return frequency / factor }
                let smooth = (context / wavelength - low) / (high - low)
                return (1 - smooth) * frequency / factor + smooth * frequency
            }
        case .yarn:
            let (first, last) = yarnPlaces(rotated: 2 * frequencies.count, base: base)
            return frequencies.enumerated().map { place, frequency in
                let ramp = min(max((Float(place) - first) / (last - first), 0), 1)
                return frequency / factor * ramp + frequency * (1 - ramp)
            }
        }
    }

    /// Between which pairs of a head stretching grows from none to all.
    private func yarnPlaces(rotated: Int, base: Double) -> (Float, Float) {
        let context = Double(originalContext ?? 1)
        func place(_ turns: Double) -> Double {
            Double(rotated) * log(context / (turns * 2 * .pi)) / (2 * log(base))
        }
        var (first, last) = (place(high ?? 32), place(low ?? 1))
        if rounds != false { (first, last) = (first.rounded(.down), last.rounded(.up)) }
        (first, last) = (max(first, 0), min(last, Double(rotated - 1)))
        if first == last { last += 0.001 }
        return (Float(first), Float(last))
    }
}
