import Bindings
import TestSupport
import Testing

@Suite("Phases in Lua") struct PhaseScriptTests {
    private func run(_ script: String, _ name: String) throws {
        try LaboratoryBench().bench.interpreter.run(script, name: "=\(name)")
    }

    @Test("schedules: names, segments, functions, re-warming, parts of the peak")
    func schedules() throws {
        try run(
            """
            local function rates(recipe)
              local run = recipe:run()
              local found = {}
              for index, record in ipairs(run:records()) do found[index] = record.learning_rate end
              return found
            end
            local flat = base:with { optimizer = { schedule = "constant", learning_rate = 1e-3, warmup = 2 } }
            local decay = flat:midtrain { from = "50%", mixture = { prose = 0.5, code = 0.5 },
              optimizer = { schedule = "linear", minimum = 0 } }
            local found = rates(decay)
            for step = 0, 5 do assert(math.abs(found[7 + step] - 1e-3 * (1 - step / 6)) < 1e-12) end
            assert(tostring(decay):find("midtrain 6 %(50%%%) ..< 12"))
            local warm = flat:midtrain { from = 6, mixture = { code = 1 },
              optimizer = { learning_rate = "2 of peak", warmup = 2, schedule = "cosine", minimum = "0.1 of peak" } }
            found = rates(warm)
            assert(math.abs(found[7] - 1.5e-3) < 1e-12 and math.abs(found[8] - 2e-3) < 1e-12)
            assert(math.abs(found[9] - 2e-3) < 1e-12)
            local segments = base:with { optimizer = { learning_rate = 1e-3, schedule = {
              { "warmup", steps = "25%", to = "1 of peak" }, { "constant", steps = 3 },
              { "one_minus_sqrt", to = 0 } } } }
            found = rates(segments)
            assert(math.abs(found[3] - 1e-3) < 1e-12 and math.abs(found[6] - 1e-3) < 1e-12)
            assert(math.abs(found[10] - 1e-3 * (1 - (3 / 6) ^ 0.5)) < 1e-12)
            local calls = 0
            local sampled = base:with { optimizer = { schedule = function(step, steps)
              calls = calls + 1
              assert(steps == 12)
              return 1e-3 * (1 - step / steps)
            end } }
            assert(calls == 12)
            found = rates(sampled)
            assert(math.abs(found[4] - 1e-3 * 0.75) < 1e-12 and calls == 12)
            local branch = flat:midtrain { from = 6, mixture = { code = 1 },
              optimizer = { schedule = function(step, steps, before) return before / 2 end } }
            assert(math.abs(rates(branch)[12] - 5e-4) < 1e-12)
            -- A list that says nothing of its first rate begins with the highest; a segment too short for a step still leads on.
            assert(math.abs(rates(base:with { optimizer = { learning_rate = 1e-3, schedule = { { "linear", to = 0 } } } })[1] - 1e-3) < 1e-12)
            found = rates(base:with { optimizer = { learning_rate = 1e-3, schedule = { { "warmup", steps = "1%", to = "1 of peak" }, { "linear", to = 0 } } } })
            assert(math.abs(found[1] - 1e-3) < 1e-12 and math.abs(found[7] - 5e-4) < 1e-12)
            -- A phase without a mixture keeps the one before.
            assert(flat:midtrain { from = 6, optimizer = { learning_rate = 5e-4, schedule = "constant" } }:keys(6)[1] == flat:keys(6)[1])
            -- The same rates are the same states, however they were written.
            local same = flat:midtrain { from = 6, mixture = { code = 1 }, optimizer = { schedule = { { "constant", from = 5e-4 } } } }
            assert(same:keys(12)[1] == branch:keys(12)[1])
            """, "schedules")
    }

    @Test("ramps and loss shares")
    func ramps() throws {
        try run(
            """
            local ramp = base:midtrain { from = 2, mixture = { prose = "rest", code = { 0, 0.4 } } }
            assert(total(ramp, "code") == 10 * 5 * 32 * 0.2)
            local same = base:midtrain { from = 2, mixture = function(p) return { prose = 1 - 0.4 * p, code = 0.4 * p } end }
            assert(same:keys(12)[1] == ramp:keys(12)[1])
            local cosine = base:midtrain { from = 2, mixture = { prose = "rest", code = { 0, 0.4, course = "cosine" } } }
            assert(total(cosine, "code") == total(ramp, "code") and cosine:keys(12)[1] ~= ramp:keys(12)[1])
            local part = base:midtrain { from = 2, mixture = { prose = "rest", code = function(p) return 0.4 * p end } }
            assert(part:keys(12)[1] == ramp:keys(12)[1])
            assert(#ramp:exposure() == 3)
            local loud = base:midtrain { from = 2, mixture = { prose = 0.8, code = { share = 0.2, loss = 0.5 } } }
            local plain = base:midtrain { from = 2, mixture = { prose = 0.8, code = 0.2 } }
            assert(total(loud, "code") == total(plain, "code") and loud:keys(12)[1] ~= plain:keys(12)[1])
            for _, entry in ipairs(loud:exposure()) do
              if entry.phase == "midtrain" and entry.source == "code" then
                assert(math.abs(entry.loss_share - 0.5) < 1e-9)
              end
            end
            local run = loud:run()
            assert(run.finished)
            assert(tostring(ramp):find("code 0 → 0.4 %(linear%)"))
            """, "ramps")
    }

    @Test("batch, context, optimizer, precision and order of a phase; a fork that re-warms")
    func settings() throws {
        try run(
            """
            local all = base:midtrain { from = 4, mixture = { prose = 0.5, code = 0.5 }, batch = 3, context = 64,
              rotary_base = 50000, precision = "bfloat16", order_seed = 9,
              optimizer = { kind = "sgd", momentum = 0.8, learning_rate = 1e-2, schedule = "constant" } }
            local sum = 0
            for _, entry in ipairs(all:exposure()) do sum = sum + entry.tokens end
            assert(sum == 4 * 5 * 32 + 8 * 3 * 64)
            local run = all:run()
            assert(run.finished and run:evaluate(prose, { limit = 2 }).loss > 0)
            run:export("exported_phases")
            assert(mt.pretrained("exported_phases").context == 64)
            local trunk = base:run { to = 5 }
            local fork = trunk:fork { mixture = { code = 1 }, optimizer = { learning_rate = 5e-4, warmup = 1, reset = true } }
            fork:train()
            assert(fork.trained == 7)
            local text = tostring(all)
            for _, part in ipairs { "batch 3", "context 64", "rotary base 50000", "bfloat16", "order seed 9", "sgd" } do
              assert(text:find(part, 1, true), text)
            end
            """, "settings")
    }

    @Test(
        "finetuning in a row, with replay and a schedule of its own; several targets in one study")
    func finetuning() throws {
        try run(
            """
            local tasks = mt.corpus { "lines", embedded = "code", bytes = 20000, valid_fraction = 0.2, test_fraction = 0.2 }
            local twice = base:finetune { tasks, epochs = 1, batch = 8, learning_rate = 1e-3 }
              :finetune { tasks, epochs = 1, batch = 4, learning_rate = 1e-3,
                schedule = { { "constant", steps = "50%", from = "1 of peak" }, { "linear", to = 0 } },
                replay = { mixture = { prose = 0.5, code = 0.5 }, share = 0.25 } }
            local run = twice:run()
            assert(run.finished)
            local replayed = 0
            for _, entry in ipairs(run:exposure()) do
              if entry.phase == "finetune" then replayed = replayed + entry.tokens end
            end
            assert(replayed > 0)
            local plain = base:finetune { tasks, epochs = 1, batch = 8, learning_rate = 1e-3 }
            assert(plain:keys(13)[1] == twice:keys(13)[1])
            local study = mt.study {
              arms = mt.grid { weight = { 0.5 }, seed = { 1, 2 } },
              recipe = function(arm)
                return base:with { seed = arm.seed }:midtrain { from = 6, mixture = { prose = 1 - arm.weight, code = arm.weight } }
              end,
              controls = { control = base },
              finetune = { { tasks, epochs = 1, batch = 16, learning_rate = 1e-3 }, { code, epochs = 1, batch = 64, learning_rate = 1e-3 } },
              evaluate = { tasks, code, prose }, limit = 4,
            }
            local steps = 0
            local result = study:run { on_step = function(record)
              steps = steps + 1
              assert(record.arm:find("finetuned_on=") and record.phase)
            end }
            assert(steps > 0 and #result:rows() == 8)
            local targets = {}
            for _, row in ipairs(result:rows()) do targets[row.finetuned_on] = (targets[row.finetuned_on] or 0) + 1 end
            assert(targets.lines == 4 and targets.code == 4)
            print(result:compare { "midtrained", against = "control", columns = { "lines" } })
            """, "finetuning")
    }

    @Test("sizes as arms with a control for each, seeds by cause, an arm that on_step ends")
    func arms() throws {
        try run(
            """
            local function recipe(layers, seed)
              return mt.recipe {
                model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32, layers = layers, width = 16, heads = 2 }),
                steps = 4 * layers, batch = 4, seed = seed, mixture = { prose = 1 },
              }
            end
            local study = mt.study {
              arms = mt.grid { layers = { 1, 2 }, seed = { 1, 2 } },
              recipe = function(arm)
                return recipe(arm.layers, arm.seed):midtrain { from = "50%", mixture = { prose = 0.5, code = 0.5 } }
              end,
              controls = { control = function(seed, arm) return recipe(arm.layers, seed) end }, per = "layers",
              evaluate = { code }, limit = 4,
            }
            local result = study:run()
            assert(#result:rows() == 8)
            local comparison = tostring(result:compare { "midtrained", against = "control", columns = { "code" } })
            assert(comparison:find("layers=1") and comparison:find("layers=2"), comparison)
            local a = base:with { seed = { weights = 1, order = 2 } }
            local b = base:with { seed = { weights = 1, order = 3 } }
            local c = base:with { seed = { weights = 2, order = 2 } }
            assert(a:keys(0)[1] == b:keys(0)[1] and a:keys(1)[1] ~= b:keys(1)[1] and a:keys(0)[1] ~= c:keys(0)[1])
            local one = base:with { seed = { phase = 7 } }:midtrain { from = 6, mixture = { prose = 1 } }
            assert(one:keys(6)[1] == base:keys(6)[1] and one:keys(7)[1] ~= base:keys(7)[1])
            local ended = mt.study {
              arms = { { seed = 5 }, { seed = 6 } }, recipe = function(arm) return base:with { seed = arm.seed } end,
              evaluate = { prose }, limit = 2,
            }:run { on_step = function(record) return not (record.arm:find("seed=5") and record.step == 3) end }
            assert(ended:rows()[1].failure:find("ended by on_step after step 3") and ended:rows()[2].prose)
            """, "arms")
    }

    @Test("averages of states and of runs are models")
    func averages() throws {
        try run(
            """
            local run = base:run { keep = { 6 } }
            local function values(shape) return shape:initialise():parameter("gpt_neox.embed_in.weight"):table() end
            local first = base:open()
            local mean = run:average { states = { 6, 12 } }
            local a, b = base:upto(6):run():model(), run:model()
            local x, y = a:parameter("gpt_neox.embed_in.weight"):table(), b:parameter("gpt_neox.embed_in.weight"):table()
            local z = values(mean)
            for row = 1, 3 do
              for column = 1, 4 do assert(math.abs(z[row][column] - (x[row][column] + y[row][column]) / 2) < 1e-7) end
            end
            assert(run:average { states = { 6, 12 } }.weights == mean.weights)
            -- States without a checkpoint are trained again, to the same bits.
            local moving = run:average { last = 3, every = 2, decay = 0.5 }
            assert(moving.weights == run:average { states = { 8, 10, 12 }, weights = { 0.25, 0.25, 0.5 } }.weights)
            assert(moving.weights == run:average { states = { 12, 8, 10 }, weights = { 0.5, 0.25, 0.25 } }.weights)
            local soup = mt.average { run, base:with { seed = { order = 4 } }:run() }
            local tuned = mt.recipe { model = soup }:finetune { code, epochs = 1, batch = 16, learning_rate = 1e-3 }:run()
            assert(tuned.finished)
            assert(mt.recipe { model = mean }:open():evaluate(prose, { limit = 2 }).loss > 0)
            """, "averages")
    }

    static let wrong: [(script: String, parts: [String])] = [
        ("base:midtrain { from = 'x%', mixture = { code = 1 } }", ["from", "\"80%\"", "x%"]),
        ("base:midtrain { from = '100%', mixture = { code = 1 } }", ["from", "0 ... 11", "12"]),
        (
            "base:midtrain { from = 2, mixture = { code = { 0, 0.5 }, prose = 0.5 } }",
            ["sum to 1", "step 0"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = { 0, 0.5, 1 }, prose = 'rest' } }",
            ["mixture.code", "{ first, last }"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = { 0, 0.5, cours = 'x' }, prose = 'rest' } }",
            ["cours", "course"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = 'rest', prose = 'rest' } }",
            ["only one weight"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = function(p) return 0/0 end, prose = 'rest' } }",
            ["mixture.code", "0 ... 1", "nan"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = function(p) error('no') end, prose = 'rest' } }",
            ["no"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = { share = 0.2, los = 1 }, prose = 0.8 } }",
            ["mixture.code", "los"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = { share = 0.2, loss = 1.5 }, prose = 0.8 } }",
            ["loss", "0 ... 1", "1.5"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = 1 }, optimizer = { schedule = function(s) return -s end } }",
            ["schedule", "step 1", "-1"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = 1 }, optimizer = { schedule = { { 'linear', steps = 3, to = 0 } } } }",
            ["gap from step 3"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = 1 }, optimizer = { schedule = { { 'linear', steps = 30, to = 0 } } } }",
            ["schedule[1]", "10 steps", "30"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = 1 }, optimizer = { schedule = { { 'linier', steps = 3, to = 0 } } } }",
            ["linear"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = 1 }, optimizer = { schedule = { 'linear', to = 'half of peak' } } }",
            ["schedule", "0.1 of peak"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = 1 }, optimizer = { schedule = { 'linear', to = 0 }, warmup = 3 } }",
            ["optimizer.warmup", "leave it out"]
        ),
        (
            "base:midtrain { from = 2, mixture = { code = 1 }, optimizer = { momentum = 0.5 } }",
            ["adamw has no such setting"]
        ),
        ("base:midtrain { from = 2, mixture = { code = 1 }, batch = 0 }", ["batch", "0"]),
        (
            "base:with { accumulate = 5 }:midtrain { from = 2, mixture = { code = 1 }, batch = 4 }",
            ["accumulate", "4"]
        ),
        (
            "base:finetune { tasks, learning_rate = 1e-3, replay = { mixture = { prose = 1 }, share = 1 } }",
            ["replay.share", "below 1"]
        ),
        (
            "mt.study { arms = { { seed = 1 } }, recipe = function() return base end, controls = { c = base }, per = 'size' }",
            ["controls.c", "function"]
        ),
        (
            "mt.average { base:open(), mt.recipe { model = mt.neox('micro-0.1m', { tokenizer = tokens, context = 32, layers = 2 }), steps = 1, batch = 1, mixture = { prose = 1 } }:open() }",
            ["one shape"]
        ),
        ("base:open():average { last = 3 }", ["last", "step 0"]),
        ("base:open():average { states = { 0 }, last = 3 }", ["states, last"]),
        (
            "base:midtrain { from = 2, mixture = { prose = 0.9, code = { share = 0.1, loss = 1 } } }",
            ["leave nothing for prose"]
        ),
        (
            "base:midtrain { from = 11, mixture = { prose = 'rest', code = { 0, 0.3 } } }",
            ["1 step is too short"]
        ),
        (
            "base:with { steps = 2^32, repeats = true }:midtrain { from = '50%', mixture = { prose = 'rest', code = { 0, 0.3 } } }",
            ["10000000 steps"]
        ),
        (
            "base:midtrain { from = 6, mixture = { code = 1 } }:with { steps = 5 }",
            ["midtrain begins at step 6", "5 steps"]
        ),
        ("base:midtrain { from = '0x10%', mixture = { code = 1 } }", ["from", "0x10%"]),
        (
            "mt.study { arms = { { seed = 1 } }, recipe = function() return base end, controls = { base } }",
            ["controls", "names"]
        ),
        (
            "mt.study { arms = { { arm = 'x' } }, recipe = function() return base end }",
            ["arms", "column arm"]
        ),
        (
            "mt.microanneals { recipe = base, candidates = { code }, from = '50%', share = 0 }",
            ["share"]
        ),
    ]

    @Test("what cannot be is refused by name, value and what was expected")
    func refused() throws {
        let laboratory = try LaboratoryBench()
        for (script, parts) in Self.wrong {
            let error = laboratory.bench.error(script)
            for part in parts { #expect(error.contains(part), "\(script): \(error)") }
        }
    }
}
