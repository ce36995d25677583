import RuntimeData
import RuntimeStore

/// How much a short taste of another mixture helps at different times of training: short branches from states of one
/// trunk, each against the trunk itself at the same step.
///
/// A full grid of start times trains every branch to the end; this trains a few steps of each, on the learning rate that
/// they would have there.
public struct Plasticity {
    /// One start time.
    public struct Point: Sendable {
        /// The step at which the branch leaves the trunk.
        public let start: Int
        /// What the branch's loss on the target lies below the trunk's (nats a token, valid split), one for each
        /// repetition.
        public let gains: [Double]
        /// The learning rate of the branch's first step.
        public let learningRate: Double
    }

    /// The start times in order.
    public let points: [Point]
    /// The study that was run: arms `branch` and `trunk`, with `start` and `seed`.
    public let result: StudyResult
    /// Steps of all branches.
    public let branchSteps: Int
    /// Steps of the same branches, were they trained to the end.
    public let fullSteps: Int

    /// Trains what the store does not have and compares.
    ///
    /// - Parameters:
    ///   - base: The trunk's recipe.
    ///   - starts: Steps at which branches leave; each leaves room for `steps` more.
    ///   - finetuning: Settings for a recipe, when branches are finetuned before they are compared.
    /// - Throws: `RecipeError` naming what does not fit; as `Study.run(options:)`.
    public init(
        base: Recipe, mixture: Mixture, corpora: [String: Corpus], starts: [Int], steps: Int,
        seeds: [UInt64], target: Corpus, evaluate: [Corpus], evaluationLimit: Int?,
        finetuning: (Arm) throws -> [Arm], store: Store, options: StudyOptions
    ) throws {
        guard !starts.isEmpty, !seeds.isEmpty else {
            throw RecipeError("starts, seeds", "expected at least one of each")
        }
        guard steps >= 1, steps <= base.end else {
            throw RecipeError(
                "steps", "expected 1 ... \(base.end), the steps of the recipe, got \(steps)")
        }
        for start in starts where start < 0 || start > base.end - steps {
            throw RecipeError(
                "starts",
                "expected steps in 0 ... \(base.end - steps), so that \(steps) steps follow, got \(start)"
            )
        }
        var arms: [Arm] = []
        for seed in seeds {
            var trunk = base
            trunk.seed = seed
            for start in Set(starts).sorted() {
                let parameters: [(name: String, value: ArmValue)] = [
                    ("start", .integer(start)), ("seed", .integer(Int(truncatingIfNeeded: seed))),
                ]
                let branch = try trunk.switching(
                    from: start, mixture: mixture, name: "branch", length: nil, corpora: corpora)
                for (name, recipe) in [("trunk", trunk), ("branch", branch)] {
                    arms += try finetuning(
                        Arm(
                            name: name, parameters: parameters,
                            recipe: try recipe.ending(at: start + steps), finetuning: []))
                }
            }
        }
        // The longest trunk first, so that the others are its states.
        let order = arms.indices.sorted {
            let (a, b) = (arms[$0], arms[$1])
            if a.name != b.name { return a.name == "trunk" }
            return a.recipe.end != b.recipe.end ? a.recipe.end > b.recipe.end : $0 < $1
        }
        let sets = evaluate.contains { $0 === target } ? evaluate : evaluate + [target]
        let study = try Study(
            arms: order.map { arms[$0] }, evaluate: sets, evaluationLimit: evaluationLimit,
            store: store)
        let result = try study.run(options: options)
        let effects = try PairedEffects(result, names: ["branch"], against: "trunk") {
            $0.after.validLosses[target.name]
        }
        points = try effects.groups.compactMap { group in
            guard let start = group.arm.number("start"), !group.units.isEmpty else { return nil }
            return Point(
                start: Int(start), gains: group.units.map { -$0.difference },
                learningRate: try base.learningRate(atStep: Int(start)))
        }.sorted { $0.start < $1.start }
        self.result = result
        branchSteps = seeds.count * Set(starts).count * steps
        fullSteps = seeds.count * Set(starts).reduce(0) { $0 + base.end - $1 }
    }
}
