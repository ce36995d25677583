import Foundation
import RuntimeData
import RuntimeStore
import RuntimeTraining

/// The first step at which a design's mean loss on valid is surely below a goal.
public struct StepsTo: Sendable {
    /// One design.
    public struct Line: Sendable {
        /// The arms' name and parameters but the seed.
        public let label: String
        /// The first step; `nil` when there is none.
        public let step: Int?
        /// The mean over seeds at that step, or at the last.
        public let mean: Double
        /// The upper limit of the mean there; `nil` for one seed.
        public let high: Double?
        /// How many seeds.
        public let seeds: Int
        /// Why there is no step.
        public let refusal: String?
    }

    /// The corpus.
    public let corpus: String
    /// The loss to be reached.
    public let goal: Double
    /// How sure it is to be.
    public let confidence: Double
    /// The designs in order of the study's arms.
    public let lines: [Line]

    /// - Parameters:
    ///   - goal: A loss in nats a token.
    ///   - confidence: Of the one-sided limit of Student's t that must be below the goal.
    /// - Throws: `FrameError` when no loss of the corpus was recorded on the way.
    public init(
        _ result: StudyResult, corpus: String, goal: Double, confidence: Double, store: Store
    ) throws {
        let (groups, known) = try result.validLosses(of: corpus, store)
        guard !groups.isEmpty else {
            throw FrameError(
                "steps_to",
                "no valid loss of \(corpus) was recorded on the way"
                    + (known.isEmpty ? "" : "; known: \(known.joined(separator: ", "))")
                    + "; study:run { evaluate_every = … } records it while arms are trained")
        }
        self.corpus = corpus
        self.goal = goal
        self.confidence = confidence
        lines = groups.map { Self.line($0.label, $0.courses, goal, confidence) }
    }

    private static func line(
        _ label: String, _ courses: [[Int: Double]], _ goal: Double, _ confidence: Double
    ) -> Line {
        // Two-sided intervals leave out half of what one-sided limits do.
        let steps = courses.dropFirst().reduce(Set(courses[0].keys)) { $0.intersection($1.keys) }
        let estimates = steps.sorted().map { step in
            (step, Estimate(courses.compactMap { $0[step] }, confidence: 2 * confidence - 1))
        }
        func high(_ estimate: Estimate) -> Double? { estimate.halfWidth.map { estimate.mean + $0 } }
        let first = estimates.first { high($0.1).map { $0 < goal } ?? false }
        let shown = first ?? estimates.last
        var refusal: String?
        if first == nil {
            let mean = shown.map { String(format: "%.4f", $0.1.mean) } ?? "–"
            refusal =
                courses.count < 2
                ? "one seed says nothing of how sure it is"
                : shown.map {
                    "not by step \($0.0), where the mean is \(mean) and may be \(String(format: "%.4f", high($0.1) ?? .nan))"
                } ?? "no step at which every seed was measured"
        }
        return Line(
            label: label, step: first?.0, mean: shown?.1.mean ?? .nan,
            high: shown.flatMap { high($0.1) }, seeds: courses.count, refusal: refusal)
    }

    /// For people, scripts and reports.
    public func finding(notes: [String] = []) -> Finding {
        Finding(
            "Steps until the valid loss of \(corpus) is below \(goal)",
            columns: ["arm", "step", "mean", "limit", "seeds", "outside"],
            rows: lines.map { line in
                [
                    .plain(.text(StudyResult.plain(line.label))),
                    .plain(line.step.map(ResultValue.integer) ?? .missing),
                    .number(line.mean.isFinite ? line.mean : nil), .number(line.high),
                    .plain(.integer(line.seeds)),
                    .plain(line.refusal.map(ResultValue.text) ?? .missing),
                ]
            },
            notes: [
                "The first measured step at which the upper limit of the mean over seeds (Student's t, one-sided, \(confidence)) is below. Steps between evaluations are not looked at."
            ] + notes)
    }
}

extension StudyResult {
    /// The recorded losses of a corpus on valid by step, for each arm that has any, by kind of arm; and the names of all
    /// corpora that have some.
    ///
    /// - Throws: `RegistryError`.
    package func validLosses(of corpus: String, _ store: Store) throws -> (
        groups: [(label: String, courses: [[Int: Double]])], known: [String]
    ) {
        var known: Set<String> = []
        var groups: [(label: String, courses: [[Int: Double]])] = []
        for row in rows {
            guard let last = row.base?.keys.last else { continue }
            let all = try store.registry.evaluations(last).filter {
                $0.split == Split.valid.rawValue
            }
            known.formUnion(all.map(\.name))
            let found = all.filter { $0.name == corpus }
            guard !found.isEmpty else { continue }
            let course = Dictionary(
                found.map { ($0.step, $0.evaluation.loss) }, uniquingKeysWith: { first, _ in first }
            )
            let label = row.arm.withoutSeeds.label
            if let place = groups.firstIndex(where: { $0.label == label }) {
                groups[place].courses.append(course)
            } else {
                groups.append((label, [course]))
            }
        }
        return (groups, known.sorted())
    }
}
