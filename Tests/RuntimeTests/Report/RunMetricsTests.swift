import Foundation
import Testing

@testable import Runtime

@Suite("Metrics for other programs") struct RunMetricsTests {
    @Test("CRC-32C of the check value of its standard")
    func checksum() {
        #expect(EventFile.checksum(Array("123456789".utf8)) == 0xe306_9283)
        #expect(EventFile.checksum([]) == 0)
        #expect(EventFile.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
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
            guard number(place + 8, UInt32.self) == EventFile.masked(frame),
                number(place + 12 + length, UInt32.self) == EventFile.masked(data)
            else { throw TextError("events", "frame \(count) has another checksum") }
            place += 16 + length
            count += 1
        }
        return count
    }
}
