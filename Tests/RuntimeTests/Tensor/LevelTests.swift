import CKernels
import Foundation
import Runtime
import TestSupport
import Testing

/// The kernels of every level of instructions that this processor has, against those of any processor.
@Suite("Levels of kernels") struct LevelTests {
    /// A call of one kernel on fixed numbers.
    struct Case: Sendable {
        let name: String
        /// Numbers of its result.
        let count: Int
        /// How far levels may be apart, of the largest number of the result.
        let tolerance: Float
        let run: @Sendable (_ level: ck_kernels, _ out: UnsafeMutablePointer<Float>) -> Void

        init(
            _ name: String, _ count: Int, within tolerance: Float = 2e-6,
            _ run: @escaping @Sendable (ck_kernels, UnsafeMutablePointer<Float>) -> Void
        ) {
            self.name = name
            self.count = count
            self.tolerance = tolerance
            self.run = run
        }

        func result(_ level: ck_kernels) -> [Float] {
            // What a kernel adds to is there before.
            var out = LevelTests.numbers(count, seed: 99).map(abs)
            run(level, &out)
            return out
        }
    }

    static func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var draws = Draws(seed: seed)
        return (0..<count).map { _ in Float.random(in: -2...2, using: &draws) }
    }

    /// 64-bit numbers that a kernel writes, as 32-bit ones.
    private static func doubles(
        _ count: Int, _ out: UnsafeMutablePointer<Float>,
        _ body: (UnsafeMutablePointer<Double>) -> Void
    ) {
        var wide = [Double](repeating: 0, count: count)
        body(&wide)
        for i in 0..<count { out[i] = Float(wide[i]) }
    }

    /// bfloat16 numbers that a kernel writes, as 32-bit ones.
    private static func halves(
        _ count: Int, _ out: UnsafeMutablePointer<Float>,
        _ body: (UnsafeMutablePointer<UInt16>) -> Void
    ) {
        var narrow = [UInt16](repeating: 0, count: count)
        body(&narrow)
        for i in 0..<count { out[i] = Float(bitPattern: UInt32(narrow[i]) << 16) }
    }

    /// Several units of work each, with rests of vectors of every length.
    static let cases: [Case] = rowCases + numberCases + productCases + attentionCases

    private static let rows = 130
    private static let width = 301

    private static var rowCases: [Case] {
        let (rows, width) = (rows, width)
        let (x, dy) = (numbers(rows * width, seed: 1), numbers(rows * width, seed: 2))
        let (gain, bias) = (numbers(width, seed: 3), numbers(width, seed: 4))
        let (mean, rstd) = (numbers(rows, seed: 5), numbers(rows, seed: 6).map { abs($0) + 0.5 })
        // Ids of a table of `width` rows, and columns of logits.
        let ids = (0..<rows).map { Int32($0 * 37 % width) }
        let table = numbers(width * width, seed: 19)
        let all = rows * width
        var cases = [
            Case("layer norm", all + 2 * rows) {
                $0.layer_norm(rows, width, 1e-5, x, gain, bias, 0, $1, $1 + all, $1 + all + rows)
            },
            Case("layer norm, narrow", all + 2 * rows, within: 5e-3) { level, out in
                halves(all, out) {
                    level.layer_norm(
                        rows, width, 1e-5, x, gain, bias, 1, $0, out + all, out + all + rows)
                }
            },
            Case("layer norm, weights", 2 * width) {
                $0.layer_norm_weights(rows, width, dy, x, mean, rstd, 0, $1, $1 + width)
            },
            Case("column sums", width) { $0.column_sums(rows, width, x, 1, $1) },
            Case("parts of sums", width) { $0.add_parts(rows, width, x, 1, $1) },
            Case("rows by id", all, within: 0) { $0.rows(rows, width, ids, table, $1) },
            Case("gradient of rows by id", width * width) {
                $0.rows_gradient(rows, width, width, ids, dy, $1)
            },
            Case("product with a vector", rows) { $0.gemv(rows, width, x, width, gain, mean, $1) },
        ]
        for beta: Float in [0, 1] {
            cases.append(
                Case("layer norm, input, \(beta)", all, within: 1e-5) {
                    $0.layer_norm_input(rows, width, dy, x, gain, mean, rstd, beta, $1)
                })
        }
        for form: Int32 in [0, 1] {
            let parts = (rows + 63) / 64 * width
            cases += [
                Case("GELU, \(form)", all) { $0.gelu(all, form, x, 0, $1) },
                Case("gradient of GELU, \(form)", all) {
                    $0.gelu_gradient(all, form, dy, x, 1, $1)
                },
                Case("gradient of GELU by rows, \(form)", all + parts) {
                    $0.gelu_gradient_rows(rows, width, form, dy, x, 0, $1, $1 + all)
                },
                Case("softmax, \(form)", all) { $0.softmax(rows, width, form, x, $1) },
                Case("gradient of softmax, \(form)", all, within: 1e-5) {
                    $0.softmax_gradient(rows, width, form, dy, x, 0, $1)
                },
                Case("cross-entropy, \(form)", all + rows) { level, out in
                    for i in 0..<all { out[i] = x[i] }
                    doubles(rows, out + all) {
                        level.cross_entropy(rows, width, ids, form, 0.1, out, $0)
                    }
                },
            ]
        }
        return cases
    }

    private static var numberCases: [Case] {
        let count = 40_000
        let (x, y) = (numbers(count, seed: 7), numbers(count, seed: 8))
        let positive = x.map { abs($0) + 0.01 }
        var cases = [
            Case("a x + b y", count) { $0.axpby(count, 0.3, x, 0.7, $1) },
            Case("zero", count) { $0.zero(count, $1) },
            Case("where", count) { $0.`where`(count, y.map { $0 > 0 ? 1 : 0 }, x, y, $1) },
            Case("rounding to bfloat16", count, within: 0) { $0.round_bf16(count, x, $1) },
            Case("conversion to bfloat16", count, within: 0) { level, out in
                halves(count, out) { level.to_bf16(count, x, $0) }
            },
            Case("sum of squares", 1) { $1[0] = Float($0.sum_squares(count, x)) },
            Case("AdamW", 3 * count) {
                var step = ck_adamw_step(
                    clip: 0.7, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, rate: 1e-3, root: 3.1,
                    keep: 0.999)
                $0.adamw(count, &step, x, $1, $1 + count, $1 + 2 * count)
            },
            Case("following", count) { $0.follow(count, 0.99, 0.01, x, $1) },
            Case("copy of a transposed matrix", count, within: 0) {
                $0.gather_strided(2, [200, 200], [1, 200], x, $1)
            },
            Case("copy of rows", count, within: 0) {
                $0.gather_strided(3, [100, 2, 200], [200, 0, 1], x, $1)
            },
        ]
        for nesterov: Int32 in [0, 1] {
            let step = ck_momentum_step(
                clip: 0.7, momentum: 0.9, decay: 0.01, rate: 1e-3, nesterov: nesterov)
            cases += [
                Case("SGD, \(nesterov)", 2 * count) {
                    var step = step
                    $0.sgd(count, &step, x, $1, $1 + count)
                },
                Case("running mean, \(nesterov)", count) {
                    var step = step
                    $0.average(count, &step, x, $1)
                },
                Case("looking ahead, \(nesterov)", count) {
                    var step = step
                    $0.ahead(count, &step, x, y, $1)
                },
            ]
        }
        for kind: UInt32 in 0..<10 {
            cases += [
                Case("binary \(kind)", count) {
                    $0.binary(ck_binary_kind(kind), count, positive, 1, y, 1, $1)
                },
                Case("unary \(kind)", count) {
                    $0.unary(ck_unary_kind(kind), count, positive, $1)
                },
            ]
        }
        for kind: UInt32 in 0..<4 {
            cases.append(
                Case("reduction \(kind)", 400) {
                    $0.reduce(ck_reduce_kind(kind), 200, 100, 2, x, $1)
                })
        }
        return cases
    }

    private static var productCases: [Case] {
        let (m, n, k) = (200, 260, 150)
        let (a, b) = (numbers(m * k, seed: 9), numbers(n * k, seed: 10))
        let (bias, residual) = (numbers(n, seed: 11), numbers(m * n, seed: 12))
        func narrow(_ x: [Float]) -> [UInt16] {
            x.map { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) }
        }
        func wide(_ x: [UInt16]) -> [Float] { x.map { Float(bitPattern: UInt32($0) << 16) } }
        let (na, nb) = (narrow(a), narrow(b))
        let (wa, wb) = (wide(na), wide(nb))
        var cases: [Case] = []
        for (ta, tb): (Int32, Int32) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let (lda, ldb) = (ta == 1 ? m : k, tb == 1 ? k : n)
            cases += [
                Case("product \(ta) \(tb)", m * n) {
                    _ = $0.gemm(ta, tb, m, n, k, a, lda, b, ldb, 1, $1, n, bias, residual)
                },
                Case("two products \(ta) \(tb)", 2 * m * n) {
                    _ = $0.gemm_batch(
                        2, ta, tb, m, n, k / 2, a, m * k / 2, b, n * k / 2, 0, $1, m * n)
                },
                // Where bfloat16 is not multiplied natively, the same numbers are multiplied in 32 bits.
                Case("product of bfloat16 \(ta) \(tb)", m * n, within: 1e-5) {
                    _ =
                        $0.has_bf16() != 0
                        ? $0.gemm_bf16(ta, tb, m, n, k, na, lda, nb, ldb, 0, $1, n, bias, nil)
                        : $0.gemm(ta, tb, m, n, k, wa, lda, wb, ldb, 0, $1, n, bias, nil)
                },
            ]
        }
        cases.append(
            Case("product of bfloat16 with a vector", m) {
                _ = $0.gemv_bf16(m, k, na, k, nb, nil, $1)
            })
        return cases
    }

    private static var attentionCases: [Case] {
        var cases: [Case] = []
        // Sizes of heads with and without kernels for wide vectors, times with and without rests.
        for (time, size) in [(128, 32), (75, 48), (64, 20), (192, 64)] {
            let (batch, heads) = (2, 3)
            let count = batch * heads * time * size
            let states = batch * heads * time
            let (q, k, v) = (
                numbers(count, seed: 13), numbers(count, seed: 14), numbers(count, seed: 15)
            )
            let (joint, turns) = (numbers(3 * count, seed: 16), numbers(time * size, seed: 17))
            let dout = numbers(count, seed: 18)
            for round: Int32 in [0, 1] {
                let shape = ck_attention(
                    batch: batch, time: time, heads: heads, size: size, rotated: size / 2,
                    round: round, half: 0)
                let text = "\(time) x \(size), \(round)"
                // A probability rounded the other way is 1/256 of it away.
                let tolerance: Float = round == 1 ? 1e-2 : 1e-5
                cases += [
                    Case("heads \(text)", 3 * count, within: tolerance) {
                        var shape = shape
                        $0.heads(&shape, joint, turns, turns, $1, $1 + count, $1 + 2 * count)
                    },
                    Case("gradient of heads \(text)", 3 * count) {
                        var shape = shape
                        $0.heads_gradient(&shape, q, k, v, turns, turns, 1, $1)
                    },
                    Case("attention \(text)", count + states, within: tolerance) {
                        var shape = shape
                        _ = $0.attend(&shape, q, k, v, $1, $1 + count)
                    },
                    Case("gradient of attention \(text)", 4 * count + states, within: tolerance) {
                        var shape = shape
                        let (out, lse) = ($1 + 3 * count, $1 + 4 * count)
                        _ = $0.attend(&shape, q, k, v, out, lse)
                        _ = $0.attend_gradient(
                            &shape, q, k, v, out, lse, dout, $1, $1 + count, $1 + 2 * count)
                    },
                ]
            }
            if time % 64 == 0 {
                let parts = batch * time / 64 * 3 * heads * size
                let shape = ck_attention(
                    batch: batch, time: time, heads: heads, size: size, rotated: size / 2, round: 0,
                    half: 0)
                cases.append(
                    Case("gradient of heads by rows \(time) x \(size)", 3 * count + parts) {
                        var shape = shape
                        $0.heads_gradient_rows(
                            &shape, q, k, v, turns, turns, 0, $1, $1 + 3 * count)
                    })
            }
            cases.append(
                Case("one query \(time) x \(size)", batch * heads * size, within: 1e-5) {
                    _ = $0.attend_one(batch * heads, size, time, time, q, k, v, $1)
                })
            cases.append(narrowAttention(batch, time, heads, size, q, k, v, dout))
        }
        return cases
    }

    /// Attention on bfloat16 numbers and its gradient; a level that has no kernels for it takes the same numbers in 32 bits.
    private static func narrowAttention(
        _ batch: Int, _ time: Int, _ heads: Int, _ size: Int, _ q: [Float], _ k: [Float],
        _ v: [Float], _ dout: [Float]
    ) -> Case {
        let count = batch * heads * time * size
        let states = batch * heads * time
        func narrow(_ x: [Float]) -> [UInt16] {
            x.map { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) }
        }
        let (nq, nk, nv) = (narrow(q), narrow(k), narrow(v))
        return Case(
            "attention of bfloat16 \(time) x \(size)", 4 * count + states, within: 2e-2
        ) { level, y in
            let (out, lse) = (y + 3 * count, y + 4 * count)
            var shape = ck_attention(
                batch: batch, time: time, heads: heads, size: size, rotated: 0, round: 1, half: 0)
            guard level.attends_bf16(size) == 0 else {
                shape.half = 1
                _ = level.attend_bf16(&shape, nq, nk, nv, out, lse)
                _ = level.attend_bf16_gradient(
                    &shape, nq, nk, nv, out, lse, dout, y, y + count, y + 2 * count)
                return
            }
            func wide(_ x: [UInt16]) -> [Float] { x.map { Float(bitPattern: UInt32($0) << 16) } }
            let (wq, wk, wv) = (wide(nq), wide(nk), wide(nv))
            _ = level.attend(&shape, wq, wk, wv, out, lse)
            _ = level.attend_gradient(
                &shape, wq, wk, wv, out, lse, dout, y, y + count, y + 2 * count)
        }
    }

    @Test("agree with those of any processor within rounding")
    func agree() {
        let levels = (0..<ck_levels()).map { (Numerics.levels[Int($0)], ck_kernels_of($0).pointee) }
        for missing in ["portable", "avx2", "avx512", "avx512-bf16", "neon"]
        where !Numerics.levels.contains(missing) {
            print("NOT CHECKED: the kernels of \(missing), which this processor does not have")
        }
        for one in Self.cases {
            let expected = one.result(levels[0].1)
            let finite = expected.allSatisfy { $0.isFinite }
            #expect(finite, "\(one.name)")
            let largest = expected.map(abs).max() ?? 0
            for (name, level) in levels.dropFirst() {
                let found = one.result(level)
                let difference = zip(expected, found).map { abs($0 - $1) }.max() ?? 0
                #expect(
                    difference <= one.tolerance * max(largest, 1), "\(one.name) of \(name)")
            }
        }
    }

    @Test("give the same bits on any number of threads")
    func threads() async {
        await #expect(processExitsWith: .success) {
            for number in 0..<ck_levels() {
                let level = ck_kernels_of(number).pointee
                func all() -> [[UInt32]] {
                    LevelTests.cases.map { $0.result(level).map(\.bitPattern) }
                }
                let expected = onThreads(1, all)[0]
                for threads in [2, 3, 8] {
                    for found in onThreads(threads, all) {
                        for (one, pair) in zip(LevelTests.cases, zip(expected, found)) {
                            #expect(
                                pair.0 == pair.1,
                                "\(one.name) of \(Numerics.levels[Int(number)]) on \(threads) threads"
                            )
                        }
                    }
                }
            }
        }
    }

    @Test("of 32-bit numbers are the same with and without products of bfloat16")
    func equalLevels() throws {
        guard ck_levels() == 4 else { try Test.cancel("this processor has \(Numerics.levels)") }
        let (plain, half) = (ck_kernels_of(2).pointee, ck_kernels_of(3).pointee)
        for one in Self.cases where !one.name.contains("bfloat16") && !one.name.contains("narrow") {
            #expect(
                one.result(plain).map(\.bitPattern) == one.result(half).map(\.bitPattern),
                "\(one.name)")
        }
    }
}
