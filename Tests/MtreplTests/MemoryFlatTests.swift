import Foundation
import TestSupport
import Testing

@Suite("Memory over time", .serialized) struct MemoryFlatTests {
    @Test("hundreds of steps and thousands of prompt lines do not grow the process")
    func flat() throws {
        let scratch = try Scratch()
        let setup = try scratch.write(
            "setup.lua", StudyScript.prelude.replacing("local ", with: ""))
        var lines = [
            "dofile('\(setup)')",
            "run = base:with({ steps = 400, repeats = true }):open()",
            "run:train { to = 60 }",
            "for i = 1, 5 do run:evaluate(prose, { limit = i }) end",
        ]
        func evaluations(_ count: Int) -> [String] {
            (0..<count).map { index in
                "x = { #run:generate { 'a', tokens = 2, seed = \(index) }, mt.memory().live, 'line \(index)' }"
            }
        }
        let measure = "collectgarbage() print('resident', mt.memory().resident)"
        lines += evaluations(300) + [measure, "run:train { to = 400 }", measure]
        lines += evaluations(1500) + [measure]
        let outcome = try Program.run(
            ["--threads", "1", "--store", scratch.path + "/store"],
            input: lines.joined(separator: "\n") + "\n")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let sizes = outcome.output.split(separator: "\n").compactMap { line -> Int? in
            line.hasPrefix("resident\t") ? Int(line.dropFirst(9)) : nil
        }
        try #require(sizes.count == 3, "\(outcome.output) \(outcome.errors)")
        let training = sizes[1] - sizes[0]
        let prompt = sizes[2] - sizes[1]
        print(
            "resident \(sizes[0] >> 10) KiB; 340 steps \(training >> 10) KiB, 1500 lines \(prompt >> 10) KiB"
        )
        #expect(training < 12 << 20, "340 steps grew the process by \(training) bytes")
        #expect(prompt < 6 << 20, "1500 lines grew the process by \(prompt) bytes")
    }
}
