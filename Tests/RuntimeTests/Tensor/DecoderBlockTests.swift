import Foundation
import Runtime
import Testing

/// The blocks of decoders against finite differences and against attention written out.
@Suite("Decoder blocks")
struct DecoderBlockTests {
    private static let activations: [(String, Activation.Function)] = [
        ("silu", .silu), ("gelu", .gelu), ("gelu_tanh", .geluTanh), ("relu", .relu),
        ("relu2", .squaredReLU),
    ]

    private static func feedForward(
        _ name: String, _ function: Activation.Function, isGated: Bool, biases: Bool, norms: Int
    ) -> GradientCase {
        let (width, inner) = (6, 9)
        let middle = isGated ? 2 * inner : inner
        var shapes = [[5, width], [middle, width], [width, inner]]
        if biases { shapes += [[middle], [width]] }
        if norms > 0 { shapes += Array(repeating: [width], count: norms) }
        let text = "\(isGated ? "gated " : "")\(name), \(biases ? "" : "no ")biases, \(norms) norms"
        return GradientCase(name: text, shapes: shapes, low: 0.1, high: 0.9) { inputs in
            var rest = inputs[3...]
            let first = biases ? rest.removeFirst() : nil
            let second = biases ? rest.removeFirst() : nil
            func norm() -> NormWeights? {
                rest.popFirst().map { NormWeights(gain: $0, bias: nil, epsilon: 1e-5) }
            }
            return try inputs[0].feedForward(
                norm(), up: Affine(weight: inputs[1], bias: first),
                down: Affine(weight: inputs[2], bias: second),
                Activation(function, isGated: isGated),
                after: norm(), adding: inputs[0], precision: .float32)
        }
    }

    static let feedForwards = activations.flatMap { name, function in
        [
            feedForward(name, function, isGated: true, biases: false, norms: 1),
            feedForward(name, function, isGated: true, biases: true, norms: 2),
            feedForward(name, function, isGated: false, biases: true, norms: 0),
        ]
    }

    /// Attention of two rows with matrices of their own for queries, keys and values.
    private static func attention(
        _ name: String, columns: Int = 7, heads: GroupedHeads, rotated: Int = 2,
        norms: HeadNorms.Type? = nil, whole: Bool = false, biases: Bool = false, offset: Float = 0,
        after: Bool = false
    ) -> GradientCase {
        let width = 5
        let (query, key) = (heads.heads * heads.size, heads.groups * heads.size)
        var shapes = [
            [2 * columns, width], [query, width], [key, width], [key, width], [width, query],
        ]
        shapes.append([width])
        if biases { shapes += [[query], [key], [key], [width]] }
        if norms != nil { shapes += whole ? [[query], [key]] : [[heads.size], [heads.size]] }
        if after { shapes.append([width]) }
        return GradientCase(name: name, shapes: shapes) { inputs in
            var rest = inputs[6...]
            func norm(_ gain: Tensor) throws -> NormWeights {
                NormWeights(gain: gain, bias: nil, epsilon: 1e-3, offset: 1)
            }
            let bias = biases ? (0..<4).map { _ in rest.removeFirst() } : []
            let gains =
                norms == nil
                ? nil
                : HeadNorms(
                    query: rest.removeFirst(), key: rest.removeFirst(), epsilon: 1e-2,
                    offset: offset, isWhole: whole)
            return try inputs[0].groupedAttentionBlock(
                try norm(inputs[5]),
                qkv: Affine(weights: Array(inputs[1...3]), biases: Array(bias.prefix(3))),
                heads: heads, norms: gains, dense: Affine(weight: inputs[4], bias: bias.last),
                after: try rest.popFirst().map { try norm($0) }, rows: 2,
                angles: RotaryAngles(rotated: rotated, positions: columns), precision: .float32)
        }
    }

    static let attentions = [
        attention("heads of their own", heads: GroupedHeads(heads: 2, groups: 2, size: 4)),
        attention("grouped heads", heads: GroupedHeads(heads: 4, groups: 2, size: 4), biases: true),
        attention(
            "one head of keys, no positions", heads: GroupedHeads(heads: 3, groups: 1, size: 2),
            rotated: 0, after: true),
        attention(
            "norms of heads", heads: GroupedHeads(heads: 4, groups: 2, size: 4),
            norms: HeadNorms.self, biases: true, offset: 1),
        attention(
            "norms of all heads", heads: GroupedHeads(heads: 2, groups: 2, size: 4),
            norms: HeadNorms.self, whole: true, after: true),
        attention(
            "a window", columns: 9,
            heads: GroupedHeads(heads: 2, groups: 1, size: 4, window: 3), biases: true),
        attention(
            "a window over several blocks", columns: 140,
            heads: GroupedHeads(heads: 1, groups: 1, size: 2, window: 70)),
        attention(
            "capped scores", heads: GroupedHeads(heads: 2, groups: 2, size: 4, scale: 0.9, cap: 0.5)
        ),
        attention(
            "capped scores in a window", columns: 9,
            heads: GroupedHeads(heads: 2, groups: 1, size: 4, window: 4, cap: 0.7),
            norms: HeadNorms.self),
    ]

    @Test("gradients agree with finite differences", arguments: feedForwards + attentions)
    func finiteDifferences(test: GradientCase) throws {
        let error = try gradientError(test)
        #expect(error < 4e-3, "\(test.name): \(error)")
    }

    @Test("capped numbers have the gradient of finite differences")
    func cap() throws {
        let test = GradientCase(name: "cap", shapes: [[40]], low: -3, high: 3) {
            try $0[0].capped(1.5)
        }
        #expect(try gradientError(test) < 2e-3)
    }

    /// Attention written out for heads that lie as `groupedAttentionBlock` has them.
    private func plainly(
        _ joint: [Float], columns: Int, _ heads: GroupedHeads, base: Double, rotated: Int
    ) -> [Float] {
        let (size, stride) = (heads.size, heads.columns)
        func turned(_ first: Int, _ position: Int) -> [Double] {
            var x = (0..<size).map { Double(joint[position * stride + first + $0]) }
            let half = rotated / 2
            for pair in 0..<half {
                let angle = Double(position) * pow(base, -2 * Double(pair) / Double(rotated))
                let (a, b) = (x[pair], x[pair + half])
                x[pair] = a * cos(angle) - b * sin(angle)
                x[pair + half] = b * cos(angle) + a * sin(angle)
            }
            return x
        }
        var result = Array(repeating: Float(0), count: columns * heads.heads * size)
        for head in 0..<heads.heads {
            let group = head / (heads.heads / heads.groups)
            for position in 0..<columns {
                let q = turned(head * size, position)
                let first = max(0, position + 1 - (heads.window ?? columns))
                let weights = (first...position).map { other -> Double in
                    let k = turned((heads.heads + group) * size, other)
                    let score = Double(heads.scale) * zip(q, k).reduce(0) { $0 + $1.0 * $1.1 }
                    return exp(heads.cap.map { Double($0) * tanh(score / Double($0)) } ?? score)
                }
                for (weight, other) in zip(weights, first...position) {
                    let v = other * stride + (heads.heads + heads.groups + group) * size
                    for place in 0..<size {
                        result[(position * heads.heads + head) * size + place] += Float(
                            weight / weights.reduce(0, +) * Double(joint[v + place]))
                    }
                }
            }
        }
        return result
    }

    @Test(
        "attention of groups, windows and caps is attention written out",
        arguments: [
            GroupedHeads(heads: 4, groups: 2, size: 16),
            GroupedHeads(heads: 3, groups: 1, size: 6, scale: 0.3),
            GroupedHeads(heads: 2, groups: 2, size: 8, window: 20),
            GroupedHeads(heads: 4, groups: 2, size: 8, window: 1),
            GroupedHeads(heads: 2, groups: 1, size: 8, window: 100, cap: 0.8),
            GroupedHeads(heads: 2, groups: 2, size: 32, cap: 2),
        ])
    func values(heads: GroupedHeads) throws {
        for columns in [1, 5, 64, 130] {
            let width = heads.columns
            let x = try Tensor.uniform([columns, width], low: -1, high: 1, seed: 3)
            let inner = heads.heads * heads.size
            // Matrices that leave what they multiply as it is.
            func same(_ count: Int) throws -> Tensor {
                try Tensor.generate([count, count]) { $0 / count == $0 % count ? 1 : 0 }
            }
            let rotated = heads.size / 4 * 2
            let angles = try RotaryAngles(rotated: rotated, positions: columns)
            let cache = try GroupedCache(heads, norms: nil, angles: angles, precision: .float32)
            let expected = plainly(
                try x.values(), columns: columns, heads, base: 10_000, rotated: rotated)
            let found = try cache.attend(x, filled: 0).values()
            #expect(largestDifference(found, expected) < 2e-6)
            // The same token by token, and by the block that is trained.
            for position in 0..<columns {
                let row = try x.sliced(axis: 0, position..<position + 1)
                let one = try cache.attend(row, filled: position).values()
                let place = position * inner..<(position + 1) * inner
                #expect(largestDifference(one, expected[place]) < 2e-6)
            }
            let padding = try Tensor.generate([width, inner]) { $0 / inner == $0 % inner ? 1 : 0 }
            let block = try x.groupedAttentionBlock(
                nil, qkv: Affine(weight: same(width), bias: nil), heads: heads, norms: nil,
                dense: Affine(weight: padding, bias: nil), after: nil, rows: 1, angles: angles,
                precision: .float32)
            let attended = try block.subtracting(x).sliced(axis: 1, 0..<inner).values()
            #expect(largestDifference(attended, expected) < 4e-6)
        }
    }

    @Test("matrices that lie one behind the other are multiplied as one, to the bits of others")
    func neighbours() throws {
        let shapes = [[6, 8], [2, 8], [2, 8]]
        func run(apart: Bool) throws -> [[UInt32]] {
            let whole = try Tensor.uniform([10, 8], low: -1, high: 1, seed: 4)
            var start = 0
            let weights = try shapes.map { shape -> Tensor in
                defer { start += shape[0] }
                let part = try whole.sliced(axis: 0, start..<start + shape[0])
                return (apart ? try part.copied() : part).requiringGradient()
            }
            let x = try Tensor.uniform([9, 8], low: -1, high: 1, seed: 5).requiringGradient()
            let down = try Tensor.uniform([8, 5], low: -1, high: 1, seed: 6)
            let y = try x.feedForward(
                nil, up: Affine(weights: weights, biases: []),
                down: Affine(weight: down, bias: nil),
                Activation(.silu, isGated: true), adding: x, precision: .float32)
            try y.backward(try Tensor.uniform([9, 8], low: -1, high: 1, seed: 7))
            return try ([y] + (weights + [x]).map { try #require($0.gradient) }).map {
                try $0.values().map(\.bitPattern)
            }
        }
        #expect(try run(apart: true) == run(apart: false))
    }
}
