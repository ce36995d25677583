import Bindings
import Runtime
import Testing

/// All that scripts do with a model, for every family.
@Suite("Families in Lua") struct FamilyLuaTests {
    @Test(
        "a study over families and weights, with finetuning and tasks; then forks, probes, similarity, generation and files"
    )
    func everything() throws {
        let laboratory = try LaboratoryBench()
        let families = ModelFamilies.all.map { "\"\($0.family)\"" }.joined(separator: ", ")
        try laboratory.bench.interpreter.run(
            """
            local shapes = {}
            for _, family in ipairs { \(families) } do
              shapes[family] = mt[family]("micro-0.1m",
                { tokenizer = tokens, context = 96, layers = 2, width = 16, heads = 2 })
            end
            local file = os.tmpname() .. ".jsonl"
            local out = assert(io.open(file, "w"))
            out:write('{"q": "2 + 2 =", "right": "4", "wrong": "five"}\\n')
            out:close()
            local sums = mt.multiple_choice { "sums", files = file, prompt = "{q}", correct = " {right}",
              distractors = { " {wrong}" } }
            local function recipe(family, seed)
              return mt.recipe { model = shapes[family], steps = 12, batch = 5, seed = seed, mixture = { prose = 1 } }
            end
            local study = mt.study {
              arms = mt.grid { family = { \(families) }, weight = { 0.2, 0.8 } },
              recipe = function(arm)
                return recipe(arm.family, 1):midtrain { from = 6, mixture = { prose = 1 - arm.weight, code = arm.weight } }
              end,
              finetune = { tasks, epochs = 1, batch = 8, learning_rate = { 1e-3 } },
              evaluate = { tasks, prose, code }, tasks = { sums }, limit = 2,
            }
            local plan = study:plan { calibrate = false }
            assert(plan.memory > 0 and plan.missing_steps < plan.naive_steps)
            local result = study:run()
            local table_ = result:table { rows = "family", columns = "weight", value = "code" }
            assert(not table_:find("failed"), table_)
            assert(study:run().trained_steps == 0)
            for family, shape in pairs(shapes) do
              local run = recipe(family, 2):open { name = family }
              local first = run:model()
              run:train { to = 4 }
              local fork = run:fork { mixture = { prose = 0.5, code = 0.5 }, run_name = family .. " forked" }
              fork:train()
              assert(fork.step == 12 and fork:evaluate(code, { limit = 2 }).loss > 0)
              local network = fork:model()
              local aligned = mt.cka(first, network, prose, { documents = 4, tokens = 16, bootstrap = 0 })
              assert(#aligned.rows == 4, family)
              local pull = mt.conflict(fork, { general = prose, target = code, limit = 4, blocks = 2, bootstrap = 0 })
              for _, row in ipairs(pull.rows) do assert(row.cosine.value == row.cosine.value, family) end
              local close = mt.similarity { prose, code, metric = "gradient", network = network, documents = 4, bootstrap = 0 }
              assert(tostring(close):find("prose"), family)
              assert(network:score(sums).count == 1)
              local text = fork:generate { "the", tokens = 40, temperature = 0 }
              assert(type(text) == "string", family)
              local folder = os.tmpname() .. "." .. family
              network:export(folder)
              local again = mt.pretrained(folder, { context = 80 })
              assert(again.context == 80 and again.layers == 2, family)
              local tuned = mt.recipe { model = again }:finetune { tasks, epochs = 1, batch = 8, learning_rate = 1e-3 }:open { name = family .. " tuned" }
              tuned:train()
              assert(tostring(fork:profile { steps = 1 }):find("matmul"), family)
            end
            """, name: "=families")
    }
}
