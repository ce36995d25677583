import Bindings
import TestSupport
import Testing

@Suite("Matched exposure") struct MatchedTests {
    @Test("arms of any start and weight read exactly the tokens that were asked for")
    func equal() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            local made = 0
            for _, samples in ipairs { 1, 4, 5, 7, 10, 14 } do
              local want = samples * 32
              for _, start in ipairs { 0, 1, 4, 7 } do
                for _, weight in ipairs { 0.3, 0.37, 0.6, 0.9, 1 } do
                  if samples < weight * 5 * (12 - start) then
                    local arm = base:midtrain {
                      from = start, mixture = { prose = 1 - weight, code = weight }, tokens_of = { code = want },
                    }
                    local all = total(arm, "code") + total(arm, "prose")
                    assert(total(arm, "code") == want,
                      ("%d at %d, %g: %d"):format(want, start, weight, total(arm, "code")))
                    assert(all == 12 * 5 * 32)
                    made = made + 1
                  end
                end
              end
            end
            assert(made > 90)
            """, name: "=matched")
    }

    @Test("a mixture of three sources and a run that branches are matched too")
    func three() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            third = mt.corpus { "third", embedded = "arithmetic", bytes = 60000 }
            local arm = base:midtrain {
              from = 3, mixture = { prose = 0.5, code = 0.2, third = 0.3 }, tokens_of = { code = 6 * 32 },
            }
            assert(total(arm, "code") == 6 * 32)
            local run = base:run { to = 2 }
            local branch = run:fork { mixture = { prose = 0.3, code = 0.7 }, tokens_of = { code = 11 * 32 } }
            branch:train()
            local sum = 0
            for _, entry in ipairs(branch:exposure()) do
              if entry.source == "code" then sum = sum + entry.tokens end
            end
            assert(sum == 11 * 32 and branch.trained == 10 and branch.finished)
            """, name: "=three")
    }

    static let cases: [(options: String, parts: [String])] = [
        (
            "from = 8, tokens_of = { code = 640 }",
            ["tokens_of", "640", "do not fit", "step 8", "12"]
        ),
        ("from = 2, tokens_of = { code = 33 }", ["33", "whole sequences of 32", "32 or 64"]),
        ("from = 2, tokens_of = { cod = 32 }", ["does not read", "cod", "code"]),
        ("from = 2, tokens_of = { code = 32, prose = 32 }", ["one corpus", "2"]),
        ("from = 2, tokens_of = { code = 32 }, length = 3", ["length, tokens_of"]),
        ("from = 2, tokens_of = { prose = 32 }", ["reads \"prose\" too"]),
    ]

    @Test("what cannot be matched is refused")
    func refused() throws {
        let laboratory = try LaboratoryBench()
        for (options, parts) in Self.cases {
            let error = laboratory.bench.error(
                "base:midtrain { mixture = { prose = 0.5, code = 0.5 }, \(options) }")
            for part in parts { #expect(error.contains(part), "\(options): \(error)") }
        }
        let changed = laboratory.bench.error(
            """
            base:midtrain({ from = 2, mixture = { prose = 0.5, code = 0.5 }, tokens_of = { code = 96 } })
              :with({ batch = 4 }):open()
            """)
        #expect(changed.contains("promises 96 tokens"), "\(changed)")
    }
}
