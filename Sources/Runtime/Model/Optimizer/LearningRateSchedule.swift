import Foundation
import RuntimeSupport

/// The learning rate at each step of a whole recipe, so that a branch keeps the schedule of its
/// trunk.
public struct LearningRateSchedule: Codable, Hashable, Sendable {
    /// The course after warm-up.
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// Half a cosine from peak to minimum.
        case cosine
        /// The peak, then down in a straight line to the minimum over the last `decaySteps`.
        case wsd
        /// A straight line from peak to minimum.
        case linear
        /// The peak throughout.
        case constant
        /// The curve `c/√(t + d)` from peak to minimum.
        case inverse_sqrt
        /// The peak less a part that grows as the square root of the steps, down to the minimum.
        case one_minus_sqrt
    }

    /// The course after warm-up.
    public var kind: Kind
    /// The largest rate.
    public var peak: Double
    /// The rate at the end; `constant` ignores it.
    public var minimum: Double
    /// Steps of straight rise from 0 to the peak.
    public var warmupSteps: Int
    /// Steps of the whole recipe.
    public var totalSteps: Int
    /// Steps of fall at the end of `wsd`; the others ignore it.
    public var decaySteps: Int

    /// Creates a schedule.
    public init(
        kind: Kind, peak: Double, minimum: Double = 0, warmupSteps: Int = 0, totalSteps: Int,
        decaySteps: Int = 0
    ) {
        self.kind = kind
        self.peak = peak
        self.minimum = minimum
        self.warmupSteps = warmupSteps
        self.totalSteps = totalSteps
        self.decaySteps = decaySteps
    }

    /// Checks every field, alone and together.
    ///
    /// - Throws: `InvalidValue` naming the field.
    public func validate() throws {
        guard peak.isFinite, peak >= 0 else {
            throw InvalidValue("learning_rate", expected: "0 or a positive number", found: peak)
        }
        guard minimum.isFinite, minimum >= 0, kind == .constant || minimum <= peak else {
            throw InvalidValue(
                "minimum", expected: "a number from 0 to the peak \(peak)", found: minimum)
        }
        guard kind != .inverse_sqrt || minimum > 0 || peak == 0 else {
            throw InvalidValue(
                "minimum", expected: "a number above 0, as inverse_sqrt never reaches 0",
                found: minimum)
        }
        guard totalSteps > 0 else {
            throw InvalidValue("steps", expected: "a positive whole number", found: totalSteps)
        }
        guard warmupSteps >= 0, warmupSteps <= totalSteps else {
            throw InvalidValue("warmup", expected: "0 … \(totalSteps) steps", found: warmupSteps)
        }
        guard kind != .wsd || (decaySteps >= 0 && decaySteps <= totalSteps - warmupSteps) else {
            throw InvalidValue(
                "decay", expected: "0 … \(totalSteps - warmupSteps) steps, what warm-up leaves",
                found: decaySteps)
        }
    }

    /// The rate used by step `step`, counted from 0; beyond the end, that of the end.
    ///
    /// Warm-up: `peak (step + 1) / warmupSteps`. After it, with `f` the part of the fall that is
    /// done, 0 at its first step and approaching 1 after its last: cosine `minimum + (peak −
    /// minimum)(1 + cos πf)/2`, linear `peak + (minimum − peak) f`, inverse_sqrt `peak / √(1 + f
    /// ((peak/minimum)² − 1))`, one_minus_sqrt `peak + (minimum − peak) √f`.
    public func rate(atStep step: Int) -> Double {
        if step < warmupSteps { return peak * Double(max(0, step) + 1) / Double(warmupSteps) }
        let start = kind == .wsd ? max(warmupSteps, totalSteps - decaySteps) : warmupSteps
        guard kind != .constant, step >= start else { return peak }
        guard totalSteps > start else { return kind == .wsd ? peak : minimum }
        let done = min(1, Double(step - start) / Double(totalSteps - start))
        switch kind {
        case .cosine: return minimum + (peak - minimum) * 0.5 * (1 + cos(.pi * done))
        case .linear, .wsd: return peak + (minimum - peak) * done
        case .constant: return peak
        case .inverse_sqrt:
            guard peak > 0 else { return 0 }
            let ratio = peak / minimum
            return peak / (1 + done * (ratio * ratio - 1)).squareRoot()
        case .one_minus_sqrt: return peak + (minimum - peak) * done.squareRoot()
        }
    }
}
