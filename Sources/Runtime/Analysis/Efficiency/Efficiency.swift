import Foundation
import RuntimeEvaluation
import RuntimeTraining

/// How many times the training of a reference a design is worth.
///
/// The reference was trained for several amounts; with each seed a power law is fitted to its values, and read backwards at the
/// value of a design with the same seed: so much of the reference's training gives as much. Its ratio to the design's own
/// amount is the design's efficiency. Means and intervals are of logarithms over seeds. Nothing is read off beyond the amounts
/// that the reference was trained for.
public struct Efficiency: Sendable {
    /// What an amount of training is counted in.
    public enum Unit: String, CaseIterable, Sendable {
        /// Tokens of pretraining and midtraining.
        case tokens
        /// Floating-point operations of these.
        case flops
    }

    /// One design.
    public struct Line: Sendable {
        /// The arms' name and parameters but the seed.
        public let label: String
        /// Amount of training, the mean over seeds.
        public let amount: Double
        /// The measured value, the mean over seeds.
        public let value: Double
        /// How many times the reference's training; `nil` where a seed is outside of the reference's curve.
        public let factor: Interval?
        /// The seeds that have both a curve and the design.
        public let seeds: Int
        /// Why there is no factor.
        public let refusal: String?
    }

    /// What amounts are counted in.
    public let unit: Unit
    /// The column.
    public let column: String
    /// The reference's law by seed, in order.
    public let laws: [(seed: String, law: PowerLaw)]
    /// The designs in order of the study's arms.
    public let lines: [Line]

    /// - Parameters:
    ///   - result: The designs; rows that are also in `reference` are left out.
    ///   - reference: Arms of one design, trained for at least three amounts with every seed.
    ///   - column: What was measured.
    /// - Throws: `FrameError` and `RecipeError` saying what the reference lacks.
    public init(
        _ result: StudyResult, against reference: StudyResult, column: String, in unit: Unit
    )
        throws
    {
        let (measured, known) = (try result.measured(column), try reference.measured(column))
        let name = result.measured.first { column == $0.name || column == "\($0.name)_before" }
        let better = name?.better
        let curves = Self.bySeed(reference.rows, unit, known)
        guard !curves.isEmpty else {
            throw FrameError("against", "no arm of the reference has a value of \(column)")
        }
        laws = try curves.map { seed, points in
            let place = "efficiency: the reference with seed \(seed.isEmpty ? "–" : seed)"
            let law = try PowerLaw(points, for: place)
            let rises = law.scale < 0
            if let better, rises != (better == .higher) {
                throw FrameError(
                    place,
                    "\(column) gets worse with more training; a curve that gets better is what amounts are read off"
                )
            }
            return (seed, law)
        }
        let own = Set(reference.rows.map(\.arm.label))
        var order: [String] = []
        var groups: [String: [StudyResult.Row]] = [:]
        for row in result.rows where !own.contains(row.arm.label) {
            let label = row.arm.withoutSeeds.label
            if groups[label] == nil { order.append(label) }
            groups[label, default: []].append(row)
        }
        let fitted = laws
        self.column = column
        self.unit = unit
        lines = order.compactMap { label in
            Self.line(label, Self.bySeed(groups[label] ?? [], unit, measured), fitted)
        }
        guard !lines.isEmpty else {
            throw FrameError(
                "efficiency", "no arm beside those of the reference has a value of \(column)")
        }
    }

    private static func line(
        _ label: String, _ groups: [(seed: String, points: [(amount: Double, value: Double)])],
        _ laws: [(seed: String, law: PowerLaw)]
    ) -> Line? {
        let points = groups.compactMap {
            seed, points -> (seed: String, amount: Double, value: Double, law: PowerLaw)? in
            guard let law = laws.first(where: { $0.seed == seed })?.law, !points.isEmpty else {
                return nil
            }
            // Finetunings of one trunk are one value.
            return (
                seed, Samples.mean(points.map(\.amount)), Samples.mean(points.map(\.value)), law
            )
        }
        guard !points.isEmpty else { return nil }
        var refusal: String?
        var logs: [Double] = []
        for point in points {
            guard let amount = point.law.amount(of: point.value) else {
                let range = point.law.range
                let best = point.law.value(at: range.upperBound)
                let isBetter = (point.value - best) * (point.law.scale > 0 ? -1 : 1) > 0
                let value = String(format: "%.4f", point.value)
                refusal =
                    isBetter
                    ? "seed \(point.seed): \(value) is better than the reference with its largest amount (\(String(format: "%.4f", best))): more than \(String(format: "%.2f", range.upperBound / point.amount)) times"
                    : "seed \(point.seed): \(value) is worse than the reference with its smallest amount (\(String(format: "%.4f", point.law.value(at: range.lowerBound)))): less than \(String(format: "%.2f", range.lowerBound / point.amount)) times"
                break
            }
            logs.append(log(amount / point.amount))
        }
        let estimate = Estimate(logs)
        let factor =
            refusal == nil
            ? Interval(
                exp(estimate.mean), low: estimate.halfWidth.map { exp(estimate.mean - $0) },
                high: estimate.halfWidth.map { exp(estimate.mean + $0) }) : nil
        return Line(
            label: label, amount: Samples.mean(points.map(\.amount)),
            value: Samples.mean(points.map(\.value)), factor: factor, seeds: points.count,
            refusal: refusal)
    }

    /// Amounts and values by the seed of the trunk, in order of first appearance.
    private static func bySeed(
        _ rows: [StudyResult.Row], _ unit: Unit, _ value: (StudyResult.Row) -> Double?
    ) -> [(seed: String, points: [(amount: Double, value: Double)])] {
        var groups: [(seed: String, points: [(amount: Double, value: Double)])] = []
        for row in rows {
            guard let value = value(row), let base = row.base else { continue }
            let seed = row.arm.parameter("seed")?.description ?? ""
            let point = (amount: amount(base, unit), value: value)
            if let place = groups.firstIndex(where: { $0.seed == seed }) {
                groups[place].points.append(point)
            } else {
                groups.append((seed, [point]))
            }
        }
        return groups
    }

    /// What a trajectory trained on, finetuning apart.
    static func amount(_ base: Trajectory, _ unit: Unit) -> Double {
        let total = base.exposure(at: base.steps).total
        let tokens = total.entries.values.reduce(0.0) { $0 + Double($1.tokens) }
        let model = base.recipe.model
        return unit == .tokens
            ? tokens : tokens * model.trainingOperationsPerToken(columns: model.context)
    }
}

extension Efficiency {
    /// For people, scripts and reports.
    public func finding(reference: String, notes: [String] = []) -> Finding {
        let amount = unit == .tokens ? "tokens" : "flops"
        let rows: [[FindingCell]] = lines.map { line in
            [
                .plain(.text(StudyResult.plain(line.label))), .number(line.amount),
                .number(line.value), .interval(ifKnown: line.factor), .plain(.integer(line.seeds)),
                .plain(line.refusal.map(ResultValue.text) ?? .missing),
            ]
        }
        let laws = laws.map { seed, law in
            "Reference\(seed.isEmpty ? "" : " with seed \(seed)"): "
                + String(format: "%.4f ", law.limit) + (law.scale < 0 ? "− " : "+ ")
                + String(format: "%.4g · ", abs(law.scale)) + amount
                + String(
                    format: "^−%.4f, residual %.2g, over %.4g to %.4g ", law.exponent, law.residual,
                    law.range.lowerBound, law.range.upperBound) + amount + "."
        }
        let exact = self.laws.contains { $0.law.residual < 1e-9 }
        return Finding(
            "How many times the \(amount) of \(reference) reach the same \(column)",
            columns: ["arm", amount, column, "times", "seeds", "outside"], rows: rows,
            values: self.laws.flatMap { seed, law in
                [("limit", law.limit), ("scale", law.scale), ("exponent", law.exponent)].map {
                    (name: $0.0 + (seed.isEmpty ? "" : "_seed_\(seed)"), value: .number($0.1))
                }
            },
            notes: [
                "The reference's power law with each seed, read backwards at the arm's value with the same seed; geometric means with Student's 95% interval of the logarithms over seeds. Nothing is read off beyond the reference's amounts."
            ] + laws
                + (exact ? ["A law through three amounts fits them whatever they are."] : [])
                + notes)
    }
}
