import Bindings
import Testing

@Suite("Frames in Lua") struct FrameScriptTests {
    private static let study = """
        function study(weights, evaluate)
          return mt.study {
            arms = mt.grid { weight = weights, start = { 4, 8 }, seed = { 1, 2, 3 } },
            recipe = function(arm)
              return base:with { seed = arm.seed }:midtrain {
                from = arm.start, mixture = { prose = 1 - arm.weight, code = arm.weight },
              }
            end,
            controls = { control = base }, evaluate = evaluate or { prose, code }, limit = 2,
          }:run()
        end
        function failing(part, f, ...)
          local good, problem = pcall(f, ...)
          assert(not good, "no error")
          assert(tostring(problem):find(part, 1, true), problem)
        end

        """

    @Test("a filtered result goes wherever a result goes, and columns of one's own go with it")
    func results() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            Self.study + """
                local result = study { 0.2, 0.6 }
                assert(#result == 15)
                local late = result:where "start == nil or start == 8"
                assert(#late == 9 and #late:where { arm = "control" } == 3)
                assert(tostring(late):find("9 of 15 rows", 1, true))
                local gap = late:with { gap = "code - prose", half = function(row) return row.code / 2 end }
                -- Against the same by hand.
                local by = {}
                for _, row in ipairs(result:rows()) do
                  by[row.arm .. tostring(row.weight) .. tostring(row.start) .. row.seed] = row.code - row.prose
                end
                for _, row in ipairs(gap:rows()) do
                  local expected = by[row.arm .. tostring(row.weight) .. tostring(row.start) .. row.seed]
                  assert(row.gap == expected and row.half == row.code / 2)
                end
                local compared = gap:compare { "midtrained" }
                assert(compared:find("Δ gap", 1, true) and compared:find("Δ half", 1, true), compared)
                assert(not compared:find("start=4", 1, true) and not compared:find("start 4", 1, true), compared)
                assert(gap:table { rows = "start", columns = "weight", value = "gap" }:find("n=3", 1, true))
                assert(gap:plot { "gap", rows = "start", columns = "weight", against = "control" }:script():find("gap"))
                assert(gap:variance { value = "gap" }.rows[1].mean)
                assert(gap:where { arm = "midtrained" }:with { twice = "2 * gap" }:variance { value = "twice" }.rows[1])
                gap:csv "rows.csv"
                local read = mt.frame { csv = "rows.csv" }
                assert(read.roles.weight == "axis" and read.roles.seed == "seed" and read.roles.gap == "value")
                assert(#read == 9 and read[1].arm == "control")
                local path = os.tmpname() .. ".md"
                gap:report(path, { sections = { { "Frames", { gap:group { "arm", "start", "weight" }:summary "gap", caption = "Gaps." } } } })
                local page = io.open(path):read("a")
                assert(page:find("Gaps.", 1, true) and page:find("(n=3)", 1, true), page)
                os.remove(path) os.remove("rows.csv")
                local both = late:where { arm = "midtrained", weight = 0.6 }:sort "seed"
                local control = late:where { arm = "control" }:sort "seed"
                local paired = mt.paired(both:column "code", control:column "code")
                assert(paired.n == 3)
                failing("choose the rate first", function() return gap:with_rate() end)
                failing("no row has weight = 0.3", function() return result:where { weight = 0.3 } end)
                failing("there is a column called code already", function() return result:with { code = "prose" } end)
                local empty = result:where "weight > 5"
                assert(#empty == 0)
                failing("no arm is called", function() return empty:compare { "midtrained" } end)
                """, name: "=frames")
    }

    @Test("rows of two studies make one result, unless nothing tells them apart")
    func appended() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            Self.study + """
                local first, second = study { 0.2 }, study { 0.6 }
                local both = first .. second
                -- The control is the same state in both, and stands there once.
                assert(#first == 9 and #second == 9 and #both == 15)
                local whole = study { 0.2, 0.6 }
                assert(both:sort { "arm", "weight", "start", "seed" }:table { rows = "start", columns = "weight", value = "code" }
                  == whole:table { rows = "start", columns = "weight", value = "code" })
                assert(#(first .. first) == 9)
                local other = study({ 0.2 }, { prose })
                failing("a parameter tells them apart", function() return other .. first end)
                local named = other:with { text = "'plain'" } .. first:with { text = "'code'" }
                assert(#named == 18)
                -- A table shows what it must not pool.
                local text = named:table { rows = "start", columns = "weight", value = "prose" }
                assert(text:find("text", 1, true) and text:find("plain", 1, true) and not text:find("n=6", 1, true), text)
                failing("text", function()
                  return named:plot { "prose", rows = "start", columns = "weight" }
                end)
                failing("group by text too", function()
                  return named:group { "arm", "start", "weight" }:summary "prose"
                end)
                local sizes = mt.frame { { weight = 0.2, cost = 5 } }
                local joined = first:join(sizes, { "weight", how = "left", repeats = true })
                assert(#joined == 9 and joined:compare { "midtrained", columns = "code" })
                assert(#first:join(sizes, { "weight", repeats = true }) == 6)
                failing("an outer join", function()
                  return first:join(sizes, { "weight", how = "outer", repeats = true })
                end)
                """, name: "=frames")
    }

    @Test("frames of rows: what is wrong is said")
    func frames() throws {
        let laboratory = try LaboratoryBench(setup: false)
        try laboratory.bench.interpreter.run(
            Self.study + """
                local frame = mt.frame {
                  { arm = "a", seed = 1, loss = 3, tied = true }, { arm = "a", seed = 2, loss = 2.5, tied = false },
                  { arm = "b", seed = 1, loss = 2 },
                }
                assert(#frame == 3 and frame[3].tied == nil and frame[1].tied == true and frame[4] == nil)
                assert(table.concat(frame.columns, " ") == "arm loss seed tied")
                assert(#frame:where "tied" == 1 and #frame:where(function(row) return row.loss < 3 end) == 2)
                local summary = frame:select { "arm", "seed", "loss" }:group "arm":summary "loss"
                assert(summary[1].loss == 2.75 and summary[1].loss_n == 2 and summary[2].loss_low == nil)
                assert(frame:select { "arm", score = "loss" }:column "score"[3] == 2)
                assert(#(frame .. frame) == 6)
                failing("two frames expected, got frame and \\"x\\"", function() return frame .. "x" end)
                failing("rows[1].loss: finite number", function() return mt.frame { { loss = 0 / 0 } } end)
                failing("rows or csv expected", function() return mt.frame {} end)
                failing("no column is called los", function() return frame:sort "los" end)
                failing("row 3 has no tied", function() return frame:column "tied" end)
                failing("expected of the function, got 3", function() return frame:where(function(row) return row.loss end) end)
                failing("both have a column called loss", function() return frame:join(frame, { "arm", "seed" }) end)
                local repeated = mt.frame { { arm = "a", x = 1 }, { arm = "a", x = 2 } }
                failing("have the same keys (arm \\"a\\")", function() return frame:join(repeated, { "arm", repeats = true }) end)
                failing("at least one column", function() return frame:select {} end)
                failing("two columns are called loss", function() return frame:select { "loss", "loss" } end)
                failing("gone.csv", function() return mt.frame { csv = "gone.csv" } end)
                local file = io.open("ragged.csv", "w") file:write("a,b\\n1,2\\n3\\n") file:close()
                failing("ragged.csv", function() return mt.frame { csv = "ragged.csv" } end)
                os.remove("ragged.csv")
                """, name: "=frames")
    }

    @Test("100,000 rows are filtered, sorted, grouped, joined and written")
    func large() throws {
        let laboratory = try LaboratoryBench(setup: false)
        try laboratory.bench.interpreter.run(
            """
            local rows = {}
            for i = 1, 100000 do
              rows[i] = { arm = "arm " .. i % 100, seed = i // 100, loss = i % 977 / 100, id = i }
            end
            local frame = mt.frame(rows)
            assert(#frame:where "loss > 5 and arm == 'arm 7'" == #frame:where(function(row) return row.loss > 5 and row.arm == "arm 7" end))
            assert(frame:sort { "-loss", "id" }[1].loss == 9.76)
            local summary = frame:group "arm":summary "loss"
            assert(#summary == 100 and summary[1].loss_n == 1000)
            local other = frame:select { "id", again = "loss" }
            assert(#frame:join(other, { "id" }) == 100000)
            frame:csv "large.csv"
            assert(#mt.frame { csv = "large.csv" } == 100000)
            os.remove("large.csv")
            assert(#tostring(frame) < 20000)
            """, name: "=large")
    }
}
