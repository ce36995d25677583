import Bindings
import Testing

@Suite("Science in Lua") struct ScienceTests {
    @Test("cka is that of hidden states averaged by hand")
    func cka() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            local run = base:open()
            local first = run:model()
            run:train { to = 4 }
            local second = run:model()
            local found = mt.cka(first, second, prose, { documents = 5, tokens = 20, bootstrap = 0 })
            -- The same by hand: states averaged over each document, products of pairs, the means taken out.
            local function states(network, layer)
              local rows = {}
              for _, document in ipairs(prose:documents(5, "valid")) do
                local ids = tokens:encode(document)
                local cut = { tokens.end_of_text }
                for index = 1, math.min(20, #ids) do cut[#cut + 1] = ids[index] end
                rows[#rows + 1] = network:hidden_states(cut)[layer]:slice(2):mean(1):table()
              end
              return rows
            end
            local function kernel(rows)
              local count, width = #rows, #rows[1]
              local mean = {}
              for column = 1, width do
                mean[column] = 0
                for _, row in ipairs(rows) do mean[column] = mean[column] + row[column] / count end
              end
              local products = {}
              for i = 1, count do
                for j = 1, count do
                  local sum = 0
                  for c = 1, width do sum = sum + (rows[i][c] - mean[c]) * (rows[j][c] - mean[c]) end
                  products[#products + 1] = sum
                end
              end
              return products
            end
            local function dot(a, b)
              local sum = 0
              for index = 1, #a do sum = sum + a[index] * b[index] end
              return sum
            end
            assert(#found.rows == 3)
            for layer, row in ipairs(found.rows) do
              local a, b = kernel(states(first, layer)), kernel(states(second, layer))
              local expected = dot(a, b) / math.sqrt(dot(a, a) * dot(b, b))
              assert(math.abs(row.cka.value - expected) < 1e-5, row.layer .. ": " .. row.cka.value .. " " .. expected)
            end
            """, name: "=cka")
    }

    @Test("failed arms are declared wherever their numbers would be")
    func exclusions() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            local result = mt.study {
              arms = mt.grid { start = { 4, 8 }, weight = { 0.2, 0.8 }, seed = { 1, 2 } },
              recipe = function(arm)
                local changed = base:with { seed = arm.seed, batch = arm.weight == 0.8 and arm.start == 4 and 4000 or 5 }
                return changed:midtrain { from = arm.start, mixture = { prose = 1 - arm.weight, code = arm.weight } }
              end,
              controls = { control = base }, evaluate = { prose, code }, limit = 4,
            }:run()
            local table = result:table { rows = "start", columns = "weight", value = "code" }
            assert(table:find("2 failed", 1, true) and table:find("excluded: midtrained start=4 weight=0.8 seed=1", 1, true), table)
            local compared = result:compare { "midtrained" }
            assert(compared:find("excluded: midtrained start=4 weight=0.8 seed=2", 1, true), compared)
            local found = result:interaction { value = "code" }
            assert(tostring(found):find("excluded", 1, true) and #found.rows == 3)
            assert(found.values.interaction_df == 0 and found.values.start_df == 1)
            """, name: "=exclusions")
    }

    @Test("finetuning seeds make rows, calibrated recommendations say how far they are off")
    func calibrated() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            local long = mt.recipe {
              model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 128, layers = 1, width = 16, heads = 2 }),
              steps = 12, batch = 4, mixture = { prose = 1 },
            }
            local result = mt.study {
              arms = mt.grid { start = { 3, 7 }, weight = { 0.2, 0.5, 0.9 }, seed = { 1, 2 } },
              recipe = function(arm)
                return long:with { seed = arm.seed }:midtrain {
                  from = arm.start, mixture = { prose = 1 - arm.weight, code = arm.weight },
                }
              end,
              controls = { control = long },
              finetune = { tasks, epochs = 1, batch = 4, learning_rate = 1e-3, seeds = { 5, 6 } },
              evaluate = { prose, tasks }, limit = 4,
            }:run()
            assert(#result:rows() == 2 * 2 * 7 and result:rows()[1].finetune_seed == 5)
            local spread = result:variance { value = "tasks" }
            assert(#spread.rows == 7 and spread.rows[1].finetuning_sd.low > 0 and spread.rows[1].values == 4)
            local options = {
              general = prose, candidates = code, target = tasks, weights = { 0.1, 0.6 }, metric = "characters",
              bootstrap = 20, results = result,
            }
            local ranked = mt.recommend(options)
            assert(ranked:ranking()[1].predicted.low and tostring(ranked):find("Left out one at a time", 1, true))
            options.starts = { 0.25, 0.75 }
            assert(#mt.recommend(options):ranking() == 4)
            options.results = nil
            local fine, message = pcall(mt.recommend, options)
            assert(not fine and message:find("starts", 1, true), message)
            local close = mt.similarity { prose, code, tasks, metric = "characters", bootstrap = 20 }
            local found = result:correlate { similarity = close }
            assert(found.values.points == 6 and found.rows[1].target == "tasks" and found.rows[1].seeds == 2)
            """, name: "=calibrated")
    }

    @Test("what differs between two recipes prints, and a lost phase is an error that names both")
    func explained() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            local branch = base:midtrain { from = 5, mixture = { prose = 0.5, code = 0.5 } }
            local difference = base:explain(branch)
            local text = tostring(difference)
            assert(text:find("up to 5", 1, true) and text:find("phases", 1, true), text)
            assert(difference.last_shared == 5 and #difference.fields > 0)
            assert(base:explain(base:with { seed = 9 }).last_shared == nil)
            local fine, message = pcall(branch.midtrain, branch, { from = 3, name = "early", mixture = { code = 1 } })
            assert(not fine and message:find("early", 1, true) and message:find("midtrain from step 5", 1, true), message)
            assert(branch:upto(8):keys { 8 }[1] == branch:keys { 8 }[1])
            """, name: "=explained")
    }

    @Test("intervals of losses are over documents, and one document has none")
    func documents() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            -- All windows are one batch.
            local network = base:run():model()
            local found = mt.losses(network, { prose, code, limit = 64 })
            for _, row in ipairs(found.rows) do
              assert(row.loss.low < row.loss.value and row.loss.value < row.loss.high, tostring(found))
            end
            assert(tostring(found):find("over resampled documents", 1, true))
            local path = os.tmpname() .. ".csv"
            mt.write_csv(path, { "text" }, { { text = ("one long document "):rep(200) } })
            local one = mt.corpus { "one", files = path, valid_fraction = 0, test_fraction = 0 }
            assert(not mt.losses(network, { one, split = "train", limit = 4 }).rows[1].loss.low)
            local close = mt.similarity { prose, code, one, metric = "characters", bootstrap = 20 }
            local value, limits = close:value("prose", "one")
            assert(value > 0 and limits.low == nil, value)
            assert(select(2, close:value("prose", "code")).low)
            assert(not close:proximity { mix = { prose = 0.5, code = 0.5 }, general = "prose", target = "one" }.low)
            assert(tostring(close):find("±?", 1, true), tostring(close))
            """, name: "=documents")
    }

    @Test("gradients say that code is nearer to code tasks than prose is, mixtures between them")
    func gradients() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            local long = mt.recipe {
              model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 128, layers = 1, width = 16, heads = 2 }),
              steps = 12, batch = 4, mixture = { prose = 1 },
            }
            local network = long:run():model()
            local close = mt.similarity { prose, code, tasks, metric = "gradient", network = network, documents = 8, bootstrap = 20 }
            local value, limits = close:value("code", "prose")
            assert(value < 1 and value > -1 and limits.low <= value)
            assert(close:value("code", "code") > 1 - 1e-9)
            local mixed = close:value({ code = 0.5, prose = 0.5 }, "prose")
            assert(mixed > value)
            local fine, message = pcall(mt.similarity, { prose, code, metric = "gradient" })
            assert(not fine and message:find("network", 1, true), message)
            """, name: "=gradients")
    }
}
