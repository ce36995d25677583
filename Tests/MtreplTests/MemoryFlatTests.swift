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

    @Test("sixty background runs and sixty short studies leave memory as it was")
    func ended() throws {
        let scratch = try Scratch()
        let script = try scratch.write(
            "ended.lua",
            StudyScript.prelude + """

                local small = base:with { steps = 2 }
                local held = {}
                local function train(seed)
                  local run = small:with { seed = seed }:open { name = "run " .. seed }
                  run:background()
                  run:wait()
                  held[#held + 1] = run
                end
                local function study(seed)
                  mt.study {
                    arms = mt.grid { seed = { seed } },
                    recipe = function(arm) return small:with { seed = arm.seed } end,
                    evaluate = { prose }, limit = 1,
                  }:run()
                end
                local function report()
                  collectgarbage() collectgarbage()
                  local memory = mt.memory()
                  print("memory", memory.live, memory.resident)
                end
                for seed = 1, 10 do train(seed) study(100 + seed) end
                report()
                for seed = 11, 60 do train(seed) end
                report()
                for seed = 11, 60 do study(100 + seed) end
                report()
                for _, run in ipairs(held) do assert(run.finished and run.step == 2) end
                print(#held[1]:generate { "a", tokens = 2 } > 0)
                """)
        let outcome = try Program.run(
            ["--threads", "2", "--store", scratch.path + "/store", script])
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.output.hasSuffix("true\n"), "\(outcome.output)")
        let sizes = outcome.output.split(separator: "\n").compactMap { line -> [Int]? in
            line.hasPrefix("memory\t") ? line.split(separator: "\t").compactMap { Int($0) } : nil
        }
        try #require(sizes.count == 3 && sizes.allSatisfy { $0.count == 2 }, "\(outcome.output)")
        print("live and resident after 20, 70 and 120: \(sizes)")
        // A model with its gradients and moments has 2.2 MB.
        #expect(sizes[2][0] - sizes[0][0] < 8 << 20, "live: \(sizes)")
        #expect(sizes[2][1] - sizes[0][1] < 48 << 20, "resident: \(sizes)")
    }
}
