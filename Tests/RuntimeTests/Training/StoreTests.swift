import Dispatch
import Foundation
import Runtime
import Synchronization
import Testing

@Suite("Stores", .serialized) struct StoreTests {
    private func options(keep: Set<Int> = []) -> RunOptions {
        var options = RunOptions()
        options.keep = keep
        return options
    }

    @Test("a run's history is read from its last state, through states that others trained")
    func history() throws {
        let laboratory = try Laboratory()
        let trunk = try laboratory.run(laboratory.base)
        try trunk.train(options: options(keep: [5]))
        let branch = try laboratory.run(laboratory.midtrained())
        try branch.train()
        let registry = laboratory.store.registry
        #expect(try registry.history(branch.key) == branch.records())
        #expect(try registry.history(branch.key).map(\.step) == Array(1...12))
        #expect(try registry.history(trunk.key).prefix(5) == registry.history(branch.key).prefix(5))
        let marked = Set([trunk.key, branch.key, trunk.trajectory.keys[5]])
        let found = try registry.history([branch.key, trunk.key], among: marked)
        #expect(found[branch.key] == [branch.key, trunk.trajectory.keys[5]])
        #expect(found[trunk.key] == [trunk.key, trunk.trajectory.keys[5]])
    }

    @Test(
        "garbage is what no registered run needs; a branch point stays while a run passes through it"
    )
    func garbage() throws {
        let laboratory = try Laboratory()
        let store = laboratory.store
        let trunk = try laboratory.run(laboratory.base)
        try trunk.train(options: options(keep: [5]))
        try laboratory.run(laboratory.midtrained()).train()
        #expect(try store.collectGarbage().filter { $0.kind != .claim }.isEmpty)
        let runs = try store.runs()
        #expect(runs.map(\.status) == ["finished", "finished"])
        #expect(runs.map { $0.checkpoints.map(\.step) } == [[12, 5], [12, 5]])
        try store.remove([runs[0]])
        #expect(try store.manifest(trunk.trajectory.keys[5]) != nil)
        #expect(try store.manifest(trunk.key) == nil)
        // A run whose row is gone leaves its checkpoints as garbage.
        try store.registry.removeRun(runs[1].row.key)
        let dry = try store.collectGarbage(dryRun: true)
        #expect(dry.count { $0.kind == .checkpoint } == 2)
        #expect(try store.checkpoints().usable.count == 2)
        #expect(try store.collectGarbage().count { $0.kind == .checkpoint } == 2)
        #expect(try store.checkpoints().usable.isEmpty)
    }

    @Test("of an interrupted run the latest rolling checkpoint stays; of a run under way all stay")
    func rolling() throws {
        let laboratory = try Laboratory()
        let store = laboratory.store
        let recipe = laboratory.base
        var stopping = RunOptions()
        for stop in [3, 7] {
            stopping.onEvent = { event in
                if case .step(let record, _) = event { return record.step < stop }
                return true
            }
            let run = Run(
                try Trajectory(recipe, store: store), store: store, name: "interrupted \(stop)")
            #expect(throws: Interrupted.self) { try run.train(options: stopping) }
        }
        // The second stop replaced the first one's checkpoint.
        #expect(try store.runs().first?.checkpoints.map(\.step) == [7])
        #expect(try store.collectGarbage().filter { $0.kind == .checkpoint }.isEmpty)
        let activity = try store.activity(try Trajectory(recipe, store: store).keys[12]) { false }
        #expect(try store.runs().first?.status == "running")
        #expect(throws: UnknownRun.self) { try store.remove(try store.runs()) }
        withExtendedLifetime(activity) {}
    }

    @Test("a branch does not take away the checkpoint that its trunk is resumed from")
    func ownRolling() throws {
        let laboratory = try Laboratory()
        var stopping = RunOptions()
        stopping.onEvent = { event in
            if case .step(let record, _) = event { return record.step < 5 }
            return true
        }
        let trunk = try laboratory.run(laboratory.base)
        #expect(throws: Interrupted.self) { try trunk.train(options: stopping) }
        let branch = try laboratory.run(laboratory.midtrained(from: 5))
        #expect(branch.step == 5)
        try branch.train()
        #expect(try laboratory.store.manifest(trunk.key)?.step == 5)
        #expect(try laboratory.run(laboratory.base).step == 5)
    }

    @Test("training the beginning of a finished run again leaves it finished")
    func furthest() throws {
        let laboratory = try Laboratory()
        let run = try laboratory.run(laboratory.base)
        try run.train()
        laboratory.store.removeCheckpoint(run.key)
        let again = try laboratory.run(laboratory.base)
        #expect(again.step == 0)
        try again.train(to: 4)
        let row = try #require(try laboratory.store.registry.runs().first)
        #expect(row.step == 12 && row.status == "finished" && row.state == run.key)
    }

    @Test("a new store can be opened by many at once")
    func opening() throws {
        for _ in 0..<10 {
            let scratch = try Scratch()
            let path = scratch.path
            let failures = Mutex(0)
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                if (try? Store(path).registry.runs()) == nil { failures.withLock { $0 += 1 } }
            }
            #expect(failures.withLock { $0 } == 0)
        }
    }
}
