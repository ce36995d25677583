import Runtime
import Testing

/// An operation and the shapes it is tried on; inputs are uniform in `low ..< high`.
struct GradientCase: Sendable, CustomTestStringConvertible {
    var name: String
    var shapes: [[Int]]
    var low: Float = -1
    var high: Float = 1
    var tolerance: Float = 2e-3
    var function: @Sendable ([Tensor]) throws -> Tensor
    var testDescription: String { name }
}

/// The largest difference between `backward()` and central differences, relative to the largest
/// slope or 1.
func gradientError(_ test: GradientCase) throws -> Float {
    let inputs = try test.shapes.enumerated().map { index, shape in
        try Tensor.uniform(shape, low: test.low, high: test.high, seed: UInt64(index + 11))
    }
    let leaves = inputs.map { $0.requiringGradient() }
    let result = try test.function(leaves)
    let weights = try Tensor.uniform(result.shape, low: -1, high: 1, seed: 5)
    try result.multiplied(by: weights).sum().backward()
    func loss(_ inputs: [Tensor]) throws -> Double {
        let values = try test.function(inputs).values()
        return zip(values, try weights.values()).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let step: Float = 4e-3
    var worst: Float = 0
    for (position, input) in inputs.enumerated() {
        let gradient = try #require(leaves[position].gradient)
        #expect(gradient.shape == input.shape)
        let values = try input.values()
        let ours = try gradient.values()
        for index in stride(from: 0, to: values.count, by: max(1, values.count / 40)) {
            var sides: [Double] = []
            for sign: Float in [1, -1] {
                var moved = values
                moved[index] += sign * step
                var arguments = inputs
                arguments[position] = try Tensor.from(moved, shape: input.shape)
                sides.append(try loss(arguments))
            }
            let slope = Float((sides[0] - sides[1]) / Double(2 * step))
            worst = max(worst, abs(slope - ours[index]) / max(1, abs(slope)))
        }
    }
    return worst
}

@Suite("Gradients")
struct GradientTests {
    static let ids: [Int32] = [3, 0, 3, 4, 1]

    static let cases: [GradientCase] = [
        .init(name: "+ with broadcasting", shapes: [[3, 4], [4]]) { try $0[0].adding($0[1]) },
        .init(name: "- with broadcasting", shapes: [[3, 1], [1, 4]]) {
            try $0[0].subtracting($0[1])
        },
        .init(name: "*", shapes: [[2, 3, 4], [3, 1]]) { try $0[0].multiplied(by: $0[1]) },
        .init(name: "* by itself", shapes: [[5]]) { try $0[0].multiplied(by: $0[0]) },
        .init(name: "* by a number", shapes: [[5], []]) { try $0[0].multiplied(by: $0[1]) },
        .init(name: "/", shapes: [[3, 4], [4]], low: 0.5, high: 2) { try $0[0].divided(by: $0[1]) },
        .init(name: "pow", shapes: [[3, 4], [4]], low: 0.5, high: 2) {
            try $0[0].raised(to: $0[1])
        },
        .init(name: "neg", shapes: [[3]]) { try $0[0].negated() },
        .init(name: "maximum", shapes: [[40], [40]]) { try $0[0].maximum($0[1]) },
        .init(name: "minimum", shapes: [[40], [40]]) { try $0[0].minimum($0[1]) },
        .init(name: "exp", shapes: [[7]]) { try $0[0].exponential() },
        .init(name: "log", shapes: [[7]], low: 0.5, high: 3) { try $0[0].logarithm() },
        .init(name: "sqrt", shapes: [[7]], low: 0.5, high: 3) { try $0[0].squareRoot() },
        .init(name: "tanh", shapes: [[7]], low: -2, high: 2) { try $0[0].hyperbolicTangent() },
        .init(name: "sigmoid", shapes: [[7]], low: -3, high: 3) { try $0[0].sigmoid() },
        .init(name: "relu", shapes: [[7]], low: 0.1, high: 3) { try $0[0].relu() },
        .init(name: "relu below 0", shapes: [[7]], low: -3, high: -0.1) { try $0[0].relu() },
        .init(name: "abs", shapes: [[7]], low: -3, high: -0.1) { try $0[0].absolute() },
        .init(name: "gelu", shapes: [[70]], low: -4, high: 4) { try $0[0].gelu() },
        .init(name: "gelu, tanh form", shapes: [[70]], low: -4, high: 4) {
            try $0[0].gelu(tanhForm: true)
        },
        .init(name: "where", shapes: [[3, 4], [4]]) {
            try Tensor.from([1, 0, 0, 1], shape: [4]).choosing($0[0], $0[1])
        },
        .init(name: "matmul", shapes: [[3, 5], [5, 4]]) { try $0[0].matmul($0[1]) },
        .init(name: "batched matmul", shapes: [[2, 3, 5], [2, 5, 4]]) { try $0[0].matmul($0[1]) },
        .init(name: "matmul of a batch and a matrix", shapes: [[2, 3, 5], [5, 4]]) {
            try $0[0].matmul($0[1])
        },
        .init(name: "matmul of a matrix and a batch", shapes: [[3, 5], [2, 5, 4]]) {
            try $0[0].matmul($0[1])
        },
        .init(name: "transpose", shapes: [[3, 5], [3, 4]]) { try $0[0].transposed().matmul($0[1]) },
        .init(name: "permute", shapes: [[2, 3, 4], [2, 4, 3]]) {
            try $0[0].permuted([0, 2, 1]).multiplied(by: $0[1])
        },
        .init(name: "reshape", shapes: [[2, 6], [3, 4]]) {
            try $0[0].reshaped([3, -1]).multiplied(by: $0[1])
        },
        .init(name: "slice", shapes: [[4, 5]]) { try $0[0].sliced(axis: 1, 1..<3) },
        .init(name: "slice of a transpose", shapes: [[4, 5]]) {
            try $0[0].transposed().sliced(axis: 0, 2..<5)
        },
        .init(name: "concatenate", shapes: [[2, 3], [2, 2]]) {
            try Tensor.concatenated($0, axis: 1)
        },
        .init(name: "rows", shapes: [[5, 3]]) { try $0[0].rows(ids) },
        .init(name: "take", shapes: [[5, 2, 3]]) { try $0[0].taking(ids) },
        .init(name: "take from another axis", shapes: [[2, 5, 3]]) {
            try $0[0].taking(ids, axis: 1)
        },
        .init(name: "gather", shapes: [[3, 4]]) {
            try $0[0].gathered([0, 0, 3, 1, 2, 2], shape: [3, 2])
        },
        .init(name: "gather on another axis", shapes: [[4, 3, 2]]) {
            try $0[0].gathered([0, 3, 1, 1, 2, 0], shape: [1, 3, 2], axis: 0)
        },
        .init(name: "largest", shapes: [[3, 9]]) { try $0[0].largest(2).values },
        .init(name: "select", shapes: [[4, 3, 2]]) { try $0[0].selected(2, axis: 1) },
        .init(name: "expand", shapes: [[3, 1]]) { try $0[0].expanded(to: [2, 3, 4]) },
        .init(name: "squeeze", shapes: [[3, 1, 2]]) { try $0[0].squeezed(axis: 1) },
        .init(name: "unsqueeze", shapes: [[3, 2]]) { try $0[0].unsqueezed(axis: 1) },
        .init(name: "stack", shapes: [[2, 3], [2, 3]]) { try Tensor.stacked($0, axis: 1) },
        .init(name: "vector times matrix", shapes: [[3], [3, 4]]) { try $0[0].product($0[1]) },
        .init(name: "batch times vector", shapes: [[2, 3, 4], [4]]) { try $0[0].product($0[1]) },
        .init(name: "vector times vector", shapes: [[4], [4]]) { try $0[0].product($0[1]) },
        .init(name: "norm", shapes: [[9]]) { try $0[0].norm() },
        .init(name: "norm over an axis", shapes: [[3, 4, 2]]) { try $0[0].norm(axis: 1) },
        .init(name: "standard deviation", shapes: [[3, 6]]) {
            try $0[0].standardDeviation(axis: 1, correction: 1)
        },
        .init(name: "sum", shapes: [[3, 4]]) { try $0[0].sum() },
        .init(name: "sum over an axis", shapes: [[3, 4, 2]]) { try $0[0].sum(axis: 1) },
        .init(name: "mean", shapes: [[3, 4]]) { try $0[0].mean(axis: 0) },
        .init(name: "variance", shapes: [[3, 4]]) { try $0[0].variance(axis: 1, correction: 1) },
        .init(name: "variance of all", shapes: [[3, 4]]) { try $0[0].variance() },
        .init(name: "max over an axis", shapes: [[3, 14]]) { try $0[0].maximum(axis: 0) },
        .init(name: "min", shapes: [[9]]) { try $0[0].minimum() },
        .init(name: "softmax", shapes: [[3, 6]], low: -3, high: 3) { try $0[0].softmax() },
        .init(name: "softmax over another axis", shapes: [[6, 3]], low: -3, high: 3) {
            try $0[0].softmax(axis: 0)
        },
        .init(name: "log-softmax", shapes: [[3, 6]], low: -3, high: 3) { try $0[0].logSoftmax() },
        .init(name: "layer norm", shapes: [[5, 6], [6], [6]], tolerance: 5e-3) {
            try $0[0].layerNorm(gain: $0[1], bias: $0[2])
        },
        .init(name: "linear", shapes: [[5, 6], [4, 6], [4]]) {
            try $0[0].linear($0[1], bias: $0[2])
        },
        .init(name: "cross-entropy", shapes: [[5, 6]], low: -3, high: 3) {
            try $0[0].crossEntropy([1, -1, 5, 0, 0])
        },
        .init(name: "attention", shapes: [[10, 2 * 3 * 4]]) {
            try $0[0].causalAttention(
                rows: 2, heads: 2, angles: RotaryAngles(rotated: 2, positions: 8))
        },
        .init(name: "attention over several blocks", shapes: [[130, 3 * 4]]) {
            try $0[0].causalAttention(
                rows: 1, heads: 1, angles: RotaryAngles(rotated: 4, positions: 130))
        },
    ]

    @Test("agree with finite differences", arguments: cases)
    func finiteDifferences(test: GradientCase) throws {
        let error = try gradientError(test)
        #expect(error < test.tolerance)
        if error > 1e-3 { print("gradient of \(test.name): largest difference \(error)") }
    }

    @Test("add up over uses and over backward passes")
    func accumulation() throws {
        let x = try Tensor.from([2, 3], shape: [2]).requiringGradient()
        let y = try x.multiplied(by: x).adding(x)
        try y.sum().backward()
        let first = try #require(x.gradient)
        #expect(try first.values() == [5, 7])
        try x.sum().backward()
        #expect(try x.gradient?.values() == [6, 8])
        #expect(try first.values() == [5, 7], "a gradient once handed out does not change")
        x.clearGradient()
        #expect(x.gradient == nil)
    }

    @Test("are not recorded without gradients or for detached tensors")
    func notRecorded() throws {
        let x = try Tensor.ones([2]).requiringGradient()
        #expect(try Tape.withoutGradients { try x.adding(x) }.requiresGradient == false)
        #expect(try x.detached.adding(x.detached).requiresGradient == false)
        #expect(throws: GradientError.self) { try x.detached.sum().backward() }
    }

    @Test("need a single number or weights, and a history that is not used up")
    func misuse() throws {
        let x = try Tensor.ones([2]).requiringGradient()
        #expect(throws: ShapeError.self) { try x.backward() }
        #expect(throws: ShapeError.self) { try x.backward(Tensor.ones([3])) }
        let y = try x.multiplied(by: x)
        let z = try y.sum()
        try z.backward()
        #expect(throws: GradientError.self) { try z.backward() }
        #expect(throws: GradientError.self) { try y.sum().backward() }
    }

    @Test("a history of 200,000 operations is walked and released without overflowing the stack")
    func longHistory() throws {
        let x = try Tensor.ones([]).requiringGradient()
        var y = x
        for _ in 0..<200_000 { y = try y.adding(x) }
        var dropped = x
        for _ in 0..<200_000 { dropped = try dropped.adding(x) }
        dropped = x
        try y.backward()
        #expect(try x.gradient?.item() == 200_001)
    }
}
