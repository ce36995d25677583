import Bindings
import Testing

@Suite("Study tables") struct StudyTableTests {
    @Test("controls have rows of their own, and every cell is the mean of its own arms")
    func controls() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            local result = mt.study {
              arms = mt.grid { start = { 4 }, weight = { 0.2, 0.6 }, seed = { 1, 2 } },
              recipe = function(arm)
                return base:with { seed = arm.seed }:midtrain {
                  from = arm.start, mixture = { prose = 1 - arm.weight, code = arm.weight },
                }
              end,
              controls = { control = base, continued = base:midtrain { from = 8, mixture = { code = 1 } } },
              evaluate = { prose, code }, limit = 4,
            }:run()
            local means, counts = {}, {}
            for _, row in ipairs(result:rows()) do
              local place = row.arm .. (row.weight or "")
              means[place] = (means[place] or 0) + row.code
              counts[place] = (counts[place] or 0) + 1
            end
            local text = result:table { rows = "start", columns = "weight", value = "code" }
            local function check(line, place, cell)
              local found = text:match("\\n" .. line .. "%s+([^\\n]+)")
              assert(found, line .. " in\\n" .. text)
              local numbers = {}
              for mean, count in found:gmatch("([%d.]+) ±[%d.]+ %(n=(%d)%)") do
                numbers[#numbers + 1] = { tonumber(mean), tonumber(count) }
              end
              local number = numbers[cell]
              assert(number and number[2] == counts[place], text)
              assert(math.abs(number[1] - means[place] / counts[place]) < 6e-5, text)
            end
            check("control", "control", 1)
            check("continued", "continued", 1)
            check("4", "midtrained0.2", 1)
            check("4", "midtrained0.6", 2)
            """, name: "=tables")
    }
}
