import Runtime
import Testing

@Suite("Branches", .serialized) struct BranchTests {
    private func mixture() throws -> Mixture { try Mixture([("prose", 0.5), ("code", 0.5)]) }

    @Test(
        "a recipe that ends early shares every state with the whole one, on any data that suffices")
    func early() throws {
        let laboratory = try Laboratory()
        let whole = try Trajectory(try laboratory.midtrained(), store: laboratory.store)
        let short = try Trajectory(
            try laboratory.midtrained().ending(at: 8), store: laboratory.store)
        #expect(short.steps == 8 && short.keys == Array(whole.keys.prefix(9)))
        let trunk = try Trajectory(
            try laboratory.midtrained().ending(at: 4), store: laboratory.store)
        #expect(trunk.keys == Array(whole.keys.prefix(5)))
        #expect(throws: InvalidValue.self) { try laboratory.base.ending(at: 13) }
        // Finetuning follows the last step that there is.
        let tuned = try Trajectory(
            try laboratory.midtrained().ending(at: 8).finetuned(laboratory.finetuning()),
            store: laboratory.store)
        #expect(tuned.keys[8] == whole.keys[8] && tuned.steps > 8 && tuned.isFinetuning(8))
        #expect(tuned.learningRate(7) == whole.learningRate(7))
    }

    @Test(
        "an earlier phase after a later one is refused by both names; a forked run may go another way"
    )
    func order() throws {
        let laboratory = try Laboratory()
        let first = try laboratory.midtrained(from: 5)
        for from in [3, 5] {
            do {
                _ = try first.switching(
                    from: from, mixture: mixture(), name: "again", length: nil, corpora: [:])
                Issue.record("from \(from) is not refused")
            } catch let error as RecipeError {
                #expect(error.message.contains("again") && error.message.contains("midtrain"))
            }
        }
        #expect(
            try first.switching(
                from: 3, mixture: mixture(), name: "again", length: nil, corpora: [:],
                replacing: true
            ).phases.count == 2)
        let limited = try laboratory.base.switching(
            from: 3, mixture: mixture(), name: "once", length: 2, corpora: [:])
        // The mixture that returns is nobody's wish: it may be replaced.
        #expect(
            try limited.switching(
                from: 5, mixture: Mixture(only: "code"), name: "then", length: nil, corpora: [:]
            ).phases.map(\.name) == ["pretrain", "once", "then"])
    }

    private func plasticity(_ laboratory: Laboratory) throws -> Plasticity {
        try Plasticity(
            base: laboratory.base, mixture: mixture(), corpora: [:], starts: [2, 6, 9], steps: 2,
            seeds: [1, 2], target: laboratory.code, evaluate: [], evaluationLimit: 4,
            finetuning: { [$0] }, store: laboratory.store, options: StudyOptions())
    }

    @Test("a plasticity probe trains short branches of one trunk, each against it at the same step")
    func probe() throws {
        let laboratory = try Laboratory()
        let found = try plasticity(laboratory)
        #expect(
            found.points.map(\.start) == [2, 6, 9] && found.points.allSatisfy { $0.seeds == 2 })
        // Two trunks to step 11, three branches of two steps each.
        #expect(found.result.trainedSteps == 2 * (11 + 3 * 2) && found.branchSteps == 12)
        #expect(found.fullSteps == 2 * (10 + 6 + 3))
        // The plain way: two runs, their losses on valid.
        let set = EvaluationSet(laboratory.code, .valid, limit: 4)
        let gains = try [UInt64(1), 2].map { seed -> Double in
            var base = laboratory.base
            base.seed = seed
            let branch = try laboratory.run(
                try base.switching(
                    from: 6, mixture: mixture(), name: "x", length: nil, corpora: [:]))
            if branch.step < 8 { try branch.train(to: 8) }
            let ended = try laboratory.run(try base.ending(at: 8))
            try ended.train()
            return try ended.evaluate(set).loss - branch.evaluate(set).loss
        }
        #expect(abs(found.points[1].gain.value - Samples.mean(gains)) < 1e-12)
        #expect(try plasticity(laboratory).result.trainedSteps == 0)
    }

    @Test("halving keeps the better part at every rung and trains the rest no further")
    func halving() throws {
        let laboratory = try Laboratory()
        var arms: [Arm] = []
        for weight in [0.25, 0.5, 0.75, 1] {
            arms.append(
                Arm(
                    name: "midtrained", parameters: [("weight", .number(weight))],
                    recipe: try laboratory.midtrained(from: 4, weight: weight), finetuning: []))
        }
        func search(_ options: StudyOptions = StudyOptions()) throws -> Halving {
            try Halving(
                arms: arms, control: { _ in laboratory.base }, rungs: [2, 4], keep: 0.5,
                target: laboratory.code, evaluate: [], evaluationLimit: 4, finetuning: { [$0] },
                store: laboratory.store, options: options)
        }
        var options = StudyOptions()
        var steps = 0
        options.onEvent = { event in
            if case .run(.step, _) = event { steps += 1 }
            return steps < 9
        }
        #expect(throws: Interrupted.self) { _ = try search(options) }
        let found = try search()
        #expect(found.lines.map(\.rung) == [1, 1, 1, 1, 2, 2, 3])
        #expect(found.lines.filter { $0.survives }.map(\.rung) == [1, 1, 2, 3])
        for rung in 1...3 {
            let gains = found.lines.filter { $0.rung == rung }.compactMap { $0.gain?.value }
            #expect(gains == gains.sorted(by: >))
        }
        // The trunk of 12; four branches of 2, two of 2 more, one of 4 more.
        #expect(found.distinctSteps == 12 + 4 * 2 + 2 * 2 + 4)
        #expect(found.fullSteps == 12 + 4 * 8)
        #expect(try search().trainedSteps == 0)
        #expect(found.result.rows.contains { $0.arm.name == "midtrained" && $0.base?.steps == 12 })
    }

    @Test("finetuning seeds share their trunk, their learning rate and one place in a paired test")
    func seeds() throws {
        let laboratory = try Laboratory()
        func arms(_ name: String, _ recipe: Recipe, _ seed: Int) -> [Arm] {
            var recipe = recipe
            recipe.seed = UInt64(seed)
            return [1, 2, 3].map { order in
                Arm(
                    name: name,
                    parameters: [("seed", .integer(seed)), ("finetune_seed", .integer(order))],
                    recipe: recipe,
                    finetuning: [1e-4, 1e-3].map { rate in
                        var settings = laboratory.finetuning(rate)
                        settings.seed = UInt64(order)
                        return settings
                    })
            }
        }
        let study = try Study(
            arms: [1, 2].flatMap { seed in
                arms("control", laboratory.base, seed)
            }
                + [1, 2].flatMap { seed in
                    arms("midtrained", (try? laboratory.midtrained()) ?? laboratory.base, seed)
                }, evaluate: [laboratory.tasks], evaluationLimit: 8, store: laboratory.store)
        let result = try study.run()
        let rates = Set(result.rows.map { $0.chosen?.settings.learningRate.peak })
        #expect(rates.count == 1)
        let losses = result.rows.compactMap { $0.after["code-tasks"] }
        #expect(losses.count == 12)
        let effects = try PairedEffects(result, names: nil, against: "control") {
            $0.after["code-tasks"]
        }
        #expect(effects.groups.count == 1)
        // Two trunks, whatever the number of finetunings.
        let units = effects.groups[0].units
        let means = stride(from: 0, to: 12, by: 3).map { Samples.mean(Array(losses[$0..<$0 + 3])) }
        #expect(units.count == 2 && effects.groups[0].references.count == 2)
        #expect(abs(units[0].difference - (means[2] - means[0])) < 1e-12)
        let variances = try result.variances(of: "code-tasks")
        #expect(variances.map(\.components.trunks) == [2, 2])
        #expect(variances.allSatisfy { $0.components.isSeparated && $0.components.count == 6 })
    }
}
