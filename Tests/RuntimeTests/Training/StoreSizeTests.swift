import Foundation
import GRDB
import RuntimeStore
import Testing

import enum TestSupport.Long

import Runtime

/// Processor time of this process, in seconds.
private func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

private func measured<T>(_ body: () throws -> T) rethrows -> (
    value: T, processor: Double, wall: Double
) {
    let (started, clock) = (processorTime(), ContinuousClock.now)
    let value = try body()
    return (value, processorTime() - started, clock.duration(to: .now) / .seconds(1))
}

@Suite("Large stores", .serialized) struct StoreSizeTests {
    private func state(_ run: Int, _ step: Int) -> Digest {
        var builder = DigestBuilder("size test")
        builder.add(run)
        builder.add(step)
        return builder.finish()
    }

    private func entries(_ run: Int, _ steps: Int) -> [StepEntry] {
        (1...steps).map { step in
            StepEntry(
                parent: state(run, step - 1), state: state(run, step),
                record: StepRecord(
                    step: step, loss: 5 - Double(step) * 1e-3 + Double(run) * 1e-7,
                    learningRate: 1e-3,
                    gradientNorm: 1.25 + Double(step) * 1e-5, tokens: 4096, seconds: 0.125))
        }
    }

    /// A recipe of the usual length.
    private static let recipe =
        "{\"accumulate\":1,\"batch\":64,\"model\":{\"context\":256,\"layers\":6,\"width\":128},\"note\":\""
        + String(repeating: "settings of the optimizer, ", count: 30) + "\",\"seed\":"

    private func row(_ run: Int, _ steps: Int, _ version: StateVersion? = nil) -> RunRow {
        RunRow(
            key: state(run, steps), name: "run \(run)", status: "finished", step: steps,
            steps: steps, updated: Double(run), recipe: Self.recipe + "\(run)}",
            state: state(run, steps), version: version, processor: "avx512")
    }

    private static let loss = Evaluation(nats: 1234.5, tokens: 500, bytes: 2100)

    /// Journals as ten processes would have left them: steps in hundreds, six losses a run, a checkpoint a run.
    private func write(_ runs: Int, _ steps: Int, _ store: Store) throws {
        let data = (0..<6).map { state(-1, $0) }
        for part in 0..<10 {
            var records: [(kind: JournalForm.Kind, content: [UInt8])] = []
            var manifests: [CheckpointManifest] = []
            for run in stride(from: part, to: runs, by: 10) {
                let all = entries(run, steps)
                var version = StateVersion.initial
                for first in stride(from: 0, to: steps, by: 100) {
                    let batches = StepBatch.batches(
                        Array(all[first..<min(first + 100, steps)]), from: version,
                        engine: Engine.own.id)
                    records += batches.map { (.steps, $0.content) }
                    version = batches.last?.after ?? version
                }
                for data in data {
                    records.append(
                        try store.registry.content(
                            Self.loss, state: state(run, steps), data: data, name: "web",
                            split: .test, version: version))
                }
                records += try store.registry.contents(row(run, steps, version))
                manifests.append(
                    CheckpointManifest(
                        key: state(run, steps), step: steps, optimizerSteps: steps, rolling: false,
                        model: RecordedModel(
                            NeoXConfiguration(
                                vocabulary: 300, context: 128, layers: 2, width: 32, heads: 2)),
                        recipe: Self.recipe + "\(run)}", engine: .own, version: version,
                        journal: store.registry.place))
            }
            try Registry.write(records, prefix: "part", to: store.folder + "/journals")
            for manifest in manifests {
                let folder =
                    "\(store.folder)/checkpoints/\(manifest.key.hex)/\(manifest.version?.hex ?? "")"
                try AtomicFile.makeFolder(folder)
                try Checkpoint.write(manifest, folder)
            }
        }
    }

    @Test(
        "a store with many runs opens, is rebuilt and answers; in the long form the figures are printed"
    )
    func size() throws {
        let (runs, steps) = Long.pick((60, 40), long: (10_000, 1000))
        let scratch = try Scratch()
        let folder = scratch.path + "/store"
        var first: Store? = try Store(folder)
        if let first { try write(runs, steps, first) }
        first = nil
        for end in ["", "-wal", "-shm"] { unlink(folder + "/index.sqlite" + end) }
        let rebuilt = try measured { try Store(folder).registry.runs().count }
        #expect(rebuilt.value == runs)
        let opened = try measured { try Store(folder) }
        let registry = opened.value.registry
        let rows = try measured { try registry.runs() }
        #expect(rows.value.count == runs)
        let list = try measured { try opened.value.runs() }
        #expect(list.value.allSatisfy { $0.checkpoints.map(\.step) == [steps] })
        let shown = try measured { try registry.history(state(runs / 2, steps)) }
        #expect(shown.value == entries(runs / 2, steps).map(\.record))
        // What 300 arms ask for.
        let cached = try measured {
            try (0..<2000).map {
                try registry.value(
                    Evaluation.self, state: state($0 / 6 % runs, steps), data: state(-1, $0 % 6))
            }
        }
        #expect(cached.value.allSatisfy { $0 == Self.loss })
        #expect(try registry.isWhole())
        guard Long.isOn else { return }
        let total = Double(runs * steps)
        print(
            "\(runs) runs, \(Int(total)) steps: rebuilt in \(rebuilt.wall) s (\(total / rebuilt.wall) steps a second), "
                + "opened in \(opened.wall) s, rows \(rows.wall) s, list with checkpoints \(list.wall) s, "
                + "show \(shown.wall) s, 2000 losses \(cached.wall) s, index "
                + "\(try FileReader.size(folder + "/index.sqlite")) bytes"
        )
        try compare(scratch.path)
    }

    /// Bytes and processor time of a step's record, here and in the registry of the first form.
    private func compare(_ folder: String) throws {
        let (batches, size) = (200, 500)
        let registry = try Registry(
            journals: folder + "/new/journals", index: folder + "/new/index.sqlite")
        var version = StateVersion.initial
        let new = try measured {
            for batch in 0..<batches {
                let all = entries(batch, size)
                version = .initial
                try registry.record(steps: all, from: version, run: row(batch, size))
            }
        }
        let queue = try DatabasePool(path: folder + "/old.sqlite")
        try Migration.migrations.migrate(queue)
        let old = try measured {
            for batch in 0..<batches {
                let all = entries(batch, size)
                try queue.write { database in
                    let insert = try database.cachedStatement(
                        sql: "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
                    for entry in all {
                        let record = entry.record
                        try insert.execute(arguments: [
                            entry.state.hex, record.step, record.loss, record.learningRate,
                            record.gradientNorm, record.tokens, record.seconds, entry.parent.hex,
                        ])
                    }
                }
            }
        }
        let plain = measured { for batch in 0..<batches { _ = entries(batch, size) } }
        try queue.close()
        func bytes(_ path: String) -> Int {
            let files = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
            return files.reduce(0) { $0 + ((try? FileReader.size("\(path)/\($1)")) ?? 0) }
        }
        let count = Double(batches * size)
        print(
            "a step's record: \(Double(bytes(folder + "/new")) / count) bytes and "
                + "\((new.processor - plain.processor) / count * 1e6) µs of processor time; in the first form "
                + "\(Double(try FileReader.size(folder + "/old.sqlite")) / count) bytes and "
                + "\((old.processor - plain.processor) / count * 1e6) µs")
    }
}
