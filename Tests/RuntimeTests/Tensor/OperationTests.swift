import Foundation
import Runtime
import Testing

@Suite("Tensor operations")
struct OperationTests {
    @Test(
        "matmul agrees with the definition",
        arguments: [
            [1, 1, 1], [3, 5, 2], [65, 33, 129], [200, 300, 70], [1, 700, 40], [257, 1, 16],
        ])
    func matmul(sizes: [Int]) throws {
        let (m, n, k) = (sizes[0], sizes[1], sizes[2])
        let a = try Tensor.uniform([m, k], low: -1, seed: 1)
        let b = try Tensor.uniform([k, n], low: -1, seed: 2)
        let (left, right) = (try a.values(), try b.values())
        var expected: [Float] = []
        for i in 0..<m {
            for j in 0..<n {
                var sum = 0.0
                for l in 0..<k { sum += Double(left[i * k + l]) * Double(right[l * n + j]) }
                expected.append(Float(sum))
            }
        }
        #expect(largestDifference(try a.matmul(b).values(), expected) < 2e-5)
        let transposed = try b.transposed().copied().transposed()
        #expect(largestDifference(try a.matmul(transposed).values(), expected) < 2e-5)
    }

    @Test("attention agrees with the definition", arguments: [1, 2, 63, 64, 65, 130])
    func attention(columns: Int) throws {
        let (rows, heads, size) = (2, 3, 5)
        let x = try Tensor.uniform([rows * columns, heads * 3 * size], low: -2, high: 2, seed: 3)
        let ours = try x.causalAttention(
            rows: rows, heads: heads, angles: RotaryAngles(rotated: 0, positions: columns))
        let parts = try x.reshaped([rows, columns, heads, 3, size]).permuted([3, 0, 2, 1, 4])
        func part(_ index: Int) throws -> Tensor {
            try parts.sliced(axis: 0, index..<index + 1).reshaped([rows, heads, columns, size])
        }
        let scale = try Tensor.full([], 1 / Float(size).squareRoot())
        let scores = try part(0).matmul(part(1).transposed()).multiplied(by: scale)
        let positions = try Tensor.range(from: 0, to: Double(columns))
        let seen = try positions.lessOrEqual(to: positions.reshaped([columns, 1]))
        let masked = try seen.choosing(scores, Tensor.full([], -1e30))
        let expected = try masked.softmax().matmul(part(2)).permuted([0, 2, 1, 3])
        let difference = largestDifference(try ours.values(), try expected.values())
        #expect(difference < 2e-6)
    }

    @Test("GELU is within 1e-6 of x times the normal distribution function")
    func gelu() throws {
        let x = try Tensor.range(from: -8, to: 8, by: 0.01)
        let ours = try x.gelu().values()
        let expected = try x.values().map { value in
            Float(Double(value) * 0.5 * erfc(-Double(value) / 2.0.squareRoot()))
        }
        let difference = largestDifference(ours, expected)
        print("GELU: largest difference \(difference)")
        #expect(difference < 1e-6)
    }

    @Test("broadcasting stretches axes of size 1 and names both shapes when it cannot")
    func broadcasting() throws {
        let a = try Tensor.from([1, 2, 3], shape: [3, 1])
        let b = try Tensor.from([10, 20], shape: [2])
        #expect(try a.adding(b).values() == [11, 21, 12, 22, 13, 23])
        #expect(try a.adding(b).shape == [3, 2])
        #expect(try Tensor.ones([2]).adding(Tensor.ones([])).shape == [2])
        let error = #expect(throws: ShapeError.self) {
            try Tensor.ones([2, 3]).adding(Tensor.ones([4]))
        }
        #expect(error?.message.contains("+: shapes [2, 3] and [4] do not fit") == true)
    }

    @Test("comparisons give 0 and 1, where chooses, and NaN is not hidden")
    func comparisons() throws {
        let a = try Tensor.from([1, 2, .nan], shape: [3])
        let b = try Tensor.from([1, 3, 1], shape: [3])
        #expect(try a.equal(to: b).values() == [1, 0, 0])
        #expect(try a.less(than: b).values() == [0, 1, 0])
        #expect(try a.lessOrEqual(to: b).values() == [1, 1, 0])
        #expect(try a.less(than: b).choosing(a, b).values() == [1, 2, 1])
        #expect(try a.maximum(b).values()[2].isNaN)
        #expect(try a.minimum(b).values()[2].isNaN)
        #expect(try a.maximum().item().isNaN)
        #expect(try a.sum().item().isNaN)
        #expect(try a.softmax().values().allSatisfy(\.isNaN))
        #expect(try a.gelu().values()[2].isNaN)
        #expect(try a.relu().values()[2].isNaN)
    }

    @Test("reductions over an axis and over all")
    func reductions() throws {
        let x = try Tensor.from([1, 5, 3, 4, 2, 6], shape: [2, 3])
        #expect(try x.sum(axis: 0).values() == [5, 7, 9])
        #expect(try x.sum(axis: -1, keepsAxis: true).shape == [2, 1])
        #expect(try x.mean().item() == 3.5)
        #expect(try x.maximum(axis: 1).values() == [5, 6])
        #expect(try x.minimum(axis: 0).values() == [1, 2, 3])
        #expect(try x.argmax(axis: 1).values() == [1, 2])
        #expect(try x.argmax().item() == 5)
        #expect(abs(try x.variance(correction: 1).item() - 3.5) < 1e-6)
        #expect(try Tensor.zeros([0, 3]).sum(axis: 0).values() == [0, 0, 0])
        #expect(throws: ShapeError.self) { try Tensor.zeros([0]).mean() }
        #expect(throws: ShapeError.self) { try Tensor.zeros([0, 3]).maximum(axis: 0) }
        #expect(throws: InvalidValue.self) { try x.sum(axis: 2) }
    }

    @Test("views share storage and copies do not")
    func views() throws {
        let x = try Tensor.range(from: 0, to: 24).reshaped([2, 3, 4])
        #expect(try x.permuted([2, 0, 1]).shape == [4, 2, 3])
        #expect(try x.permuted([2, 0, 1]).values().prefix(7) == [0, 4, 8, 12, 16, 20, 1])
        #expect(x.permuted_shares)
        #expect(try x.sliced(axis: 1, 1..<2).values() == [4, 5, 6, 7, 16, 17, 18, 19])
        #expect(try x.transposed().reshaped([-1]).values().prefix(4) == [0, 4, 8, 1])
        #expect(throws: InvalidValue.self) { try x.sliced(axis: 1, 1..<4) }
        #expect(throws: InvalidValue.self) { try x.permuted([0, 0, 1]) }
        #expect(throws: ShapeError.self) { try x.reshaped([5, -1]) }
        #expect(throws: ShapeError.self) { try x.reshaped([-2, -12]) }
        #expect(throws: ShapeError.self) { try Tensor.zeros([1 << 30, 1 << 30]) }
    }

    @Test("bad shapes and ids are errors that name them")
    func badArguments() throws {
        let table = try Tensor.ones([4, 2])
        let outside = #expect(throws: InvalidValue.self) { try table.rows([1, 4]) }
        #expect(outside?.message == "row 1: expected a row number below 4, got 4")
        let inner = #expect(throws: ShapeError.self) { try table.matmul(table) }
        #expect(inner?.message.hasPrefix("matmul: shapes [4, 2] and [4, 2] do not fit") == true)
        #expect(throws: InvalidValue.self) { try table.crossEntropy([-1, -1, -1, -1]) }
        #expect(throws: InvalidValue.self) { try table.crossEntropy([0, 0, 2, 0]) }
        #expect(throws: ShapeError.self) { try table.crossEntropy([0]) }
        #expect(throws: InvalidValue.self) { try Tensor.range(from: 0, to: 1, by: -1) }
        #expect(throws: ShapeError.self) { try Tensor.from([1], shape: [2]) }
    }

    @Test("empty axes and sizes whose product overflows are errors or empty results, never traps")
    func extremes() throws {
        #expect(throws: ShapeError.self) { try Tensor.zeros([0, 1 << 40, 1 << 40]) }
        #expect(throws: ShapeError.self) { try Tensor.ones([4]).reshaped([-1, 1 << 40, 1 << 40]) }
        #expect(throws: ShapeError.self) { try Tensor.ones([1]).expanded(to: [1 << 30, 1 << 30]) }
        #expect(throws: ShapeError.self) {
            try Tensor.zeros([2, 0]).product(Tensor.zeros([0, 2]))
        }
        #expect(throws: ShapeError.self) { try Tensor.zeros([2, 0]).linear(Tensor.zeros([3, 0])) }
        #expect(try Tensor.zeros([2, 0]).adding(Tensor.ones([1])).shape == [2, 0])
        #expect(try Tensor.zeros([3, 0]).taking([2, 2, 0]).shape == [3, 0])
        #expect(try Tensor.zeros([0, 3]).largest(2).values.shape == [0, 2])
        #expect(try Tensor.identity(0).shape == [0, 0])
        let wide = try Tensor.ones([1]).expanded(to: [1 << 40])
        #expect("\(wide)".hasSuffix("tensor[1099511627776]"))
        #expect(throws: OutOfMemory.self) { try wide.values() }
        #expect(throws: OutOfMemory.self) { try wide.adding(wide) }
    }

    @Test("selection picks positions in order and refuses those that are not there")
    func selection() throws {
        let x = try Tensor.range(from: 0, to: 24).reshaped([2, 3, 4])
        #expect(try x.selected(1, axis: 1).values() == [4, 5, 6, 7, 16, 17, 18, 19])
        #expect(try x.taking([2, 0], axis: 1).shape == [2, 2, 4])
        #expect(try x.taking([2, 0], axis: 1).values().prefix(5) == [8, 9, 10, 11, 0])
        let picked = try x.gathered([3, 0, 1, 2, 2, 2], shape: [2, 3, 1])
        #expect(try picked.values() == [3, 4, 9, 14, 18, 22])
        #expect(throws: InvalidValue.self) { try x.taking([2]) }
        #expect(throws: InvalidValue.self) { try x.selected(2) }
        #expect(throws: ShapeError.self) { try x.gathered([0], shape: [1, 1, 1]) }
        let (values, positions) = try Tensor.from([1, .nan, 3, 3], shape: [4]).largest(3)
        #expect(try values.values()[0].isNaN && values.values()[1...] == [3, 3])
        #expect(try positions.values() == [1, 2, 3])
        #expect(try Tensor.range(from: 0, through: 1, by: 0.1).count == 11)
        #expect(try Tensor.range(from: 3, through: 1, by: -1).values() == [3, 2, 1])
    }

    @Test("seeded tensors are a function of seed and position")
    func seeded() throws {
        let a = try Tensor.normal([100], seed: 4)
        #expect(try a.values() == Array(try Tensor.normal([200], seed: 4).values().prefix(100)))
        #expect(try a.values() != (try Tensor.normal([100], seed: 5).values()))
        let uniform = try Tensor.uniform([1000], low: 2, high: 3, seed: 1)
        #expect(try uniform.minimum().item() >= 2)
        #expect(try uniform.maximum().item() < 3)
    }

    @Test("printing shows numbers and shape, and shortens large tensors")
    func printing() throws {
        #expect(try "\(Tensor.from([1, 2.5], shape: [2]))" == "       1  2.5000\ntensor[2]")
        #expect(try "\(Tensor.full([], 3))" == "3  tensor[]")
        #expect(try "\(Tensor.zeros([0, 2]))" == "tensor[0, 2]")
        let large = try "\(Tensor.zeros([1000, 1000]))"
        #expect(large.count < 600)
        #expect(large.contains("…") && large.hasSuffix("tensor[1000, 1000]"))
        #expect(try "\(Tensor.zeros([2, 1, 1]))".hasPrefix("[1, :, :]\n  0\n[2, :, :]"))
    }

    @Test("a tensor prints no wider than the screen, and sums up what it leaves out")
    func screen() throws {
        let wide = try Tensor.normal([3, 200], seed: 1)
        for width in [30, 60, 80, 200] {
            let lines = wide.text(width: width).split(separator: "\n")
            #expect(lines.count == 4)
            #expect(lines.allSatisfy { $0.columns <= width }, "\(width): \(lines)")
        }
        let whole = try Tensor.from([1, .nan], shape: [2])
        #expect(whole.text(isDetailed: true).hasSuffix("tensor[2] float32"))
        let long = try Tensor.from([Float](repeating: 1, count: 49) + [.infinity], shape: [50])
        #expect(
            long.text(isDetailed: true).hasSuffix(
                "tensor[50] float32  min 1, mean 1, max 1, std 0, 1 not finite"))
    }
}

extension Tensor {
    fileprivate var permuted_shares: Bool { (try? transposed().storage === storage) ?? false }
}
