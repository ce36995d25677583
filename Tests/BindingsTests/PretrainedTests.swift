import Bindings
import TestSupport
import Testing

@Suite("Pretrained models in Lua") struct PretrainedTests {
    @Test("a network or a run is exported, loaded, and trained on")
    func roundTrip() throws {
        let rig = try Rig()
        let scratch = try Scratch()
        try rig.make("run")
        try rig.bench.interpreter.run(
            """
            local folder = "\(scratch.path)/model"
            run:train()
            run:export(folder)
            local loaded = mt.pretrained(folder)
            assert(loaded.vocabulary == model.vocabulary and loaded.context == model.context)
            assert(loaded.tokenizer.digest == tokenizer.digest)
            assert(#loaded.weights == 64 and model.weights == nil)
            assert(tostring(loaded):find(loaded.weights:sub(1, 12), 1, true))
            local ids = { 5, 60, 7 }
            local network = run:model()
            assert((loaded:initialise():logits(ids) - network:logits(ids)):abs():max() <= 0)
            network:export(folder)
            assert(mt.pretrained(folder).weights == loaded.weights)
            network:export(folder, { storage = "bfloat16" })
            assert(mt.pretrained(folder).weights ~= loaded.weights)
            network:export(folder, { storage = "float16", max_shard_size = "20KB" })
            assert(io.open(folder .. "/model.safetensors.index.json"))
            assert(mt.pretrained(folder).weights ~= loaded.weights)
            run:export(folder, { max_shard_size = "20KB" })
            assert(mt.pretrained(folder).weights == loaded.weights)
            run:export(folder)

            local short = mt.pretrained(folder, { context = 4, tokenizer = tokenizer })
            assert(short.context == 4 and short.weights == loaded.weights)
            local more = mt.recipe { model = loaded, steps = 2, batch = 2, mixture = { prose = 1 } }
            assert(tostring(more):find("weights of " .. folder, 1, true))
            assert(more:keys({ 0 })[1] == more:with({ seed = 5 }):keys({ 0 })[1])
            local trained = more:run { name = "more" }
            assert(trained.step == 2 and trained.trained == 2)
            assert(more:explain(recipe).last_shared == nil)
            """, name: "=test")
    }

    @Test(
        "a published model is finetuned without a step of pretraining, alone and as a study's control"
    )
    func finetuned() throws {
        let rig = try LaboratoryBench()
        try rig.bench.interpreter.run(
            """
            local folder = "\(rig.scratch.path)/model"
            base:run { name = "base" }:export(folder)
            local loaded = mt.pretrained(folder, { context = 128 })
            local published = mt.recipe { model = loaded }
            assert(tostring(published):find("no steps of pretraining, seed", 1, true))
            assert(#published:exposure() == 0)
            local options = { tasks, epochs = 1, batch = 8, learning_rate = 1e-3 }
            local run = published:finetune(options):run { name = "tuned" }
            assert(run.trained == run.steps and run.steps > 0)
            -- A recipe with steps that ends before its first leads to the same states.
            local other = mt.recipe { model = loaded, steps = 5, batch = 2, mixture = { prose = 1 } }
            assert(other:upto(0):finetune(options):keys()[1] == run.key)
            assert(other:finetune(options):keys()[1] ~= run.key)
            local untouched = published:run { name = "untouched" }
            assert(untouched.steps == 0 and untouched:evaluate(prose).loss > 0)
            assert(select(2, pcall(untouched.profile, untouched)):find("steps: the recipe has none"))
            assert(tostring(run:profile()):find("GF/s"))

            local study = mt.study {
              arms = mt.grid { weight = { 0.5, 1 }, seed = { 1 } },
              recipe = function(arm)
                return other:with { mixture = { prose = 1 - arm.weight, code = arm.weight } }
              end,
              controls = { published = published },
              finetune = options, evaluate = { prose, tasks },
            }
            print(study:plan())
            local result = study:run()
            assert(#result:rows() == 3 and tostring(result:compare { "midtrained", against = "published" }):find("published"))
            result:report("\(rig.scratch.path)/report.md")
            """, name: "=test")
        for (code, parts) in [
            ("mt.recipe { model = base.model, steps = 3, batch = 2 }", ["mixture: expected"]),
            ("base:with { steps = 0 }", ["mixture: none expected", "0 steps"]),
            (
                "mt.recipe { model = base.model }:midtrain { from = 0, mixture = { prose = 1 } }",
                ["from", "no steps"]
            ),
        ] {
            let error = rig.bench.error(
                code.replacing("base.model", with: "mt.neox('micro-0.1m', { tokenizer = tokens })"))
            for part in parts { #expect(error.contains(part), "\(code): \(error)") }
        }
    }

    @Test("mistakes say what was expected")
    func mistakes() throws {
        let rig = try Rig()
        let scratch = try Scratch()
        try rig.make("network")
        #expect(
            rig.bench.error("mt.pretrained('\(scratch.path)')")
                == "test:1: cannot open \(scratch.path)/config.json: No such file or directory")
        #expect(
            rig.bench.error("mt.pretrained('EleutherAI/pythia-14m')").contains(
                "EleutherAI/pythia-14m: there is no such folder; expected one on disk"))
        #expect(
            rig.bench.error("mt.pretrained('x', { layers = 3 })").contains(
                "unknown option 'layers'"))
        let folder = scratch.path + "/model"
        try rig.bench.interpreter.run("network:export('\(folder)')", name: "=test")
        try rig.bench.interpreter.run(
            "big = mt.tokenizer { train_on = corpus, vocabulary = 400 }", name: "=test")
        #expect(
            rig.bench.error("mt.pretrained('\(folder)', { tokenizer = big })")
                == "test:1: tokenizer: expected at most the 280 tokens of the model, got 400")
        #expect(
            rig.bench.error("network:export('\(folder)', { storage = 'float8' })").contains(
                "storage: one of \"float32\", \"float16\", \"bfloat16\" expected, got \"float8\""))
        #expect(
            rig.bench.error("network:export('\(folder)', { max_shard_size = '5' })").contains(
                "max_shard_size: expected a size in KB, MB, GB or TB, such as \"500MB\", got \"5\"")
        )
        #expect(
            rig.bench.error("network:export('\(scratch.path)')").contains(
                "it holds model, which is not part of an export"))
        #expect(
            rig.bench.error("mt.tokenizer { merges = 'merges.txt' }").contains(
                "merges: expected together with `file`"))
        for (name, value) in [("vocabulary", 300), ("bytes", 1000)] {
            #expect(
                rig.bench.error("mt.tokenizer { file = 'a.json', \(name) = \(value) }").contains(
                    "\(name): expected only together with `train_on`, got \(value)"))
        }
    }

    @Test("a model with more rows than its tokenizer has ids generates none of them")
    func padded() throws {
        let rig = try Rig()
        try rig.make("tokenizer")
        try rig.bench.interpreter.run(
            """
            local padded = mt.neox("micro-0.1m",
              { tokenizer = tokenizer, context = 8, layers = 1, vocabulary = 4000 })
            local run = mt.recipe { model = padded, steps = 1, batch = 1, mixture = { prose = 1 } }:open()
            for _, temperature in ipairs { 0, 1, 5 } do
              assert(#run:generate { "The ", tokens = 40, temperature = temperature, seed = 1 } >= 0)
            end
            """, name: "=test")
    }
}
