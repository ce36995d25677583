import RuntimeData
import RuntimeEvaluation
import RuntimeSupport

/// What a study found: one row for each arm.
public struct StudyResult {
    /// A finetuning of an arm at one learning rate.
    public struct Candidate {
        /// Its settings.
        public let settings: Finetuning
        /// Its states.
        public let trajectory: Trajectory
        /// What was measured of its last state.
        public let measurements: Measurements

        /// Loss of the finetuning target on valid, by which the learning rate is chosen.
        public var validLoss: Double { measurements.validLosses[settings.corpus.name] ?? .infinity }
    }

    /// An arm's outcome.
    public struct Row {
        /// The arm.
        public package(set) var arm: Arm
        /// Its states before finetuning; `nil` when it failed.
        public let base: Trajectory?
        /// What was measured before finetuning.
        public let before: Measurements
        /// Finetunings in the order of their learning rates.
        public let candidates: [Candidate]
        /// Why the arm has no result.
        public let failure: String?
        /// Which candidate counts; `nil` for none.
        package var choice: Int?
        /// The values of columns that were added.
        package var added: [String: Double] = [:]

        package init(arm: Arm, base: Trajectory, before: Measurements, candidates: [Candidate]) {
            self.arm = arm
            self.base = base
            self.before = before
            self.candidates = candidates
            failure = nil
        }

        package init(arm: Arm, failure: String) {
            self.arm = arm
            base = nil
            before = Measurements()
            candidates = []
            self.failure = failure
        }

        /// The finetuning at the learning rate of the lowest valid loss on its target, the mean over the arm's finetuning
        /// seeds; the first of equals.
        public var chosen: Candidate? { choice.map { candidates[$0] } }

        /// What was measured after finetuning, or before it when there is none.
        public var after: Measurements { chosen?.measurements ?? before }

        /// The key of the state that `after` belongs to.
        public var key: Digest? { chosen?.trajectory.keys.last ?? base?.keys.last }
    }

    /// The arms in order.
    public package(set) var rows: [Row]
    /// Chooses the learning rate of every group of rows that `label` holds for one arm apart from its finetuning seed.
    static func choose(_ rows: [Row]) -> [Row] {
        func label(_ row: Row) -> String {
            var arm = row.arm
            arm.parameters.removeAll { $0.name == "finetune_seed" }
            return arm.label
        }
        var groups: [String: [Int]] = [:]
        for index in rows.indices where !rows[index].candidates.isEmpty {
            groups[label(rows[index]), default: []].append(index)
        }
        var rows = rows
        for members in groups.values {
            let count = members.map { rows[$0].candidates.count }.min() ?? 0
            let losses = (0..<count).map { place in
                members.reduce(0) { $0 + rows[$1].candidates[place].validLoss }
            }
            let best = losses.indices.min { losses[$0] < losses[$1] }
            for index in members { rows[index].choice = best }
        }
        return rows
    }

    /// The columns of what was measured, in order; those that were added come last.
    public package(set) var measured: [MeasureColumn]
    /// The names of measured columns that were added: they belong to the rows as they are, not to a state.
    package var added: Set<String> = []
    /// Steps trained by this call.
    public package(set) var trainedSteps: Int
    /// Steps of all distinct segments.
    public package(set) var distinctSteps: Int
    /// Steps if every arm were trained from scratch at every learning rate.
    public package(set) var naiveSteps: Int
    /// What held-out documents have in common with documents that are trained on; `nil` if it is not known.
    public var overlap: Overlap?
    /// The rows that the study has, when these are a part of them.
    package var wholeCount: Int?

    package init(
        rows: [Row], measured: [MeasureColumn], trainedSteps: Int, distinctSteps: Int,
        naiveSteps: Int
    ) {
        (self.rows, self.measured) = (rows, measured)
        (self.trainedSteps, self.distinctSteps) = (trainedSteps, distinctSteps)
        self.naiveSteps = naiveSteps
    }
}
