/// A recipe that the arms of a study are compared with, carried out with every seed of theirs.
public struct Control {
    /// Its name in tables.
    public let name: String
    private let make: (ArmValue?) throws -> Recipe

    /// A control whose recipe is made for each seed of the arms; `nil` where they have none.
    public init(_ name: String, recipe: @escaping (ArmValue?) throws -> Recipe) {
        self.name = name
        make = recipe
    }

    /// A control that is one recipe with each seed of the arms.
    public init(_ name: String, _ recipe: Recipe) {
        self.init(name) { seed in
            guard case .integer(let number)? = seed else { return recipe }
            guard let value = UInt64(exactly: number) else {
                throw RecipeError("arms", "seed: a seed from 0 expected, got \(number)")
            }
            var recipe = recipe
            recipe.seed = value
            return recipe
        }
    }

    /// The arms of a study: controls with every seed of `candidates`, then these, all with their finetuning.
    ///
    /// The plainest control comes first: the other arms then branch from it in the plan.
    ///
    /// - Throws: what makes a control's recipe throws; as `FinetuningGrid.arms`.
    public static func arms(
        _ candidates: [Arm], controls: [Control], finetuning: FinetuningGrid? = nil
    ) throws -> [Arm] {
        var seeds: [ArmValue] = []
        for arm in candidates {
            if let seed = arm.parameter("seed"), !seeds.contains(seed) { seeds.append(seed) }
        }
        let made = try controls.flatMap { control in
            try (seeds.isEmpty ? [nil] : seeds.map(Optional.some)).map { seed in
                Arm(
                    name: control.name, parameters: seed.map { [("seed", $0)] } ?? [],
                    recipe: try control.make(seed), finetuning: [])
            }
        }
        func finetuned(_ arms: [Arm]) throws -> [Arm] {
            guard let finetuning else { return arms }
            return try arms.flatMap(finetuning.arms)
        }
        let arms = try finetuned(candidates)
        let plainest = try finetuned(made).enumerated().sorted {
            ($0.element.recipe.phases.count, $0.offset)
                < ($1.element.recipe.phases.count, $1.offset)
        }
        return plainest.map(\.element) + arms
    }
}
