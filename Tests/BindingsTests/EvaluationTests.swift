import Bindings
import Testing

@Suite("What was measured along training") struct EvaluationTests {
    private static let helpers = """
        function failing(part, f, ...)
          local good, problem = pcall(f, ...)
          assert(not good, "no error")
          assert(tostring(problem):find(part, 1, true), problem)
        end

        """

    @Test("losses on the way are a frame and a figure, and on_step sees them")
    func evaluations() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            Self.helpers + """
                local run = base:open { name = "watched" }
                local seen, steps = {}, 0
                failing("no loss of a corpus was measured", function()
                  run:train { to = 1 }
                  return run:plot { value = "evaluations" }
                end)
                run:train { evaluate = { prose, code }, evaluate_every = 3, limit = 2, on_step = function(step)
                  steps = steps + 1
                  if step.evaluations then seen[step.step] = step.evaluations.code end
                end }
                assert(steps == 11)
                local frame = run:evaluations()
                assert(#frame == 8 and frame.roles.step == "axis")
                for _, row in ipairs(frame:where { corpus = "code" }:rows()) do
                  assert(seen[row.step] == row.loss and row.split == "valid", row.step)
                end
                local wide = frame:pivot { rows = "step", columns = "corpus", value = "loss" }
                assert(#wide == 4 and wide[4].step == 12 and wide[1]["corpus=code"] == seen[3])
                local script = run:plot { value = "evaluations" }:script()
                assert(script:find("'prose'", 1, true) and script:find("valid loss, nats a token", 1, true))
                -- A mean of three steps, by hand.
                local records = run:records()
                run:plot { smooth = 3 }:save "smooth.csv"
                local smooth = mt.frame { csv = "smooth.csv" }
                for i = 3, 12 do
                  local mean = (records[i].loss + records[i - 1].loss + records[i - 2].loss) / 3
                  assert(math.abs(smooth[i].y - mean) < 1e-9)
                end
                assert(smooth[1].y == records[1].loss)
                os.remove "smooth.csv"
                -- Returning false after an evaluation stops there.
                local other = base:with { seed = 5 }:open { name = "stopped" }
                other:train { evaluate = prose, evaluate_every = 3, limit = 2, on_step = function(step)
                  return not step.evaluations
                end }
                assert(other.step == 3)
                """, name: "=evaluations")
    }

    @Test("an alert ends a run, keeps it ended, and is an arm's failure in a study")
    func alerts() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            Self.helpers + """
                local run = base:open { name = "alarmed" }
                failing("alert at step 4: step == 4 or loss < 0", function() run:train { alert = "step == 4 or loss < 0" } end)
                assert(run.step == 4)
                failing("alert at step 4", function() run:train { alert = "step == 4 or loss < 0" } end)
                run:train { to = 6, alert = "loss > mean + 6 sd" }
                failing("a step has no los; known: step, loss", function() run:train { alert = "los > 3" } end)
                failing("true or false expected", function() run:train { alert = "loss" } end)
                local result = mt.study {
                  arms = mt.grid { rate = { 1e-3, 2e-3 }, seed = { 1, 2 } },
                  recipe = function(arm) return base:with { seed = arm.seed, optimizer = { learning_rate = arm.rate } } end,
                  evaluate = { prose }, limit = 2,
                }:run { alert = "learning_rate > 1.5e-3", evaluate_every = 4 }
                local failed = result:where "failure ~= nil"
                assert(#failed == 2 and failed:rows()[1].failure:find("alert at step", 1, true), failed)
                assert(result:where { rate = 1e-3 }:curves { "prose" }:script():find("valid loss", 1, true))
                failing("no valid loss of code was recorded at several steps; known: prose", function()
                  return result:curves { "code" }
                end)
                """, name: "=alerts")
    }

    @Test("efficiency is read off the reference's curve with the same seed, and not beyond it")
    func efficiency() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            Self.helpers + """
                local result = mt.study {
                  arms = mt.grid { steps = { 32, 64, 128, 256 }, weight = { 0, 0.5 }, seed = { 1, 2, 3 } },
                  recipe = function(arm)
                    local plain = base:with { seed = arm.seed, steps = arm.steps,
                      optimizer = { learning_rate = 1e-2, schedule = "constant" } }
                    if arm.weight == 0 then return plain end
                    return plain:midtrain { from = 2, mixture = { prose = 1 - arm.weight, code = arm.weight } }
                  end, evaluate = { prose, code }, limit = 8,
                }:run { evaluate_every = 16 }
                local control = result:where { weight = 0 }
                local found = result:where { weight = 0.5 }:efficiency { value = "prose", against = control }
                -- By hand from the laws and the rows.
                local inside = 0
                for _, line in ipairs(found.rows) do
                  local steps = tonumber(line.arm:match("steps (%d+)"))
                  local logs = {}
                  for _, row in ipairs(result:where { weight = 0.5, steps = steps }:rows()) do
                    local seed = "_seed_" .. row.seed
                    local limit, scale = found.values["limit" .. seed], found.values["scale" .. seed]
                    local amount = ((row.prose - limit) / scale) ^ (-1 / found.values["exponent" .. seed])
                    local tokens = row.tokens_prose + row.tokens_code
                    logs[#logs + 1] = math.log(amount / tokens)
                    assert(line.tokens == tokens and line.seeds == 3)
                  end
                  if line.times then
                    inside = inside + 1
                    local mean = (logs[1] + logs[2] + logs[3]) / 3
                    assert(math.abs(line.times.value / math.exp(mean) - 1) < 1e-9)
                    assert(line.times.low < line.times.value and line.times.value < line.times.high)
                  else
                    assert(line.outside:find("than the reference with its", 1, true), line.outside)
                  end
                end
                assert(inside > 0 and #found.rows == 4)
                local flops = result:where { weight = 0.5 }:efficiency { value = "prose", against = control, unit = "flops" }
                for i, line in ipairs(flops.rows) do
                  -- Operations are tokens times a number, so that ratios are the same.
                  local times = found.rows[i].times
                  assert((line.times == nil) == (times == nil))
                  if times then assert(math.abs(line.times.value / times.value - 1) < 1e-6) end
                  assert(line.flops > 1000 * found.rows[i].tokens)
                end
                failing("at least 3 different amounts of training expected, got 2", function()
                  return result:efficiency { value = "prose", against = control:where { steps = { 32, 64 } } }
                end)
                failing("against: names of arms or a result expected", function() return result:efficiency { value = "prose" } end)
                failing("no arm is called contrl", function() return result:efficiency { value = "prose", against = "contrl" } end)
                failing("no measured column is called pros", function() return result:efficiency { value = "pros", against = control } end)
                local goal = 0
                for _, row in ipairs(result:where { weight = 0, steps = 256 }:rows()) do goal = goal + row.prose / 3 end
                local reached = result:where { steps = 256 }:efficiency { value = "prose", steps_to = goal + 0.3 }
                local never = result:where { steps = 256 }:efficiency { value = "prose", steps_to = 0.1 }
                assert(#reached.rows == 2 and reached.rows[1].step and reached.rows[1].step % 16 == 0, tostring(reached))
                assert(reached.rows[1].limit < goal + 0.3)
                assert(not never.rows[1].step and never.rows[1].outside:find("not by step 256", 1, true), tostring(never))
                local single = result:where { steps = 256, seed = 1 }:efficiency { value = "prose", steps_to = goal + 0.3 }
                assert(single.rows[1].outside:find("one seed", 1, true))
                failing("not with steps_to", function()
                  return result:efficiency { value = "prose", steps_to = 3, against = control }
                end)
                """, name: "=efficiency")
    }
}
