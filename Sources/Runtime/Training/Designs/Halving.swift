import RuntimeData
import RuntimeStore
import RuntimeSupport

/// Successive halving: all branches are trained a little, the better part goes on, the last to the end.
///
/// Cheap, as branches share their trunks and every state is kept.
///
/// - Source: Jamieson and Talwalkar (2016), Non-stochastic best arm identification and hyperparameter optimization.
public struct Halving {
    /// One arm at one rung.
    public struct Line: Sendable {
        /// The rung, from 1.
        public let rung: Int
        /// The arm without its seeds.
        public let label: String
        /// Its last step at this rung.
        public let end: Int
        /// What its loss on the target lies below the control's at the same step (nats a token, valid split), one for each
        /// repetition; none when it failed.
        public let gains: [Double]
        /// Whether it goes on.
        public let survives: Bool
    }

    /// Rung by rung, the best first.
    public let lines: [Line]
    /// The study of the last rung, with the arms that were left, trained to the end, and their controls.
    public let result: StudyResult
    /// Steps that were trained now.
    public let trainedSteps: Int
    /// Distinct steps of all rungs.
    public let distinctSteps: Int
    /// Distinct steps if every arm were trained to the end.
    public let fullSteps: Int

    /// Trains what the store does not have.
    ///
    /// - Parameters:
    ///   - arms: The candidates with all their seeds, not finetuned.
    ///   - control: The reference's recipe for an arm, of the same seed.
    ///   - rungs: Steps after an arm's branching point at which it is judged; the end comes after them.
    ///   - keep: The part of the arms that goes on.
    ///   - finetuning: Gives an arm its finetuning and finetuning seeds.
    /// - Throws: `RecipeError` naming what does not fit; as `Study.run(options:)`.
    public init(
        arms: [Arm], control: (Arm) throws -> Recipe, rungs: [Int], keep: Double, target: Corpus,
        evaluate: [Corpus], evaluationLimit: Int?, finetuning: (Arm) throws -> [Arm], store: Store,
        options: StudyOptions
    ) throws {
        guard rungs.allSatisfy({ $0 >= 1 }), rungs == Set(rungs).sorted() else {
            throw RecipeError(
                "rungs",
                "expected rising numbers of steps, got \(rungs.map(String.init).joined(separator: ", "))"
            )
        }
        guard !arms.isEmpty, keep > 0, keep < 1 else {
            throw RecipeError(
                "arms, keep",
                "expected arms, and a part above 0 and below 1 to keep, got \(arms.count) and \(keep)"
            )
        }
        let sets = evaluate.contains { $0 === target } ? evaluate : evaluate + [target]
        func makeStudy(_ alive: [Arm], _ budget: Int?) throws -> Study {
            var branches: [Arm] = []
            var controls: [Arm] = []
            for arm in alive {
                let end =
                    budget.map { min(arm.recipe.branchingStep + $0, arm.recipe.end) }
                    ?? arm.recipe.end
                let step = (name: "end", value: ArmValue.integer(end))
                var short = arm
                short.recipe = try arm.recipe.ending(at: end)
                short.parameters.insert(step, at: 0)
                branches += try finetuning(short)
                let seed = arm.parameters.filter { $0.name == "seed" }
                let reference = Arm(
                    name: "control", parameters: [step] + seed,
                    recipe: try control(arm).ending(at: end), finetuning: [])
                for reference in try finetuning(reference)
                where !controls.contains(where: { $0.label == reference.label }) {
                    controls.append(reference)
                }
            }
            controls.sort { $0.recipe.end > $1.recipe.end }
            return try Study(
                arms: controls + branches, evaluate: sets, evaluationLimit: evaluationLimit,
                store: store)
        }
        let budgets = rungs.map(Optional.some) + [nil]
        var alive = arms
        var lines: [Line] = []
        var last: StudyResult?
        var (trained, distinct) = (0, Set<Digest>())
        for (place, budget) in budgets.enumerated() {
            let study = try makeStudy(alive, budget)
            for arm in study.arms {
                for trajectory in try study.trajectories(arm, options) {
                    distinct.formUnion(trajectory.keys.dropFirst())
                }
            }
            let result = try study.run(options: options)
            trained += result.trainedSteps
            last = result
            let effects = try PairedEffects(result, names: nil, against: "control") {
                $0.after.validLosses[target.name]
            }
            // Equal gains keep the order of the arms.
            let ranked = effects.groups.indices.sorted { a, b in
                let (x, y) = (Self.mean(effects.groups[a]), Self.mean(effects.groups[b]))
                return x != y ? x > y : a < b
            }
            let known = ranked.filter { !effects.groups[$0].units.isEmpty }
            let isLast = place == budgets.count - 1
            let room = isLast ? known.count : Int((Double(known.count) * keep).rounded(.up))
            let kept = Set(known.prefix(max(1, room)).map { effects.groups[$0].label })
            for index in ranked {
                let group = effects.groups[index]
                var arm = group.arm.withoutSeeds
                arm.parameters.removeAll { $0.name == "end" }
                lines.append(
                    Line(
                        rung: place + 1, label: arm.label, end: group.arm.recipe.end,
                        gains: group.units.map { -$0.difference },
                        survives: kept.contains(group.label)))
            }
            let names = Set(lines.filter { $0.rung == place + 1 && $0.survives }.map(\.label))
            alive = alive.filter { names.contains($0.withoutSeeds.label) }
            guard !alive.isEmpty else {
                throw RecipeError(
                    "arms",
                    "every arm failed at rung \(place + 1): "
                        + (result.exclusions.first ?? "no reason is known"))
            }
        }
        guard let last else { throw RecipeError("rungs", "expected at least one rung") }
        let all = try makeStudy(arms, nil)
        var full: Set<Digest> = []
        for arm in all.arms {
            for trajectory in try all.trajectories(arm, options) {
                full.formUnion(trajectory.keys.dropFirst())
            }
        }
        self.lines = lines
        result = last
        trainedSteps = trained
        distinctSteps = distinct.count
        fullSteps = full.count
    }

    private static func mean(_ group: PairedEffects.Group) -> Double {
        let gains = group.units.map { -$0.difference }
        return gains.isEmpty ? -.infinity : gains.reduce(0, +) / Double(gains.count)
    }
}

extension Recipe {
    /// The step at which the recipe leaves its first mixture; 0 when it never does.
    public var branchingStep: Int {
        phases.dropFirst().first { $0.mixtureText != phases[0].mixtureText }?.start ?? 0
    }
}

extension Study {
    /// The states of an arm, before finetuning and at each of its learning rates.
    func trajectories(_ arm: Arm, _ options: StudyOptions) throws -> [Trajectory] {
        let base = try Trajectory(
            arm.recipe, store: store, progress: options.progress, stop: options.stop)
        return try [base]
            + arm.finetuning.map {
                try Trajectory(
                    base, finetuning: $0, store: store, progress: options.progress,
                    stop: options.stop)
            }
    }
}
