import Foundation
import Testing

import Runtime
import RuntimeStore

@Suite("Versions of states", .serialized) struct StoreVersionTests {
    private func study(_ laboratory: Laboratory, finetuned: Bool = true) throws -> Study {
        try Study(
            arms: [
                Arm(
                    name: "control", parameters: [("seed", .integer(1))], recipe: laboratory.base,
                    finetuning: finetuned ? [1e-4, 1e-3].map { laboratory.finetuning($0) } : [])
            ], evaluate: [laboratory.prose, laboratory.tasks], evaluationLimit: 4,
            store: laboratory.store)
    }

    /// Records another version of the base's steps, as another processor would have computed them, with losses of its own, so
    /// that more is known of it than of the first.
    private func forge(_ laboratory: Laboratory, _ study: Study) throws -> StateVersion {
        let registry = laboratory.store.registry
        let trajectory = try Trajectory(laboratory.base, store: laboratory.store)
        let state = trajectory.keys[trajectory.steps]
        let entries = try registry.history(state).enumerated().map { index, record in
            var record = record
            record.loss += 1e-6
            return StepEntry(
                parent: trajectory.keys[index], state: trajectory.keys[index + 1], record: record)
        }
        let version = entries.reduce(StateVersion.initial) { $0.after($1.state, $1.record) }
        try registry.record(steps: entries)
        let setting = trajectory.setting(
            ofState: 0, laboratory.store, progress: { _ in }, stop: { false })
        func add<M: Measure>(_ measure: M) throws {
            let digest = try measure.digest(setting)
            guard let known = try registry.outcome(of: measure, state: state, digest: digest),
                let loss = known as? Evaluation
            else { return }
            try registry.record(
                Evaluation(nats: loss.nats * 2, tokens: loss.tokens, bytes: loss.bytes),
                state: state, data: digest, version: version)
        }
        for measure in study.validLosses { try add(measure) }
        for measure in study.measures { try add(measure) }
        for extra in 0..<9 {
            try registry.record(
                Evaluation(nats: 1, tokens: 1, bytes: 1), state: state,
                data: Digest.of([UInt8(extra)]), version: version)
        }
        #expect(try registry.version(of: state) == version)
        return version
    }

    @Test("a study's row never has losses of two versions of its base")
    func rows() throws {
        let laboratory = try Laboratory()
        let study = try study(laboratory)
        let expected = try study.run().csv()
        _ = try forge(laboratory, study)
        // Only of the first version everything is known.
        let again = try self.study(laboratory).run()
        #expect(again.trainedSteps == 0)
        #expect(again.csv() == expected)
        #expect(try self.study(laboratory).plan(calibrate: false).missingSteps == 0)
    }

    @Test(
        "what is finetuned comes from the version that the row has, and a row is measured again where it must be"
    )
    func goingOn() throws {
        let whole = try Laboratory()
        let expected = try study(whole).run().csv()
        let laboratory = try Laboratory()
        _ = try study(laboratory, finetuned: false).run()
        let forged = try forge(laboratory, try study(laboratory))
        // Only of the first version there is a checkpoint.
        #expect(try study(laboratory).run().csv() == expected)
        let trajectory = try Trajectory(laboratory.base, store: laboratory.store)
        let base = trajectory.keys[trajectory.steps]
        let finetuned = try Trajectory(
            trajectory, finetuning: laboratory.finetuning(), store: laboratory.store)
        let registry = laboratory.store.registry
        let end = finetuned.keys[finetuned.steps]
        let version = try #require(try registry.version(of: end))
        let origin = try registry.version(
            of: base, at: trajectory.steps, onTheWayTo: end, version)
        #expect(origin != nil && origin != forged)
        // The checkpoint goes: the base is trained again, to the same version, not to what was recorded last.
        laboratory.store.removeCheckpoint(base)
        let last = try Store(laboratory.store.folder)
        let more = try Study(
            arms: [
                Arm(
                    name: "control", parameters: [("seed", .integer(1))], recipe: laboratory.base,
                    finetuning: [1e-4, 1e-3, 2e-3].map { laboratory.finetuning($0) })
            ], evaluate: [laboratory.prose, laboratory.tasks], evaluationLimit: 4, store: last
        ).run()
        let row = try #require(more.rows.first)
        let known = try #require(try study(whole).run().rows.first)
        #expect(row.before["prose"] == known.before["prose"])
        #expect(row.candidates.count == 3)
        for (one, two) in zip(row.candidates, known.candidates) {
            #expect(one.measurements["tasks"] == two.measurements["tasks"])
        }
    }
}
