import Foundation
import Runtime
import TestSupport
import Testing

@Suite("Metrics for other programs") struct RunMetricsTests {
    @Test("CRC-32C of the check value of its standard")
    func checksum() {
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
        #expect(CRC32C.checksum([]) == 0)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    }

    @Test("steps and named losses are written in every format")
    func formats() throws {
        let laboratory = try Laboratory()
        let run = try laboratory.run(laboratory.base)
        var options = RunOptions()
        options.evaluateEvery = 6
        options.evaluate = [EvaluationSet(laboratory.prose, .valid, limit: 2)]
        try run.train(options: options)
        let metrics = try run.metrics()
        #expect(metrics.steps == (try run.records()) && metrics.steps.count == 12)
        #expect(metrics.evaluations.map(\.step) == [6, 12])
        #expect(metrics.evaluations.allSatisfy { $0.name == "prose" && $0.split == "valid" })
        let stored = try laboratory.store.metrics(of: try laboratory.store.run("test"))
        #expect(stored.steps == metrics.steps && stored.evaluations == metrics.evaluations)
        let folder = laboratory.scratch.path + "/out"
        try metrics.write(to: folder, format: .csv)
        #expect(try FileReader.text(folder + "/steps.csv") == StepRecord.csv(metrics.steps))
        let table = try FileReader.text(folder + "/evaluations.csv").split(separator: "\n")
        #expect(table.count == 3 && table[1].hasPrefix("6,prose,valid,"))
        try metrics.write(to: folder, format: .jsonl)
        let lines = try FileReader.text(folder + "/steps.jsonl").split(separator: "\n")
        let first = try JSONValue.read(Array(lines[0].utf8), file: "steps")
        guard case .number(let loss)? = first["loss"] else {
            Issue.record("no loss in \(lines[0])")
            return
        }
        #expect(loss == metrics.steps[0].loss && first["step"]?.integer == 1 && lines.count == 12)
        let files = try metrics.write(to: folder, format: .tensorboard)
        let bytes = try FileReader.bytes(files[0])
        try metrics.write(to: folder, format: .tensorboard)
        #expect(try FileReader.bytes(files[0]) == bytes)
        #expect(try Self.frames(bytes) == 1 + 12 * 4 + 2 * 2)
    }

    @Test("a later export goes on with the event file, and a restart takes back what differs")
    func later() throws {
        let scratch = try Scratch()
        func scalars(_ steps: Range<Int>, _ tags: [String], from changed: Int = .max)
            -> [EventFile.Scalar]
        {
            steps.flatMap { step in
                tags.map { tag in
                    EventFile.Scalar(
                        tag: tag, step: step, time: Double(step),
                        value: Double(step) + (step >= changed ? 0.5 : 0))
                }
            }
        }
        func shown() throws -> EventLog? { EventLog(try FileReader.bytes(path)) }
        let path = scratch.path + "/events.out.tfevents.0000000000.mtrepl"
        let short = scalars(1..<5, ["loss", "rate"])
        #expect(try EventFile.update(scratch.path, short, start: 1) == path)
        let first = try FileReader.bytes(path)
        let long = scalars(1..<13, ["loss", "rate"])
        // The clock of another export differs; what is in the file stays.
        #expect(try EventFile.update(scratch.path, long, start: 2) == path)
        let second = try FileReader.bytes(path)
        #expect(second.starts(with: first))
        #expect(try Self.frames(second) == 1 + 12 * 2)
        try EventFile.update(scratch.path, long, start: 3)
        #expect(try FileReader.bytes(path) == second)
        // Steps from 9 on were trained anew, and a curve was added within.
        let other = scalars(1..<13, ["loss", "rate"], from: 9)
        try EventFile.update(scratch.path, other, start: 3)
        let third = try FileReader.bytes(path)
        #expect(third.starts(with: second))
        #expect(try Self.frames(third) == 1 + 12 * 2 + 1 + 4 * 2)
        #expect(try shown()?.continuation(other).isEmpty == true)
        let more = (other + scalars(4..<5, ["evaluated"])).sorted { $0.step < $1.step }
        try EventFile.update(scratch.path, more, start: 3)
        #expect(try shown()?.continuation(more).isEmpty == true)
        // A record that a crash cut off is taken away, whatever its length is.
        let whole = try FileReader.bytes(path)
        for cut in [1, 9, 13] {
            try Data(whole + third[..<cut]).write(to: URL(fileURLWithPath: path))
            #expect(try EventFile.update(scratch.path, more, start: 3) == path)
            #expect(try FileReader.bytes(path) == whole)
        }
        // Neither a damaged file nor one of another run is gone on with.
        let next = scratch.path + "/events.out.tfevents.0000000001.mtrepl"
        #expect(try EventFile.update(scratch.path, scalars(1..<3, ["loss"]), start: 3) == next)
        #expect(!FileManager.default.fileExists(atPath: path))
        var damaged = try FileReader.bytes(next)
        damaged[30] ^= 1
        try Data(damaged).write(to: URL(fileURLWithPath: next))
        let last = try EventFile.update(scratch.path, short, start: 3)
        #expect(last == scratch.path + "/events.out.tfevents.0000000002.mtrepl")
        #expect(try FileReader.bytes(last).count == first.count)
    }

    /// Checks every frame of an event file and counts them.
    private static func frames(_ bytes: [UInt8]) throws -> Int {
        func number<Number: FixedWidthInteger>(_ place: Int, _ type: Number.Type) -> Number {
            bytes.withUnsafeBytes {
                Number(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: type))
            }
        }
        var (place, count) = (0, 0)
        while place < bytes.count {
            let length = Int(number(place, UInt64.self))
            let data = Array(bytes[place + 12..<place + 12 + length])
            let frame = Array(bytes[place..<place + 8])
            guard number(place + 8, UInt32.self) == CRC32C.masked(frame),
                number(place + 12 + length, UInt32.self) == CRC32C.masked(data)
            else { throw TextError("events", "frame \(count) has another checksum") }
            place += 16 + length
            count += 1
        }
        return count
    }
}
