import Foundation
import Runtime
import Testing

@Suite("SGD and Muon")
struct OtherOptimizerTests {
    private struct Reference: Decodable {
        struct Case: Decodable {
            var settings: [String: Double]
            var start: [String: [Float]]
            var gradients, values: [[String: [Float]]]
        }
        var shapes: [String: [Int]]
        var cases: [String: Case]
    }

    private static let names = ["tall", "embedding", "wide", "square", "bias"]

    private func parameters(_ shapes: [String: [Int]]) throws -> Parameters {
        let parameters = try Parameters(
            Self.names.map { name in
                ParameterShape(
                    "", name, try #require(shapes[name]), name == "embedding" ? .embedding : nil)
            })
        try parameters.prepareGradients()
        return parameters
    }

    private func fill(
        _ target: UnsafeMutableBufferPointer<Float>, _ parameters: Parameters,
        _ numbers: [String: [Float]]
    ) throws {
        for range in parameters.ranges {
            for (index, number) in try #require(numbers[range.name]).enumerated() {
                target[range.offset + index] = number
            }
        }
    }

    private func reference() throws -> Reference {
        let file = ReferenceCase.folder.appendingPathComponent("optimizers.json")
        return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: file))
    }

    private func optimizer(_ name: String, _ settings: [String: Double]) throws -> any Optimizer {
        var optimizer: any Optimizer = name.contains("muon") ? Muon() : SGD()
        optimizer.clip = 0
        let names = ["ns_steps": "iterations"]
        for (name, value) in settings where name != "lr" {
            optimizer = try optimizer.setting(names[name] ?? name, value)
        }
        if !settings.keys.contains("nesterov") { optimizer = try optimizer.setting("nesterov", 0) }
        return optimizer
    }

    @Test(
        "five steps on given gradients agree with PyTorch",
        arguments: ["sgd", "nesterov", "muon", "plain_muon"])
    func agreement(name: String) throws {
        let reference = try reference()
        let expected = try #require(reference.cases[name])
        let parameters = try parameters(reference.shapes)
        try fill(parameters.values, parameters, expected.start)
        let state = try OptimizerState(parameters, try optimizer(name, expected.settings))
        var largest: Float = 0
        for (gradients, values) in zip(expected.gradients, expected.values) {
            try fill(parameters.gradients, parameters, gradients)
            try state.step(learningRate: try #require(expected.settings["lr"]))
            for range in parameters.ranges {
                let found = Array(parameters.values[range.offset..<range.offset + range.count])
                largest = max(
                    largest, largestDifference(found, try #require(values[range.name])))
            }
        }
        print("\(name) against PyTorch: max diff \(largest)")
        // The iteration of Muon multiplies small differences of rounding.
        #expect(largest < (name.contains("muon") ? 5e-6 : 1e-6))
    }

    @Test("a matrix under Muon follows singular vectors, whatever the size of the gradient")
    func orthogonal() throws {
        let parameters = try Parameters([ParameterShape("", "m", [16, 40])])
        try parameters.prepareGradients()
        let gradient = try Tensor.normal([16, 40], seed: 3).values()
        for scale: Float in [1e-3, 1, 1e3] {
            for index in gradient.indices {
                parameters.values[index] = 0
                parameters.gradients[index] = scale * gradient[index]
            }
            var muon = Muon()
            muon.clip = 0
            muon.iterations = 10
            try OptimizerState(parameters, muon).step(learningRate: 1)
            let step = try Tensor.from(Array(parameters.values), shape: [16, 40])
            let gram = try step.matmul(step.transposed()).values()
            let size = Float(0.04 * 40)
            for row in 0..<16 {
                for column in 0..<16 {
                    let value = gram[row * 16 + column] / size
                    #expect(row == column ? (0.4...1.5).contains(value) : abs(value) < 0.3)
                }
            }
        }
    }

    @Test("what a step keeps is in checkpoints by name, and restores to the same bits")
    func restore() throws {
        let reference = try reference()
        for name in ["nesterov", "muon"] {
            let expected = try #require(reference.cases[name])
            let optimizer = try optimizer(name, expected.settings)
            let (one, two) = (try parameters(reference.shapes), try parameters(reference.shapes))
            try fill(one.values, one, expected.start)
            let first = try OptimizerState(one, optimizer)
            for gradients in expected.gradients[..<3] {
                try fill(one.gradients, one, gradients)
                try first.step(learningRate: 0.01)
            }
            _ = two.values.update(from: one.values)
            let second = try OptimizerState(two, optimizer)
            #expect(
                second.buffers.map(\.name)
                    == (name == "muon"
                        ? ["momentum", "first_moment", "second_moment"] : ["momentum"]))
            for (new, old) in zip(second.buffers, first.buffers) {
                _ = new.values.update(from: old.values)
            }
            try second.restore(steps: first.steps)
            for (parameters, state) in [(one, first), (two, second)] {
                for gradients in expected.gradients[3...] {
                    try fill(parameters.gradients, parameters, gradients)
                    try state.step(learningRate: 0.01)
                }
            }
            #expect(Array(one.values) == Array(two.values))
        }
    }

    @Test("settings have names, ranges and texts; another optimizer's are refused")
    func settings() throws {
        for optimizer in Optimizers.all {
            try optimizer.validate()
            for setting in optimizer.descriptions {
                let value = try #require(optimizer.value(setting.name))
                #expect(try optimizer.setting(setting.name, value).value(setting.name) == value)
                #expect(throws: InvalidValue.self) { try optimizer.setting(setting.name, -1) }
                #expect(throws: InvalidValue.self) { try optimizer.setting(setting.name, .nan) }
            }
            #expect(optimizer.text.hasPrefix(optimizer.kind + ", "))
        }
        #expect(throws: InvalidValue.self) { try SGD().setting("beta1", 0.5) }
        #expect(throws: InvalidValue.self) { try Optimizers.named("adam") }
        #expect(Muon().brief == "muon, weight decay 0.1")
        #expect(throws: InvalidValue.self) {
            try OptimizerState(
                try parameters([
                    "tall": [2, 2], "wide": [2, 2], "square": [2, 2],
                    "embedding": [2, 2], "bias": [2],
                ])
            ).use(SGD())
        }
    }

    @Test("records of AdamW are what they were; others name themselves, and all come back")
    func records() throws {
        #expect(
            try CanonicalJSON.text(RecordedOptimizer(AdamW()))
                == #"{"beta1":0.9,"beta2":0.95,"clip":1,"epsilon":1e-08,"weightDecay":0.1}"#)
        // One setting has one name in the records of all, so that a comparison of recipes shows what differs.
        let muon = try CanonicalJSON.text(RecordedOptimizer(Muon()))
        #expect(muon.contains(#""beta1":0.9,"#) && muon.contains(#""weightDecay":0.1"#))
        for optimizer in Optimizers.all {
            let changed = try optimizer.setting("weight_decay", 0.25)
            let text = try CanonicalJSON.text(RecordedOptimizer(changed))
            let back = try JSONDecoder().decode(RecordedOptimizer.self, from: Data(text.utf8))
            #expect(back.optimizer.text == changed.text)
            #expect(text.contains(#""kind":"\#(optimizer.kind)""#) == !(optimizer is AdamW))
        }
    }
}
