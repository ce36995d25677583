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

    private func row(_ run: Int, _ steps: Int) -> RunRow {
        RunRow(
            key: state(run, steps), name: "run \(run)", status: "finished", step: steps,
            steps: steps,
            updated: Double(run), recipe: "{\"seed\":\(run)}", state: state(run, steps))
    }

    @Test(
        "a store with many runs opens, is rebuilt and answers; in the long form the figures are printed"
    )
    func size() throws {
        let (runs, steps) = Long.pick((60, 40), long: (10_000, 1000))
        let scratch = try Scratch()
        let (folder, index) = (scratch.path + "/journals", scratch.path + "/index.sqlite")
        // What one process of each run would have written, in ten journals.
        for part in 0..<10 {
            var records: [(kind: JournalForm.Kind, content: [UInt8])] = []
            for run in stride(from: part, to: runs, by: 10) {
                records += StepBatch.batches(
                    entries(run, steps), from: .initial, engine: Engine.own.id
                )
                .map { (.steps, $0.content) }
            }
            try Registry.write(records, prefix: "part", to: folder)
        }
        let first = try Registry(journals: folder, index: index)
        for run in 0..<runs { try first.save(row(run, steps)) }
        for end in ["", "-wal", "-shm"] { unlink(index + end) }
        let rebuilt = try measured { try Registry(journals: folder, index: index) }
        let opened = try measured { try Registry(journals: folder, index: index) }
        let list = try measured { try opened.value.runs() }
        #expect(list.value.count == runs)
        let shown = try measured { try opened.value.history(state(runs / 2, steps)) }
        #expect(shown.value == entries(runs / 2, steps).map(\.record))
        let cached = try measured {
            try (0..<1000).map { try opened.value.steps([state($0 % runs, steps)]).count }
        }
        #expect(cached.value.allSatisfy { $0 == 1 })
        #expect(try opened.value.isWhole())
        guard Long.isOn else { return }
        let total = Double(runs * steps)
        print(
            "\(runs) runs, \(Int(total)) steps: rebuilt in \(rebuilt.wall) s (\(total / rebuilt.wall) steps a second), "
                + "opened in \(opened.wall) s, list \(list.wall) s, show \(shown.wall) s, 1000 lookups \(cached.wall) s"
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
