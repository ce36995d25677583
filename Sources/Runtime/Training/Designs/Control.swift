/// A recipe that the arms of a study are compared with, carried out with every seed of theirs.
public struct Control {
    /// Its name in tables.
    public let name: String
    /// The parameters of the arms, beside the seed, for each of whose values it is made.
    public let per: [String]
    private let make:
        (_ seed: ArmValue?, _ parameters: [(name: String, value: ArmValue)]) throws -> Recipe

    /// A control whose recipe is made for each seed of the arms, and each value of the parameters `per`; `nil` where they
    /// have no seed.
    public init(
        _ name: String, per: [String] = [],
        recipe: @escaping (ArmValue?, [(name: String, value: ArmValue)]) throws -> Recipe
    ) {
        (self.name, self.per) = (name, per)
        make = recipe
    }

    /// A control that is one recipe with each seed of the arms.
    public init(_ name: String, _ recipe: Recipe) {
        self.init(name) { seed, _ in
            guard case .integer(let number)? = seed else { return recipe }
            guard let value = UInt64(exactly: number) else {
                throw RecipeError("arms", "seed: a seed from 0 expected, got \(number)")
            }
            var recipe = recipe
            recipe.seed = value
            return recipe
        }
    }

    /// The control's arms: one for each combination of `per` and seed that the candidates have.
    private func arms(for candidates: [Arm]) throws -> [Arm] {
        for name in per where !candidates.contains(where: { $0.parameter(name) != nil }) {
            throw RecipeError("per", "no arm has a parameter \"\(name)\"")
        }
        var made: Set<String> = []
        var arms: [Arm] = []
        let hasSeeds = candidates.contains { $0.parameter("seed") != nil }
        for candidate in candidates {
            let seed = candidate.parameter("seed")
            if hasSeeds && seed == nil { continue }
            let own = try per.map { name -> (name: String, value: ArmValue) in
                guard let value = candidate.parameter(name) else {
                    throw RecipeError("per", "\(candidate.label) has no parameter \"\(name)\"")
                }
                return (name, value)
            }
            var arm = Arm(
                name: name, parameters: own + (seed.map { [("seed", $0)] } ?? []),
                recipe: candidate.recipe, finetuning: [])
            guard made.insert(arm.label).inserted else { continue }
            arm.recipe = try make(seed, own)
            arms.append(arm)
        }
        return arms
    }

    /// The arms of a study: controls, then these, all with their finetunings.
    ///
    /// The plainest control comes first: the other arms then branch from it in the plan.
    ///
    /// - Throws: what makes a control's recipe throws; as `FinetuningGrid.arms`; `RecipeError` for a parameter of `per` that
    ///   an arm does not have.
    public static func arms(
        _ candidates: [Arm], controls: [Control], finetuning: [FinetuningGrid] = []
    ) throws -> [Arm] {
        let made = try controls.flatMap { try $0.arms(for: candidates) }
        func finetuned(_ arms: [Arm]) throws -> [Arm] {
            try arms.flatMap { try FinetuningGrid.arms($0, finetuning) }
        }
        let arms = try finetuned(candidates)
        let plainest = try finetuned(made).enumerated().sorted {
            ($0.element.recipe.phases.count, $0.offset)
                < ($1.element.recipe.phases.count, $1.offset)
        }
        return plainest.map(\.element) + arms
    }
}
