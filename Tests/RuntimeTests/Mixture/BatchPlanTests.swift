import Runtime
import Testing

@Suite("Batch plan") struct BatchPlanTests {
    private func plan(
        _ sources: [Source], _ weights: [(String, Double)], steps: Int = 20,
        start: SourceCursors = SourceCursors(), repeating: Set<String>? = []
    ) throws -> BatchPlan {
        try BatchPlan(
            mixture: Mixture(weights.map { (name: $0.0, weight: $0.1) }), sources: sources,
            batch: 8,
            steps: steps, start: start, repeating: repeating)
    }

    /// The positions of one source in the order in which a plan shows them.
    private func positions(_ plan: BatchPlan, _ name: String) -> [Int] {
        (0..<plan.steps).flatMap { plan.rows($0) }
            .filter { plan.sources[$0.source].name == name }.map(\.position)
    }

    @Test("an epoch shows every window once, the next in another order")
    func epochs() throws {
        let (_, sources) = try MixtureSources.open()
        let source = sources[0]
        func window(_ position: Int) -> Int { source.pieces(position)[0].lowerBound / 16 }
        let first = (0..<source.windows).map(window)
        let second = (source.windows..<2 * source.windows).map(window)
        #expect(
            Set(first) == Set(0..<source.windows) && Set(second) == Set(first) && first != second)
        var (inputs, targets) = ([Int32](repeating: 0, count: 16), [Int32](repeating: 0, count: 16))
        try source.sample(3, inputs: &inputs, targets: &targets)
        let ids = try source.store.ids(first[3] * 16..<first[3] * 16 + 17)
        #expect(inputs == Array(ids.dropLast()) && targets == Array(ids.dropFirst()))
    }

    @Test("changing one weight leaves each source's own order as it was")
    func independence() throws {
        let (_, sources) = try MixtureSources.open()
        let a = try plan(sources, [("prose", 0.8), ("code", 0.2)])
        let b = try plan(sources, [("prose", 0.5), ("code", 0.3), ("arithmetic", 0.2)])
        for name in ["prose", "code"] {
            let (x, y) = (positions(a, name), positions(b, name))
            #expect(x == Array(0..<x.count) && y == Array(0..<y.count))
        }
    }

    @Test(
        "a step's batch does not depend on the steps asked for before, nor on the length of the phase"
    )
    func purity() throws {
        let (_, sources) = try MixtureSources.open()
        let plan = try plan(sources, [("prose", 0.7), ("code", 0.3)])
        let shorter = try self.plan(sources, [("prose", 0.7), ("code", 0.3)], steps: 13)
        for step in [12, 3, 0, 12] {
            #expect(try plan.tokens(step)[0].inputs == shorter.tokens(step)[0].inputs)
            #expect(try plan.tokens(step)[0].targets == shorter.tokens(step)[0].targets)
        }
        let batch = try plan.tokens(5)[0]
        #expect(batch.rows == 8 && batch.columns == 16 && batch.counted == 128)
        for row in 0..<8 {
            let range = row * 16..<(row + 1) * 16
            #expect(
                Array(batch.inputs[range].dropFirst()) == Array(batch.targets[range].dropLast()))
        }
    }

    @Test("a change of mixture goes on where each source stood: nothing again, nothing left out")
    func phases() throws {
        let (_, sources) = try MixtureSources.open()
        let one = try plan(sources, [("prose", 0.9), ("code", 0.1)], steps: 11)
        let two = try plan(sources, [("prose", 0.4), ("code", 0.6)], start: one.cursors(after: 11))
        for name in ["prose", "code"] {
            let seen = positions(one, name) + positions(two, name)
            #expect(seen == Array(0..<seen.count))
            #expect(two.cursors(after: 20)[name] == seen.count)
        }
        #expect(one.cursors(after: 0) == SourceCursors())
    }

    @Test("the ledger counts what the batches held")
    func exposure() throws {
        let (_, sources) = try MixtureSources.open()
        let one = try plan(sources, [("prose", 0.75), ("code", 0.25)], steps: 10)
        let two = try plan(sources, [("code", 1)], steps: 3, start: one.cursors(after: 10))
        var ledger = ExposureLedger()
        ledger.append("pretrain", one.exposure(after: 10))
        ledger.append("midtrain", two.exposure(after: 3))
        #expect(ledger.phases[0].exposure["prose"].tokens == 60 * 16)
        #expect(ledger.total["code"].samples == 20 + 24)
        #expect(ledger.total.tokens == 13 * 8 * 16)
        let code = sources[1]
        #expect(abs(ledger.total["code"].epochs - 44 / Double(code.windows)) < 1e-12)
    }

    @Test("a source that would repeat is refused with its figures, unless it is allowed")
    func repeats() throws {
        let (_, sources) = try MixtureSources.open()
        let steps = sources[1].windows / 8 + 1
        let error = message { _ = try plan(sources, [("code", 1)], steps: steps) }
        #expect(error.contains("\"code\"") && error.contains("holds \(sources[1].tokens) tokens"))
        #expect(
            error.contains("but \(steps * 8 * 16) are needed")
                && error.contains("allow it to repeat"))
        #expect(try plan(sources, [("code", 1)], steps: steps, repeating: ["code"]).steps == steps)
        #expect(try plan(sources, [("code", 1)], steps: steps, repeating: nil).steps == steps)
        var start = SourceCursors()
        start.advance("code", by: sources[1].windows)
        let late = message { _ = try plan(sources, [("code", 1)], steps: 1, start: start) }
        #expect(late.contains("in earlier phases"))
    }

    @Test("bad arguments are named")
    func invalid() throws {
        let (scratch, sources) = try MixtureSources.open()
        #expect(message { _ = try plan(sources, [("cod", 1)]) }.contains("did you mean 'code'?"))
        #expect(message { _ = try plan(sources, [("code", 1)], steps: -1) }.contains("steps"))
        let store = sources[0].store
        #expect(
            message { _ = try Source(store: store, name: "x", context: 0, seed: 1) }.contains(
                "context"))
        let long = message { _ = try Source(store: store, name: "x", context: 1 << 30, seed: 1) }
        #expect(long.contains("it has \(store.count) tokens"))
        withExtendedLifetime(scratch) {}
    }
}
