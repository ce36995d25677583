import Bindings
import Foundation
import TestSupport
import Testing

@Suite("Runs in Lua") struct RunTests {
    @Test("a fork shares this run's states and is the run that midtrain() makes")
    func fork() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            local run = base:open { name = "trunk" }
            run:train { to = 5 }
            local branch = run:fork { mixture = { prose = 0.5, code = 0.5 }, run_name = "branch" }
            assert(branch.step == 5 and branch.key == run.key and branch.name == "branch")
            branch:train()
            assert(branch.trained == 7 and run.step == 5)
            local straight = base:midtrain { from = 5, mixture = { prose = 0.5, code = 0.5 } }
            assert(straight:keys()[1] == branch.key)
            assert(branch.recipe:keys()[1] == branch.key)
            run:resume()
            assert(run.trained == 12 and run.key ~= branch.key)
            -- From the beginning, and from inside a branch.
            assert(base:with({ seed = 7 }):open():fork({ mixture = { code = 1 } }).step == 0)
            local second = branch.recipe:with({ seed = 8 }):open()
            second:train { to = 8 }
            assert(second:fork({ mixture = { prose = 1 } }).step == 8)
            """, name: "=fork")
        let error = laboratory.bench.error("base:run():fork { mixture = { code = 1 } }")
        #expect(error.contains("past its 12 steps"), "\(error)")
    }

    @Test("a name that a person gave stays until a person gives another")
    func names() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            local function names()
              local list = {}
              for _, run in ipairs(mt.runs()) do list[#list + 1] = run.name end
              return table.concat(list, ", ")
            end
            base:run()
            assert(names() == "run", names())
            base:run { name = "trunk" }
            base:run()
            mt.study { arms = { { name = "again" } }, recipe = function() return base end, evaluate = { prose } }:run()
            assert(names() == "trunk", names())
            base:run { name = "other" }
            assert(names() == "other", names())
            """, name: "=names")
    }

    @Test("on_step stops a run by returning false, which is no error")
    func stopping() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            local run = base:open { name = "stopping" }
            run:train { on_step = function(step) return step.step < 5 end }
            assert(run.step == 5 and not run.finished)
            run:train { to = 8 }
            assert(run.step == 8)
            run:resume()
            assert(run.finished and run.key == base:keys()[1])
            """, name: "=stopping")
    }

    @Test("a callback that trains its own run gets an error instead of waiting for itself")
    func nested() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            local run = base:open { name = "nested" }
            local ok, message
            run:train {
              on_step = function(step)
                if step.step == 3 then ok, message = pcall(run.train, run) end
                if step.step == 4 then ok, message = pcall(base.run, base) end
              end,
            }
            assert(ok == false and message:find("has it itself", 1, true), message)
            assert(run.finished and run.key == base:keys()[1])
            -- Another recipe may be trained meanwhile.
            local other = base:with { seed = 2 }
            other:run { on_step = function(step) if step.step == 3 then base:with({ seed = 3 }):run() end end }
            """, name: "=nested")
    }

    @Test("what the steps measured can be read in another session, with and without the recipe")
    func records() throws {
        let laboratory = try LaboratoryBench()
        let path = laboratory.scratch.path
        try laboratory.bench.interpreter.run(
            "run = base:run { name = 'one' } run:csv('\(path)/first.csv') losses = run:records()",
            name: "=first")
        var settings = Interpreter.Settings()
        settings.store = path + "/store"
        let again = try Bench(settings)
        try again.interpreter.run(
            """
            local records = mt.records("one")
            assert(#records == 12 and records[1].step == 1 and records[12].loss > 0)
            local run = mt.runs()[1]
            assert(run.name == "one" and run.status == "finished" and run.bytes > 0 and run.parameters > 0)
            assert(#mt.records(run.key:sub(1, 8)) == 12)
            mt.write_csv("\(path)/second.csv",
              { "step", "loss", "learning_rate", "gradient_norm", "tokens", "seconds" }, records)
            """, name: "=second")
        let first = try String(contentsOfFile: path + "/first.csv", encoding: .utf8)
        #expect(try String(contentsOfFile: path + "/second.csv", encoding: .utf8) == first)
    }

    @Test("a run that cannot fit is refused with the sum and its parts, before any step")
    func refused() throws {
        let laboratory = try LaboratoryBench()
        let error = laboratory.bench.error(
            """
            mt.recipe {
              model = mt.neox("pythia-1b", { tokenizer = tokens, context = 2048 }),
              steps = 2, batch = 64, mixture = { prose = 1 }, repeats = true,
            }:run { on_step = function() error("a step was taken") end }
            """)
        for part in [
            "needs", "GB of memory", "parameters", "gradients", "moments", "activations",
            "available",
        ] { #expect(error.contains(part), "\(error)") }
        #expect(laboratory.bench.error("assert(#mt.runs() == 0)") == "no error")
    }
}
