import Foundation
import Runtime
import Testing

@Suite("GPT-NeoX against PyTorch")
struct PyTorchTests {
    static let cases = ["parallel", "sequential", "tied", "long"]

    @Test("logits and loss agree to 1e-5", arguments: cases)
    func forward(name: String) throws {
        let (reference, data) = try ReferenceCase.load(name)
        let model = try reference.model(data)
        let loss = try model.loss(reference.batch)
        print("\(name): loss \(loss.mean), PyTorch \(reference.losses[0])")
        #expect(loss.count == reference.targets.filter { $0 >= 0 }.count)
        #expect(abs(loss.mean - reference.losses[0]) < 1e-5)
        guard reference.arrays["logits"] != nil else { return }
        let logits = try model.logits(reference.tokens, rows: reference.rows)
        #expect(logits.shape == [reference.rows, reference.columns, reference.vocabulary])
        let difference = largestDifference(try logits.values(), try reference.array("logits", data))
        print("\(name): largest difference of logits \(difference)")
        #expect(difference < 1e-5)
    }

    @Test("the gradient of every parameter agrees to 1e-6", arguments: cases)
    func gradients(name: String) throws {
        let (reference, data) = try ReferenceCase.load(name)
        let model = try reference.model(data)
        let count = Float(reference.targets.filter { $0 >= 0 }.count)
        let loss = try model.accumulateGradients(reference.batch, scale: 1 / count)
        #expect(abs(loss.mean - reference.losses[0]) < 1e-5)
        var worst: Float = 0
        for range in model.parameters.ranges {
            let ours = try model.parameters.gradient(named: range.name).values()
            let difference = largestDifference(
                ours, try reference.array("gradient/" + range.name, data))
            #expect(difference < 1e-6, "\(range.name)")
            worst = max(worst, difference)
        }
        print("\(name): largest difference of gradients \(worst)")
    }

    @Test("ten AdamW steps agree: losses to 1e-5, weights to 2e-5", arguments: cases)
    func training(name: String) throws {
        let (reference, data) = try ReferenceCase.load(name)
        let model = try reference.model(data)
        let numbers = reference.adamw
        let optimizer = try OptimizerState(
            model.parameters,
            AdamW(
                beta1: numbers.beta1, beta2: numbers.beta2, epsilon: numbers.epsilon,
                weightDecay: numbers.weight_decay, clip: numbers.clip))
        let count = Float(reference.targets.filter { $0 >= 0 }.count)
        var worstLoss = 0.0
        for step in 0..<10 {
            model.parameters.zeroGradients()
            let loss = try model.accumulateGradients(reference.batch, scale: 1 / count).mean
            let norm = try optimizer.step(learningRate: numbers.learning_rate)
            worstLoss = max(worstLoss, abs(loss - reference.losses[step]))
            #expect(abs(norm - reference.norms[step]) < 1e-4 * reference.norms[step])
        }
        #expect(worstLoss < 1e-5)
        var worst: Float = 0
        for range in model.parameters.ranges {
            let ours = try model.parameters.tensor(named: range.name).values()
            let difference = largestDifference(
                ours, try reference.array("final/" + range.name, data))
            #expect(difference < 2e-5, "\(range.name)")
            worst = max(worst, difference)
        }
        print("\(name): largest difference of ten losses \(worstLoss), of final weights \(worst)")
    }

    @Test("bfloat16 stays near the float32 reference", arguments: cases)
    func bfloat16(name: String) throws {
        let (reference, data) = try ReferenceCase.load(name)
        let model = try reference.model(data, precision: .bfloat16)
        let loss = try model.loss(reference.batch).mean
        print("\(name): bfloat16 loss \(loss), float32 \(reference.losses[0])")
        #expect(abs(loss - reference.losses[0]) < 0.02)
        #expect(loss != reference.losses[0])
    }
}
