import Foundation
import RuntimeAnalysis
import RuntimeTraining

extension Plasticity {
    /// The curve over start times.
    public func finding(target: String, steps: Int) -> Finding {
        let best = points.max { $0.gain.value < $1.gain.value }
        return Finding(
            "Gain on \(target) of \(steps) steps of the mixture, by start",
            columns: ["start", "gain", "seeds", "learning_rate"],
            rows: points.map { point in
                [
                    .plain(.integer(point.start)), .interval(point.gain),
                    .plain(.integer(point.seeds)), .number(point.learningRate),
                ]
            },
            values: [
                ("best_start", .plain(best.map { .integer($0.start) } ?? .missing)),
                ("branch_steps", .plain(.integer(branchSteps))),
                ("full_branch_steps", .plain(.integer(fullSteps))),
                ("trained_steps", .plain(.integer(result.trainedSteps))),
            ],
            notes: [
                "gain: loss of the trunk minus loss of the branch at the same step (nats a token, valid split), Student's",
                "intervals over seeds. A short branch sees the learning rate of its time, not what later steps make of it.",
            ] + result.exclusions.map { "excluded: \($0)" })
    }
}

extension Halving {
    /// Every arm at every rung.
    public func finding(target: String) -> Finding {
        Finding(
            "Successive halving for \(target)",
            columns: ["rung", "arm", "end", "gain", "seeds", "goes_on"],
            rows: lines.map { line in
                [
                    .plain(.integer(line.rung)), .plain(.text(line.label)),
                    .plain(.integer(line.end)), .interval(ifKnown: line.gain),
                    .plain(.integer(line.seeds)), .plain(.text(line.survives ? "yes" : "no")),
                ]
            },
            values: [
                ("distinct_steps", .plain(.integer(distinctSteps))),
                ("full_steps", .plain(.integer(fullSteps))),
                ("trained_steps", .plain(.integer(trainedSteps))),
            ],
            notes: [
                "gain: loss of the control minus loss of the arm at the same step (nats a token, valid split). Those who went on",
                "were chosen by it: report them by the test split (result), and against arms chosen beforehand.",
            ] + result.exclusions.map { "excluded: \($0)" })
    }
}
