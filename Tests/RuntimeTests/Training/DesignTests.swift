import Runtime
import Testing

@Suite("Designs")
struct DesignTests {
    @Test("a grid has every combination once, in order of the names with the seed last")
    func grid() throws {
        let found = try Grid.combinations(["weight": [1, 2], "seed": [7, 8], "start": [3]])
        #expect(
            found.map { $0.map(\.name) } == Array(repeating: ["start", "weight", "seed"], count: 4))
        #expect(found.map { $0.map(\.value) } == [[3, 1, 7], [3, 1, 8], [3, 2, 7], [3, 2, 8]])
        #expect(try Grid.combinations([String: [Int]]()).count == 1)
        #expect(throws: InvalidValue.self) { try Grid.combinations(["a": [1], "b": []]) }
        let many = Array(repeating: 0, count: 1 << 16)
        #expect(throws: ResourceError.self) {
            try Grid.combinations(["a": many, "b": many, "c": many, "d": many, "e": many])
        }
    }

    @Test("controls come with every seed of the arms, the plainest first, all finetuned alike")
    func controls() throws {
        let laboratory = try Laboratory()
        var grid = FinetuningGrid(laboratory.tasks, learningRates: [1e-3, 3e-3])
        let candidates = try [1, 2].map { seed in
            var recipe = try laboratory.midtrained()
            recipe.seed = UInt64(seed)
            return Arm(
                name: "midtrained", parameters: [("seed", .integer(seed))], recipe: recipe,
                finetuning: [])
        }
        func make() throws -> [Arm] {
            try Control.arms(
                candidates,
                controls: [
                    Control("continued", try laboratory.midtrained(from: 8, weight: 1)),
                    Control("control", laboratory.base),
                ], finetuning: [grid])
        }
        let arms = try make()
        #expect(
            arms.map(\.label) == [
                "control seed=1", "control seed=2", "continued seed=1", "continued seed=2",
                "midtrained seed=1", "midtrained seed=2",
            ])
        #expect(arms.map(\.recipe.seed) == [1, 2, 1, 2, 1, 2])
        for arm in arms {
            #expect(arm.finetuning.map(\.learningRate.peak) == [1e-3, 3e-3])
            #expect(arm.finetuning.map(\.learningRate.minimum) == [1e-3 * 0.1, 3e-3 * 0.1])
            #expect(
                arm.finetuning.allSatisfy {
                    $0.seed == arm.recipe.seed && $0.epochs == 4 && $0.batch == 64
                        && $0.optimizer.weightDecay == 0 && $0.optimizer.clip == 1
                })
        }
        grid.seeds = [5, 6]
        let ordered = try make()
        #expect(ordered.count == 12)
        #expect(ordered[0].label == "control seed=1 finetune_seed=5")
        #expect(ordered[0].finetuning.allSatisfy { $0.seed == 5 })
        grid.seeds = [5, 5]
        #expect(throws: RecipeError.self) { try make() }
        grid.seeds = [5]
        grid.seed = 4
        #expect(throws: RecipeError.self) { try make() }
    }

    @Test("what a recipe leaves out is what mt.recipe gives")
    func defaults() throws {
        let laboratory = try Laboratory()
        let recipe = try Recipe(
            model: laboratory.base.model, tokenizer: laboratory.base.tokenizer,
            corpora: laboratory.base.corpora, mixture: Mixture(only: "prose"), steps: 12, batch: 4,
            seed: 1)
        #expect(recipe.learningRate.peak == 1e-3 && recipe.learningRate.minimum == 1e-5)
        #expect(recipe.learningRate.with(peak: 1).minimum == 0.01)
        #expect(recipe.optimizer.kind == "adamw" && recipe.precision == .float32)
        #expect(recipe.accumulate == 1 && recipe.mayRepeat == [])
    }
}
