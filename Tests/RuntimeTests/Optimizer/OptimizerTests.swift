import Foundation
import Runtime
import Testing

@Suite("AdamW")
struct AdamWTests {
    private struct Reference: Decodable {
        var start: [Float]
        var gradients, values: [[Float]]
    }

    private func problem(_ values: [Float], _ role: ParameterRole = .matrix) throws -> Parameters {
        let parameters = try Parameters([ParameterShape("", "w", [values.count, 1], role)])
        for (index, value) in values.enumerated() { parameters.values[index] = value }
        try parameters.prepareGradients()
        return parameters
    }

    @Test("five steps on given gradients agree with PyTorch to 1e-6")
    func reference() throws {
        let file = ReferenceCase.folder.appendingPathComponent("adamw.json")
        let reference = try JSONDecoder().decode(Reference.self, from: Data(contentsOf: file))
        let parameters = try problem(reference.start)
        let optimizer = try OptimizerState(
            parameters, AdamW(beta2: 0.999, weightDecay: 0.01, clip: 0))
        for (gradient, expected) in zip(reference.gradients, reference.values) {
            for (index, value) in gradient.enumerated() { parameters.gradients[index] = value }
            try optimizer.step(learningRate: 1e-2)
            #expect(largestDifference(parameters.values, expected) < 1e-6)
        }
        #expect(optimizer.steps == 5)
    }

    @Test(
        "a gradient that is not finite is named and changes nothing",
        arguments: [Float.nan, .infinity])
    func notFinite(value: Float) throws {
        let parameters = try problem([1, 2, 3])
        let optimizer = try OptimizerState(parameters)
        parameters.gradients[1] = value
        let error = #expect(throws: NotFiniteError.self) { try optimizer.step(learningRate: 1) }
        #expect(error?.step == 1 && error?.what == "the gradient of w")
        #expect(Array(parameters.values) == [1, 2, 3])
        #expect(optimizer.steps == 0 && optimizer.buffers[0].values.allSatisfy { $0 == 0 })
    }

    @Test("biases, norms and the embedding do not decay")
    func decay() throws {
        let model = try NeoXConfiguration.preset("micro-0.1m").model(seed: 1)
        for range in model.parameters.ranges {
            let expected = range.shape.count == 2 && range.name != "gpt_neox.embed_in.weight"
            #expect(range.decays == expected, "\(range.name)")
        }
        let fixed = try problem([4], .embedding)
        try OptimizerState(fixed).step(learningRate: 0.1)
        #expect(Array(fixed.values) == [4])
        let shrinking = try problem([4])
        try OptimizerState(shrinking).step(learningRate: 0.1)
        #expect(abs(shrinking.values[0] - 3.96) < 1e-6)
    }

    @Test("settings and rates that make no sense are errors")
    func validation() throws {
        let parameters = try problem([1])
        #expect(throws: InvalidValue.self) {
            try OptimizerState(parameters, AdamW(beta1: 1))
        }
        #expect(throws: InvalidValue.self) {
            try OptimizerState(parameters, AdamW(clip: -1))
        }
        #expect(throws: InvalidValue.self) {
            try OptimizerState(parameters, AdamW(epsilon: 0))
        }
        #expect(throws: InvalidValue.self) {
            try OptimizerState(parameters).step(learningRate: .nan)
        }
        #expect(throws: InvalidValue.self) { try OptimizerState(parameters).restore(steps: -1) }
    }

    @Test("restored moments and steps continue to the same bits")
    func restore() throws {
        let (one, two) = (try problem([1, 2]), try problem([1, 2]))
        let first = try OptimizerState(one)
        for step in 0..<4 {
            one.gradients[0] = Float(step) - 1.5
            try first.step(learningRate: 0.1)
            guard step == 1 else { continue }
            for index in 0..<2 { two.values[index] = one.values[index] }
            let second = try OptimizerState(two)
            for index in 0..<2 {
                for (new, old) in zip(second.buffers, first.buffers) {
                    new.values[index] = old.values[index]
                }
            }
            try second.restore(steps: first.steps)
            for later in 2..<4 {
                two.gradients[0] = Float(later) - 1.5
                try second.step(learningRate: 0.1)
            }
        }
        #expect(Array(one.values) == Array(two.values))
    }
}

@Suite("Learning-rate schedules")
struct ScheduleTests {
    private func schedule(_ kind: LearningRateSchedule.Kind) -> LearningRateSchedule {
        LearningRateSchedule(
            kind: kind, peak: 1, minimum: 0.1, warmupSteps: 10, totalSteps: 110, decaySteps: 20)
    }

    @Test(
        "warm-up rises in a straight line to the peak",
        arguments: LearningRateSchedule.Kind.allCases)
    func warmUp(kind: LearningRateSchedule.Kind) {
        #expect(abs(schedule(kind).rate(atStep: 0) - 0.1) < 1e-12)
        #expect(abs(schedule(kind).rate(atStep: 4) - 0.5) < 1e-12)
        #expect(schedule(kind).rate(atStep: 9) == 1)
        #expect(schedule(kind).rate(atStep: 10) == 1)
    }

    @Test("each kind has its course after warm-up and its minimum at the end")
    func courses() {
        #expect(abs(schedule(.cosine).rate(atStep: 60) - 0.55) < 1e-12)
        #expect(abs(schedule(.linear).rate(atStep: 60) - 0.55) < 1e-12)
        #expect(schedule(.constant).rate(atStep: 109) == 1)
        #expect(schedule(.wsd).rate(atStep: 90) == 1)
        #expect(abs(schedule(.wsd).rate(atStep: 100) - 0.55) < 1e-12)
        for kind in [LearningRateSchedule.Kind.cosine, .linear, .wsd] {
            #expect(abs(schedule(kind).rate(atStep: 110) - 0.1) < 1e-12)
            #expect(schedule(kind).rate(atStep: 1000) == schedule(kind).rate(atStep: 110))
        }
    }

    @Test("two WSD schedules with different ends share their stable part to the bit")
    func sharedTrunk() {
        var longer = schedule(.wsd)
        longer.totalSteps = 210
        for step in 0..<90 {
            #expect(schedule(.wsd).rate(atStep: step) == longer.rate(atStep: step))
        }
    }

    @Test("schedules that make no sense name the field")
    func validation() {
        var bad = schedule(.cosine)
        bad.warmupSteps = 200
        #expect(throws: InvalidValue.self) { try bad.validate() }
        bad = schedule(.wsd)
        bad.decaySteps = 101
        #expect(throws: InvalidValue.self) { try bad.validate() }
        bad = schedule(.linear)
        bad.minimum = 2
        #expect(throws: InvalidValue.self) { try bad.validate() }
        bad.peak = -1
        #expect(throws: InvalidValue.self) { try bad.validate() }
    }
}
