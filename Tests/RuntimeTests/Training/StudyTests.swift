import Runtime
import Testing

@Suite("Studies", .serialized) struct StudyTests {
    private func study(_ laboratory: Laboratory) throws -> Study {
        var arms = [
            Arm(
                name: "control", parameters: [("seed", .integer(1))], recipe: laboratory.base,
                finetuning: [1e-4, 1e-3].map { laboratory.finetuning($0) })
        ]
        for start in [3, 6] {
            for weight in [0.25, 0.5] {
                arms.append(
                    Arm(
                        name: "midtrained",
                        parameters: [
                            ("start", .integer(start)), ("weight", .number(weight)),
                            ("seed", .integer(1)),
                        ],
                        recipe: try laboratory.midtrained(from: start, weight: weight),
                        finetuning: [1e-4, 1e-3].map { laboratory.finetuning($0) }))
            }
        }
        return try Study(
            arms: arms, evaluate: [laboratory.prose, laboratory.code, laboratory.tasks],
            evaluationLimit: 8,
            store: laboratory.store)
    }

    @Test("every distinct segment is trained once, and nothing the second time")
    func shared() throws {
        let laboratory = try Laboratory()
        let plan = try study(laboratory).plan(calibrate: false)
        #expect(plan.missingSteps == plan.distinctSteps)
        #expect(plan.distinctSteps < plan.naiveSteps)
        let first = try study(laboratory).run()
        #expect(first.trainedSteps == plan.distinctSteps)
        let second = try study(laboratory).run()
        #expect(second.trainedSteps == 0)
        #expect(second.csv() == first.csv())
        #expect(try study(laboratory).plan(calibrate: false).missingSteps == 0)
    }

    @Test("a study stopped at any step and run again has the same result")
    func interrupted() throws {
        let whole = try Laboratory()
        let expected = try study(whole).run().csv()
        for stop in [2, 20, 45] {
            let laboratory = try Laboratory()
            var count = 0
            var options = StudyOptions()
            options.onEvent = { event in
                if case .run(.step, _) = event { count += 1 }
                return count != stop
            }
            let interrupt = #expect(throws: Interrupted.self) {
                _ = try study(laboratory).run(options: options)
            }
            // A study has no run that could be resumed.
            #expect(
                interrupt?.message.hasSuffix("; run the study again to go on from there") == true)
            #expect(interrupt?.message.contains("resume") == false)
            #expect(try study(laboratory).run().csv() == expected)
        }
        withExtendedLifetime(whole) {}
    }

    @Test("a trunk that was trained alone gives its branch points once, not once an arm")
    func trunk() throws {
        let laboratory = try Laboratory()
        try laboratory.run(laboratory.base).train()
        let study = try study(laboratory)
        let distinct = try study.plan(calibrate: false).distinctSteps
        let result = try study.run()
        // The trunk's twelve steps are there; the six up to the last branch point are trained once more.
        #expect(result.trainedSteps == distinct - 12 + 6)
    }

    @Test("a study that would choose a learning rate without looking is refused")
    func blind() throws {
        let laboratory = try Laboratory()
        #expect(throws: RecipeError.self) {
            try Study(
                arms: [
                    Arm(
                        name: "control", parameters: [], recipe: laboratory.base,
                        finetuning: [laboratory.finetuning()])
                ], evaluate: [laboratory.prose], evaluationLimit: 4, store: laboratory.store)
        }
        // Without anything to evaluate, the states themselves are the result.
        let study = try Study(
            arms: [Arm(name: "control", parameters: [], recipe: laboratory.base, finetuning: [])],
            evaluate: [], evaluationLimit: nil, store: laboratory.store)
        #expect(try study.run().trainedSteps == 12)
        #expect(try study.run().trainedSteps == 0)
    }

    @Test("an arm that fails is named, and the others go on")
    func failing() throws {
        let laboratory = try Laboratory()
        var greedy = laboratory.base
        greedy.batch = 400
        let study = try Study(
            arms: [
                Arm(name: "greedy", parameters: [], recipe: greedy, finetuning: []),
                Arm(name: "control", parameters: [], recipe: laboratory.base, finetuning: []),
            ], evaluate: [laboratory.prose], evaluationLimit: 4, store: laboratory.store)
        let result = try study.run()
        #expect(result.rows[0].failure?.contains("prose") == true)
        #expect(result.rows[1].failure == nil)
        #expect(result.rows[1].after["prose"] != nil)
    }
}
