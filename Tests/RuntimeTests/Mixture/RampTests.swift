import Foundation
import Runtime
import TestSupport
import Testing

@Suite("Ramps and emphasis") struct RampTests {
    @Test("in every prefix of rows a source's count is within one row of its integrated weight")
    func exact() throws {
        let (_, sources) = try MixtureSources.open()
        var draws = Draws(seed: 11)
        for round in 0..<60 {
            let steps = Int.random(in: 2...40, using: &draws)
            let batch = Int.random(in: 1...13, using: &draws)
            let ends = (0..<4).map { _ in Double.random(in: 0...0.5, using: &draws) }
            let parts: [MixtureRamp.Part] = [
                .init("prose", .rest),
                .init(
                    "code", round % 3 == 0 ? .cosine(ends[0], ends[1]) : .linear(ends[0], ends[1])),
                .init(
                    "arithmetic",
                    round % 2 == 0
                        ? .sampled(
                            (0..<steps).map { _ in Double.random(in: 0...0.5, using: &draws) })
                        : .constant(ends[2])),
            ]
            let ramp = try MixtureRamp(parts, steps: steps)
            let plan = try BatchPlan(
                mixture: ramp.mean(), ramp: ramp, sources: sources, batch: batch, steps: steps,
                start: SourceCursors(), repeating: nil)
            var due = [Int](repeating: 0, count: 3)
            var given = due
            var rows: [[BatchPlan.Row]] = []
            for step in 0..<steps {
                rows.append(plan.rows(step))
                let shares = ramp.shares(step)
                #expect(shares.reduce(0, +) == Mixture.whole)
                for row in plan.rows(step) {
                    #expect(row.position == given[row.source])
                    given[row.source] += 1
                    for source in 0..<3 {
                        due[source] += shares[source]
                        #expect(
                            abs(given[source] * Mixture.whole - due[source]) < Mixture.whole,
                            "round \(round), step \(step)")
                    }
                }
                #expect(
                    plan.sources.indices.allSatisfy {
                        plan.cursors(after: step + 1)[plan.sources[$0].name] == given[$0]
                    })
            }
            // Any step can be asked for first.
            let step = Int.random(in: 0...steps - 1, using: &draws)
            let other = try BatchPlan(
                mixture: ramp.mean(), ramp: ramp, sources: sources, batch: batch, steps: steps,
                start: SourceCursors(), repeating: nil)
            #expect(other.rows(step) == rows[step])
        }
    }

    @Test("a constant ramp gives what the mixture gives, in counts")
    func constant() throws {
        let (_, sources) = try MixtureSources.open()
        let ramp = try MixtureRamp(
            [.init("prose", .linear(0.7, 0.7)), .init("code", .linear(0.3, 0.3))], steps: 20)
        #expect(try ramp.mean() == Mixture([("prose", 0.7), ("code", 0.3)]))
        let one = try BatchPlan(
            mixture: ramp.mean(), ramp: ramp, sources: sources, batch: 8, steps: 20,
            start: SourceCursors(), repeating: nil)
        let two = try BatchPlan(
            mixture: ramp.mean(), sources: sources, batch: 8, steps: 20, start: SourceCursors(),
            repeating: nil)
        for step in 0..<20 {
            #expect(one.rows(step).map(\.source) == two.rows(step).map(\.source))
        }
    }

    @Test("ramps that cannot be are refused with the step")
    func refused() {
        func error(_ parts: [MixtureRamp.Part], _ steps: Int = 5) -> String {
            message { _ = try MixtureRamp(parts, steps: steps) }
        }
        #expect(
            error([.init("a", .linear(0, 0.3)), .init("b", .constant(0.7))]).contains(
                "at step 0 of the phase a = 0, b = 0.7 sum to 0.7"))
        #expect(
            error([.init("a", .linear(0.3, 0.2)), .init("b", .constant(0.7))]).contains(
                "at step 1 of the phase"))
        #expect(
            error([.init("a", .sampled([0, 0.1, .nan, 0, 0])), .init("b", .rest)]).contains(
                "\"a\" at step 2 of the phase"))
        #expect(
            error([.init("a", .sampled([0, 0.1, 2, 0, 0])), .init("b", .rest)]).contains(
                "expected 0 ... 1, got 2.0"))
        #expect(
            error([.init("a", .sampled([0.5])), .init("b", .rest)]).contains(
                "1 steps, but the phase has 5"))
        #expect(error([.init("a", .rest), .init("b", .rest)]).contains("only one weight"))
        #expect(error([.init("a", .rest), .init("a", .constant(1))]).contains("named twice"))
        #expect(
            error([.init("a", .linear(0.8, 0.1)), .init("b", .constant(0.5)), .init("c", .rest)])
                .contains("weight of \"c\" at step 0"))
    }

    @Test("loss shares weigh the batches so that the loss is divided as asked, in the ledger too")
    func emphasis() throws {
        let (_, sources) = try MixtureSources.open()
        let plan = try BatchPlan(
            mixture: Mixture([("prose", 0.6), ("code", 0.1), ("arithmetic", 0.3)]),
            loss: ["code": 0.3], sources: sources, batch: 10, steps: 12, start: SourceCursors(),
            repeating: nil)
        for step in 0..<12 {
            let batches = try plan.tokens(step)
            #expect(batches.map(\.rows).reduce(0, +) == 10)
            let parts = batches.map { $0.weight * Double($0.counted) }
            let sum = parts.reduce(0, +)
            for (batch, part) in zip(batches, parts) {
                let expected: Double =
                    batch.rows == 1 ? 0.3 : batch.rows == 6 ? 0.7 * 2 / 3 : 0.7 / 3
                #expect(abs(part / sum - expected) < 1e-12)
            }
        }
        let exposure = plan.exposure(after: 12)
        #expect(exposure["code"].tokens == 12 * 16)
        #expect(abs(exposure["code"].counted - 0.3 * 12 * 160) < 1e-9)
        #expect(
            message {
                _ = try BatchPlan(
                    mixture: Mixture([("prose", 0.6), ("code", 0.4)]),
                    loss: ["code": 0.3, "prose": 0.3],
                    sources: sources, batch: 10, steps: 12, start: SourceCursors(), repeating: nil)
            }.contains("must sum to 1, got 0.6"))
    }

    @Test(
        "after a change of context or order every token of the epoch is an input once",
        arguments: [(16, 64), (64, 16), (16, 24), (24, 7), (16, 16)])
    func unread(first: Int, second: Int) throws {
        let (_, sources) = try MixtureSources.open(context: first)
        let source = sources[0]
        for read in [1, 3, source.windows / 2, source.windows - 1] {
            let next = try Source(
                continuing: source, at: read, context: second, seed: first == second ? 8 : 7)
            var seen = [Int](repeating: 0, count: source.store.count - 1)
            for position in 0..<read {
                for token in source.pieces(position).joined() { seen[token] += 1 }
            }
            let unread = next.unread
            for position in 0..<unread {
                let pieces = next.pieces(position)
                #expect(pieces.reduce(0) { $0 + $1.count } == second)
                for token in pieces.joined() { seen[token] += 1 }
            }
            #expect(seen.allSatisfy { $0 <= 1 })
            #expect(seen.count { $0 == 0 } < second)
            // The next epoch holds everything again.
            let whole = (unread..<unread + next.windows).flatMap { next.pieces($0).joined() }
            #expect(Set(whole).count == next.windows * second)
            // What does not fill one window is left out, and the next epoch begins.
            guard unread > 0 else { continue }
            // And once more from the middle of what was left.
            let third = try Source(continuing: next, at: unread / 2, context: 10, seed: 7)
            var again = seen
            for position in unread / 2..<unread {
                for token in next.pieces(position).joined() { again[token] -= 1 }
            }
            for position in 0..<third.unread {
                for token in third.pieces(position).joined() { again[token] += 1 }
            }
            #expect(again.allSatisfy { (0...1).contains($0) })
            #expect(again.count { $0 == 0 } < second + 10)
        }
    }
}
