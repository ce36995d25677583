import Foundation
import RuntimeSupport

/// Weights of sources that change from step to step over a phase.
public struct MixtureRamp: Hashable, Sendable, CustomStringConvertible {
    /// How one weight changes.
    public enum Course: Hashable, Sendable {
        /// It does not.
        case constant(Double)
        /// In a straight line, the first value at the first step and the second at the last.
        case linear(Double, Double)
        /// Along half a cosine, flat at both ends.
        case cosine(Double, Double)
        /// A value for each step.
        case sampled([Double])
        /// What the others leave of 1.
        case rest

        /// The first value and the last, where the course is between two.
        var ends: (Double, Double)? {
            switch self {
            case .linear(let first, let last), .cosine(let first, let last): (first, last)
            default: nil
            }
        }
    }

    /// One source.
    public struct Part: Hashable, Sendable {
        /// The source's name.
        public let name: String
        /// Its weight.
        public let course: Course

        /// Creates a part.
        public init(_ name: String, _ course: Course) {
            self.name = name
            self.course = course
        }
    }

    /// The sources in order of their names.
    public private(set) var parts: [Part]
    /// Steps from the first weights to the last ones; the last weights stay after them.
    public let steps: Int

    /// Takes the weights of `steps` steps, which sum to 1 within 0.000001 at each.
    ///
    /// - Throws: `MixtureError` naming the step and the weight that is negative, above 1 or not a number, or the sum; the
    ///   name given twice; two rests; samples that are not one for each step.
    public init(_ parts: [Part], steps: Int) throws {
        guard steps >= 1, steps <= Self.mostSteps else {
            throw MixtureError(
                "mixture",
                "weights that change expected over 1 to \(Self.mostSteps) steps, got \(steps)")
        }
        for part in parts where steps == 1 {
            guard let (first, last) = part.course.ends, first != last else { continue }
            throw MixtureError(
                "mixture",
                "the weight of \"\(part.name)\" goes from \(first) to \(last), for which the phase of 1 step is too short"
            )
        }
        let parts = parts.sorted { $0.name < $1.name }
        self.parts = parts
        self.steps = steps
        let names = self.parts.map(\.name)
        for (name, next) in zip(names, names.dropFirst()) where name == next {
            throw MixtureError("mixture", "\"\(name)\" is named twice")
        }
        guard !parts.isEmpty, parts.count <= 256 else {
            throw MixtureError("mixture", "expected 1 to 256 sources, got \(parts.count)")
        }
        guard parts.count(where: { $0.course == .rest }) <= 1 else {
            throw MixtureError("mixture", "only one weight can be the rest")
        }
        for part in parts {
            if case .sampled(let values) = part.course, values.count != steps {
                throw MixtureError(
                    "mixture",
                    "the weight of \"\(part.name)\" was sampled at \(values.count) steps, but the phase has "
                        + "\(steps); give the function to the recipe of that many steps")
            }
        }
        for step in checkedSteps { try check(step) }
        let means = means
        self.parts = zip(parts, means).filter { $0.1 > 0 }.map(\.0)
    }

    /// The most steps that weights may change over.
    public static let mostSteps = 10_000_000

    /// The steps whose weights can be wrong when no others are: all where something is sampled.
    private var checkedSteps: [Int] {
        let isSampled = parts.contains { if case .sampled = $0.course { true } else { false } }
        // Straight lines and cosines lie between their ends, and a sum of both is furthest from 1 at a quarter, if it is 1 at
        // both ends.
        return isSampled ? Array(0..<steps) : [0, steps / 4, steps / 2, steps - 1]
    }

    private func check(_ step: Int) throws {
        let values = weights(step)
        for (part, value) in zip(parts, values) {
            // A rest of 1 − 0.9 − 0.1 is a rounding error below 0.
            guard value.isFinite, value >= (part.course == .rest ? -1e-6 : 0), value <= 1 + 1e-6
            else {
                throw MixtureError(
                    "mixture",
                    "weight of \"\(part.name)\" at step \(step) of the phase: expected 0 ... 1, got \(value)"
                )
            }
        }
        let sum = values.reduce(0, +)
        guard abs(sum - 1) <= 1e-6 else {
            let list = zip(parts, values).map { "\($0.name) = \(Self.decimal($1))" }
            throw MixtureError(
                "mixture",
                "the weights must sum to 1 at every step, but at step \(step) of the phase "
                    + "\(list.joined(separator: ", ")) sum to \(Self.decimal(sum))")
        }
    }

    /// The weights of a step of the phase, in the order of `parts`.
    private func weights(_ step: Int) -> [Double] {
        let place = min(step, steps - 1)
        let progress = steps > 1 ? Double(place) / Double(steps - 1) : 0
        var values = parts.map { part -> Double in
            switch part.course {
            case .constant(let value): value
            case .linear(let first, let last): first + (last - first) * progress
            case .cosine(let first, let last):
                first + (last - first) * 0.5 * (1 - cos(.pi * progress))
            case .sampled(let values): values[place]
            case .rest: 0
            }
        }
        if let rest = parts.firstIndex(where: { $0.course == .rest }) {
            values[rest] = 1 - values.reduce(0, +)
        }
        return values
    }

    /// The shares of a step of the phase in millionths, which sum to `Mixture.whole`, in the order of `parts`.
    public func shares(_ step: Int) -> [Int] {
        Mixture.shares(weights(step).map { max(0, $0) })
    }

    /// The mean over all steps: what the phase reads in all.
    ///
    /// - Throws: `MixtureError` when it cannot be held in millionths.
    public func mean() throws -> Mixture {
        let means = means
        let sum = means.reduce(0, +)
        return try Mixture(
            zip(parts, means).map { (name: $0.name, weight: $1 == 0 ? 0 : max(1e-6, $1 / sum)) },
            tolerance: 1e-3)
    }

    /// The mean weight of each part; both courses between two values have their middle as mean.
    private var means: [Double] {
        var means = parts.map { part -> Double in
            switch part.course {
            case .constant(let value): value
            case .linear(let first, let last), .cosine(let first, let last): (first + last) / 2
            case .sampled(let values): values.reduce(0, +) / Double(values.count)
            case .rest: 0
            }
        }
        if let rest = parts.firstIndex(where: { $0.course == .rest }) {
            let left = 1 - means.reduce(0, +)
            means[rest] = left < 1e-6 ? 0 : left
        }
        return means
    }

    /// `code 0 → 0.3 (linear), web 1 → 0.7 (rest)`.
    public var description: String {
        let (first, last) = (shares(0), shares(steps - 1))
        return parts.indices.map { index in
            let ends = [first[index], last[index]].map { Self.decimal(Double($0) / 1e6) }
            let course =
                switch parts[index].course {
                case .constant: ""
                case .linear: " (linear)"
                case .cosine: " (cosine)"
                case .sampled: " (function)"
                case .rest: ends[0] == ends[1] ? "" : " (rest)"
                }
            let name = parts[index].name
            return course.isEmpty
                ? "\(name) \(ends[0])" : "\(name) \(ends[0]) → \(ends[1])\(course)"
        }.joined(separator: ", ")
    }

    private static func decimal(_ value: Double) -> String { String(format: "%.6g", value) }
}
