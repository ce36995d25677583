import Foundation
import RuntimeModel
import RuntimeSupport

/// A learning rate as it was written: a number, or a part of the recipe's highest.
public struct RateValue: Codable, Hashable, Sendable {
    /// The number, or the part.
    public let value: Double
    /// Whether it is a part of the highest rate.
    public let isOfPeak: Bool

    /// A learning rate.
    public init(_ value: Double) { (self.value, isOfPeak) = (value, false) }

    /// A part of the highest rate.
    public init(ofPeak part: Double) { (value, isOfPeak) = (part, true) }

    /// As people write it: `0.1 of peak`.
    public var description: String { isOfPeak ? "\(value) of peak" : "\(value)" }

    /// The rate when the highest is `peak`.
    public func rate(peak: Double) -> Double { isOfPeak ? value * peak : value }
}

/// A stretch of a learning-rate schedule.
public struct RateSegment: Codable, Hashable, Sendable {
    /// How the rate goes from the segment's first value to its last. With `f` the part of the segment that is done before a
    /// step, 0 at the first step and below 1 at the last, and `a`, `b` the two values:
    public enum Shape: String, Codable, CaseIterable, Sendable {
        /// `a + (b − a)(i + 1)/n` at step `i` of `n`: the last step has `b`.
        case warmup
        /// `a`.
        case constant
        /// `a + (b − a) f`.
        case linear
        /// `b + (a − b)(1 + cos πf)/2`.
        case cosine
        /// `a / √(1 + f ((a/b)² − 1))`, the curve `c/√(t + d)` through both values; without `b`, `a √(t/(t + i))` where the
        /// segment begins at step `t` of the recipe.
        case inverse_sqrt
        /// `a + (b − a) √f` (Hägele et al. 2024, arXiv 2405.18392, section 3).
        case one_minus_sqrt
    }

    /// How the rate changes.
    public var shape: Shape
    /// Steps; below 1, a fraction of all steps of the schedule; `nil` for those that the other segments leave.
    public var steps: Double?
    /// The first value; `nil` for that which the segment before ends with.
    public var from: RateValue?
    /// The last value; `nil` for the first.
    public var to: RateValue?

    /// Creates a segment; see the properties.
    public init(
        _ shape: Shape, steps: Double? = nil, from: RateValue? = nil, to: RateValue? = nil
    ) {
        self.shape = shape
        self.steps = steps
        self.from = from
        self.to = to
    }

    /// As people read it: `linear 20% to 0.0`.
    public var description: String {
        var text = shape.rawValue
        if let steps {
            text += steps < 1 ? " \(Int((100 * steps).rounded()))%" : " \(Int(steps)) steps"
        }
        if let from { text += " from \(from.description)" }
        if let to { text += " to \(to.description)" }
        return text
    }
}

/// The learning rate of every step of a stretch of training.
public struct LearningRates: Sendable {
    private enum Course: Sendable {
        case schedule(LearningRateSchedule)
        case pieces([Piece])
        case sampled([Double])
    }

    private struct Piece: Sendable {
        let start: Int
        let steps: Int
        let shape: RateSegment.Shape
        let from: Double
        let to: Double?
        /// The step of the recipe that the piece begins at.
        let time: Int

        func rate(_ step: Int) -> Double {
            let i = Double(step - start)
            let f = i / Double(steps)
            guard let to else {
                guard shape == .inverse_sqrt else { return from }
                let time = Double(max(1, time))
                return from * (time / (time + i)).squareRoot()
            }
            switch shape {
            case .warmup: return from + (to - from) * (i + 1) / Double(steps)
            case .constant: return from
            case .linear: return from + (to - from) * f
            case .cosine: return to + (from - to) * 0.5 * (1 + cos(.pi * f))
            case .inverse_sqrt:
                let ratio = from / to
                return from / (1 + f * (ratio * ratio - 1)).squareRoot()
            case .one_minus_sqrt: return from + (to - from) * f.squareRoot()
            }
        }

        /// The rate that the piece leads to.
        var end: Double { to ?? rate(start + steps) }
    }

    private let course: Course
    private var offset = 0

    /// The course of a schedule by name.
    init(_ schedule: LearningRateSchedule) { course = .schedule(schedule) }

    /// A rate for each step.
    ///
    /// - Throws: `InvalidValue` naming the first step whose rate is negative or not a number; for another number of steps.
    init(sampled rates: [Double], steps: Int) throws {
        guard rates.count == steps else {
            throw InvalidValue(
                "schedule",
                expected:
                    "a function that was sampled at the \(steps) steps there are now; give it again",
                found: "one sampled at \(rates.count)")
        }
        if let step = rates.firstIndex(where: { !($0 >= 0) || !$0.isFinite }) {
            throw InvalidValue(
                "schedule", expected: "a rate of 0 or more at every step",
                found: "\(rates[step]) at step \(step)")
        }
        course = .sampled(rates)
    }

    /// Segments one after another over `steps` steps.
    ///
    /// - Parameters:
    ///   - peak: What parts of the highest rate are parts of.
    ///   - before: The rate that the first segment begins with unless it says otherwise.
    ///   - time: The step of the recipe at which the first begins.
    /// - Throws: `InvalidValue` naming the segment and the step.
    init(_ segments: [RateSegment], steps: Int, peak: Double, before: Double, time: Int) throws {
        func fail(_ index: Int, _ expected: String, _ found: String) -> InvalidValue {
            InvalidValue("schedule[\(index + 1)]", expected: expected, found: found)
        }
        guard !segments.isEmpty else {
            throw InvalidValue("schedule", expected: "at least one segment", found: "none")
        }
        let open = segments.indices.filter { segments[$0].steps == nil }
        guard open.count <= 1 else {
            throw fail(
                open[1], "steps, as segment \(open[0] + 1) takes those that are left", "none")
        }
        var counts = try segments.enumerated().map { index, segment -> Int in
            guard let written = segment.steps else { return 0 }
            guard written.isFinite, written >= 0, written <= 0x1p32 else {
                throw fail(index, "steps from 0, or a fraction below 1", "\(written)")
            }
            return Int((written < 1 ? written * Double(steps) : written).rounded())
        }
        let sum = counts.reduce(0, +)
        if let open = open.first {
            guard sum <= steps else {
                throw fail(open, "steps that are left of \(steps)", "other segments of \(sum)")
            }
            counts[open] = steps - sum
        }
        var pieces: [Piece] = []
        var (start, rate) = (0, before)
        for (index, segment) in segments.enumerated() {
            let from = segment.from?.rate(peak: peak) ?? rate
            let to = segment.to?.rate(peak: peak)
            for value in [from, to ?? 0] where !(value >= 0) || !value.isFinite {
                throw fail(index, "rates of 0 or more", "\(value) at step \(start)")
            }
            guard segment.shape != .inverse_sqrt || to ?? 1 > 0 else {
                throw fail(
                    index, "a rate above 0 at the end of inverse_sqrt, which never reaches 0", "0")
            }
            guard segment.shape == .constant || segment.shape == .inverse_sqrt || to != nil else {
                throw fail(index, "`to`, the rate that \(segment.shape.rawValue) ends with", "none")
            }
            guard segment.shape != .constant || to == nil || to == from else {
                throw fail(index, "no `to`, as a constant segment does not change", "\(to ?? 0)")
            }
            let end = start + counts[index]
            guard end <= steps else {
                throw fail(
                    index, "segments of \(steps) steps in all",
                    "one that goes on from step \(steps) to step \(end)")
            }
            guard counts[index] > 0 else {
                // A segment that is too short for a step still leads to its last rate.
                rate = to ?? from
                continue
            }
            let piece = Piece(
                start: start, steps: counts[index], shape: segment.shape, from: from, to: to,
                time: time + start)
            pieces.append(piece)
            (start, rate) = (end, piece.end)
        }
        guard start == steps else {
            throw InvalidValue(
                "schedule", expected: "segments of \(steps) steps in all",
                found: "a gap from step \(start) on")
        }
        course = .pieces(pieces)
    }

    /// The same rates without those of the first `steps` steps.
    func shifted(by steps: Int) -> LearningRates {
        var result = self
        result.offset += steps
        return result
    }

    /// The rate used by step `step`, counted from 0; beyond the end, that of the end.
    public func rate(atStep step: Int) -> Double {
        let step = step + offset
        switch course {
        case .schedule(let schedule): return schedule.rate(atStep: step)
        case .sampled(let rates): return rates[min(step, rates.count - 1)]
        case .pieces(let pieces):
            var (low, high) = (0, pieces.count - 1)
            while low < high {
                let middle = (low + high + 1) / 2
                if pieces[middle].start <= step { low = middle } else { high = middle - 1 }
            }
            let piece = pieces[low]
            return step < piece.start + piece.steps ? piece.rate(step) : piece.end
        }
    }
}
