import Foundation
import Runtime
import TestSupport
import Testing

@Suite("Phases") struct PhaseTests {
    /// Everything that a phase may change, in one recipe of 16 steps.
    private func manifold(_ laboratory: Laboratory, precision: Precision? = .bfloat16) throws
        -> Recipe
    {
        var base = laboratory.base
        try base.use(steps: 16)
        var model = base.model
        model.context = 32
        base.model = model
        base.learningRate = LearningRateSettings(kind: .constant, peak: 3e-3, warmup: 2)
        var ramp = PhaseChange()
        ramp.startFraction = 0.25
        ramp.ramp = try MixtureRamp(
            [.init("code", .linear(0, 0.5)), .init("prose", .rest)], steps: 12)
        ramp.settings.batch = 6
        ramp.loss = ["code": 0.4]
        var result = try base.switching(
            from: 4, mixture: try #require(try ramp.ramp?.mean()), name: "ramp", length: nil,
            corpora: [:], change: ramp)
        var long = PhaseChange()
        long.settings.context = 128
        long.settings.rotaryBase = 50_000
        long.settings.batch = 2
        long.settings.precision = precision
        long.rates = RateChange()
        long.rates?.peak = RateValue(ofPeak: 0.5)
        long.rates?.warmup = 2
        long.rates?.kind = .linear
        result = try result.switching(
            from: 9, mixture: try Mixture([("prose", 0.5), ("code", 0.5)]), name: "long",
            length: nil, corpora: [:], change: long)
        var other = PhaseChange()
        var optimizer = SGD()
        optimizer.weightDecay = 0.01
        other.settings.optimizer = optimizer
        other.settings.precision = .float32
        other.settings.orderSeed = 5
        other.rates = RateChange()
        other.rates?.segments = [
            RateSegment(.constant, steps: 1, from: RateValue(0.02)),
            RateSegment(.cosine, to: RateValue(0)),
        ]
        return try result.switching(
            from: 13, mixture: Mixture(only: "prose"), name: "sgd", length: nil, corpora: [:],
            change: other)
    }

    @Test("a recipe of every change resumes to the same bits from any step")
    func resume() throws {
        let whole = try Laboratory()
        let recipe = try manifold(whole).finetuned(whole.finetuning()).finetuned(
            whole.finetuning(3e-4))
        let never = try whole.run(recipe)
        try never.train()
        let batches = try (0..<16).map { try never.trajectory.input($0).batches }
        #expect(batches[3].map(\.rows) == [4] && batches[3][0].columns == 32)
        #expect(batches[8].map(\.rows).reduce(0, +) == 6)
        #expect(batches[10].map(\.columns) == [128])
        for stop in [3, 4, 8, 9, 11, 13, 15, 16, 17, 20] {
            let laboratory = try Laboratory()
            let recipe = try manifold(laboratory).finetuned(laboratory.finetuning()).finetuned(
                laboratory.finetuning(3e-4))
            try laboratory.run(recipe).train(to: stop)
            let second = try laboratory.run(recipe)
            #expect(second.step == stop)
            try second.train()
            #expect(second.trained == second.trajectory.steps - stop)
            #expect(second.key == never.key, "stopped at \(stop)")
            #expect(try second.bits() == never.bits(), "stopped at \(stop)")
        }
    }

    @Test("phases share the states before them, and each change is another state after it")
    func keys() throws {
        let laboratory = try Laboratory()
        let base = laboratory.base
        let plain = try Trajectory(base, store: laboratory.store)
        var seen: Set<Digest> = [plain.keys[7]]
        func branch(_ change: PhaseChange, _ mixture: Mixture = Mixture(only: "prose")) throws {
            let branch = try Trajectory(
                base.switching(
                    from: 6, mixture: mixture, name: "x", length: nil, corpora: [:], change: change
                ), store: laboratory.store)
            #expect(branch.keys[6] == plain.keys[6])
            #expect(seen.insert(branch.keys[7]).inserted)
        }
        // A phase that changes nothing is no other state.
        let same = try Trajectory(
            base.switching(
                from: 6, mixture: Mixture(only: "prose"), name: "x", length: nil, corpora: [:]),
            store: laboratory.store)
        #expect(same.keys == plain.keys)
        func changed(_ edit: (inout PhaseChange) -> Void) -> PhaseChange {
            var change = PhaseChange()
            edit(&change)
            return change
        }
        try branch(changed { $0.settings.batch = 5 })
        try branch(changed { $0.settings.context = 64 })
        try branch(changed { $0.settings.rotaryBase = 20_000 })
        try branch(changed { $0.settings.precision = .bfloat16 })
        try branch(changed { $0.settings.orderSeed = 9 })
        try branch(changed { $0.resetsOptimizer = true })
        try branch(changed { $0.settings.optimizer = Muon() })
        try branch(changed { $0.settings.optimizer = AdamW(weightDecay: 0.2) })
        try branch(
            changed {
                $0.rates = RateChange()
                $0.rates?.peak = RateValue(1e-4)
            })
        let mixture = try Mixture([("prose", 0.5), ("code", 0.5)])
        try branch(PhaseChange(), mixture)
        try branch(changed { $0.loss = ["code": 0.8] }, mixture)
    }

    @Test("a phase of limited length gives everything back")
    func length() throws {
        let laboratory = try Laboratory()
        var change = PhaseChange()
        change.settings.batch = 2
        change.settings.optimizer = AdamW(weightDecay: 0.3)
        change.rates = RateChange()
        change.rates?.kind = .constant
        change.rates?.peak = RateValue(ofPeak: 2)
        let recipe = try laboratory.base.switching(
            from: 3, mixture: Mixture(only: "code"), name: "x", length: 4, corpora: [:],
            change: change)
        let (plain, found) = (
            try Trajectory(laboratory.base, store: laboratory.store),
            try Trajectory(recipe, store: laboratory.store)
        )
        for step in [0, 2, 7, 11] {
            #expect(found.learningRate(step) == plain.learningRate(step))
            #expect(found.batchSize(step) == 4)
            #expect(found.optimizer(step).weightDecay == 0.1)
        }
        for step in 3..<7 {
            #expect(found.learningRate(step) == 6e-3)
            #expect(found.batchSize(step) == 2)
            #expect(found.optimizer(step).weightDecay == 0.3)
        }
        #expect(found.tokens(in: 0..<12) == (8 * 4 + 4 * 2) * 128)
    }

    @Test("what is written as a part of all steps moves with their number")
    func relative() throws {
        let laboratory = try Laboratory()
        var change = PhaseChange()
        change.startFraction = 0.75
        change.rates = RateChange()
        change.rates?.kind = .linear
        change.ramp = try MixtureRamp(
            [.init("code", .linear(0, 1)), .init("prose", .rest)], steps: 3)
        var recipe = try laboratory.base.switching(
            from: 9, mixture: try #require(try change.ramp?.mean()), name: "x", length: nil,
            corpora: [:], change: change)
        try recipe.use(steps: 24)
        #expect(recipe.phases[1].start == 18 && recipe.phases[1].ramp?.steps == 6)
        let peak = try recipe.learningRate(atStep: 18)
        #expect(try recipe.learningRate(atStep: 21) == peak + (3e-5 - peak) * 0.5)
    }

    @Test("segments have the values of their formulas, and gaps and overlaps are named by step")
    func segments() throws {
        var settings = LearningRateSettings(peak: 0.01)
        settings.segments = [
            RateSegment(.warmup, steps: 4, to: RateValue(ofPeak: 1)),
            RateSegment(.constant, steps: 0.2),
            RateSegment(.inverse_sqrt, steps: 6, to: RateValue(0.002)),
            RateSegment(.one_minus_sqrt, steps: 5, to: RateValue(ofPeak: 0.1)),
            RateSegment(.cosine, to: RateValue(0)),
        ]
        let rates = try settings.rates(steps: 30)
        func expect(_ step: Int, _ value: Double) {
            #expect(abs(rates.rate(atStep: step) - value) < 1e-15, "step \(step)")
        }
        expect(0, 0.0025)
        expect(3, 0.01)
        expect(9, 0.01)
        expect(10, 0.01)
        expect(13, 0.01 / (1 + 0.5 * 24.0).squareRoot())
        expect(16, 0.002)
        expect(18, 0.002 - 0.001 * 0.4.squareRoot())
        expect(21, 0.001)
        expect(24, 0.001 * (1 + cos(.pi / 3)) / 2)
        expect(30, 0)
        settings.segments?[4].steps = 8
        #expect(message { _ = try settings.rates(steps: 30) }.contains("a gap from step 29 on"))
        settings.segments?[4].steps = 10
        #expect(
            message { _ = try settings.rates(steps: 30) }.contains(
                "schedule[5]: expected segments of 30 steps in all, got one that goes on from step 30 to step 31"
            ) || message { _ = try settings.rates(steps: 30) }.contains("step 31"))
        settings.segments = [RateSegment(.inverse_sqrt, to: RateValue(0))]
        #expect(message { _ = try settings.rates(steps: 30) }.contains("never reaches 0"))
        settings.segments = nil
        settings.sampled = SampledRates([0.1, -1, 0.2])
        #expect(message { _ = try settings.rates(steps: 3) }.contains("-1.0 at step 1"))
        #expect(message { _ = try settings.rates(steps: 4) }.contains("4 steps"))
    }

    @Test(
        "the steps of every change are PyTorch's to 1e-5 of the loss",
        .enabled(if: Python.path != nil))
    func replay() throws {
        struct Step: Encodable {
            struct Batch: Encodable {
                let rows: Int
                let inputs: [Int32]
                let targets: [Int32]
                let weight: Double
            }
            let batches: [Batch]
            let learning_rate: Double
            let kind: String
            let settings: [String: Double]
            let resets: Bool
            let context: Int
            let rotary_base: Double
        }
        let laboratory = try Laboratory()
        var recipe = try manifold(laboratory, precision: nil)
        recipe = try recipe.finetuned(laboratory.finetuning())
        let run = try laboratory.run(recipe)
        let folder = "\(laboratory.scratch.path)/replay"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        try run.export(to: "\(folder)/model")
        let trajectory = run.trajectory
        let steps = try (0..<trajectory.steps).map { step in
            let input = try trajectory.input(step)
            var settings: [String: Double] = [:]
            for setting in input.optimizer.descriptions {
                settings[setting.name] = input.optimizer.value(setting.name)
            }
            return Step(
                batches: input.batches.map {
                    Step.Batch(
                        rows: $0.rows, inputs: $0.inputs, targets: $0.targets, weight: $0.weight)
                }, learning_rate: input.learningRate, kind: input.optimizer.kind,
                settings: settings, resets: input.resetsOptimizer, context: input.model.context,
                rotary_base: input.model.positionBase ?? 0)
        }
        try JSONEncoder().encode(steps).write(to: URL(fileURLWithPath: "\(folder)/steps.json"))
        try run.train()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("scripts/replay.py")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Python.path))
        process.arguments = [script.path, folder]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let losses = try JSONDecoder().decode([Double].self, from: text)
        let own = try run.records().map(\.loss)
        #expect(losses.count == own.count && losses.count > 17)
        for (step, pair) in zip(losses, own).enumerated() {
            #expect(
                abs(pair.0 - pair.1) < 1e-5 * pair.0,
                "step \(step), \(trajectory.phaseName(step)): \(pair)")
        }
    }
}
