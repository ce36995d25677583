/// Examples of methods: what they begin with, by the object's type, and what shows each method.
package enum Examples {
    /// What the examples of a type's methods begin with; empty if they are complete in themselves.
    package static func setUp(_ type: String) -> String { setUps[type] ?? "" }

    /// The example of a method, such as `run:train`; nil if its record has its own.
    package static func example(_ fullName: String) -> String? { examples[fullName] }

    private static let corpora = """
        local prose = mt.corpus { "prose", embedded = "prose", bytes = 120000, valid_fraction = 0.1 }
        local code = mt.corpus { "code", embedded = "code", bytes = 60000, valid_fraction = 0.1 }
        """

    private static let tokenizer = """
        \(corpora)
        local tokens = mt.tokenizer { train_on = { prose, code }, vocabulary = 300 }
        """

    private static let recipe = """
        \(tokenizer)
        local recipe = mt.recipe {
          model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 128 }),
          steps = 6, batch = 4, mixture = { prose = 1 },
        }
        """

    package static let study = """
        \(recipe)
        local study = mt.study {
          arms = mt.grid { start = { 2, 4 }, weight = { 0.25, 0.5 }, seed = { 1, 2 } },
          recipe = function(arm)
            return recipe:with { seed = arm.seed }
              :midtrain { from = arm.start, mixture = { prose = 1 - arm.weight, code = arm.weight } }
          end,
          controls = { control = recipe }, evaluate = { prose, code }, limit = 4,
        }
        """

    static let phases = """
        \(tokenizer)
        local base = mt.recipe {
          model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32 }), steps = 20, batch = 4,
          mixture = { prose = 1 }, optimizer = { schedule = "constant", warmup = 2 },
        }
        -- The decay is the midtraining phase; branches share the trunk of constant rate.
        local decay = base:midtrain { from = "80%", mixture = { prose = 0.7, code = 0.3 },
          optimizer = { schedule = "linear" } }
        -- A weight that rises, with a larger batch.
        local ramp = base:midtrain { from = 10, mixture = { prose = "rest", code = { 0, 0.3 } }, batch = 8 }
        -- Code is a tenth of what is read and three tenths of the loss.
        local loud = base:midtrain { from = 10, mixture = { prose = 0.9, code = { share = 0.1, loss = 0.3 } } }
        print(decay)
        print(ramp)
        print(loud)
        assert(decay:keys(16)[1] == base:keys(16)[1])
        """

    /// A run called trunk in the store.
    static let storedRun = recipe + "\nrecipe:run { name = \"trunk\", to = 2 }"

    private static let sums = """
        local file = assert(io.open("sums.jsonl", "w"))
        file:write('{"question": "2 + 2 =", "right": "4", "wrong": "5"}')
        file:close()
        local sums = mt.multiple_choice { "sums", files = "sums.jsonl", prompt = "{question}",
          correct = " {right}", distractors = " {wrong}" }
        """

    private static let frame = """
        local frame = mt.frame { axes = { "arm", "start", "weight" },
          { arm = "control", seed = 1, code = 3.4, prose = 3 }, { arm = "control", seed = 2, code = 3.5, prose = 3.1 },
          { arm = "midtrained", start = 2, weight = 0.25, seed = 1, code = 3.1, prose = 3.1 },
          { arm = "midtrained", start = 2, weight = 0.25, seed = 2, code = 3.2, prose = 3.1 },
          { arm = "midtrained", start = 2, weight = 0.5, seed = 1, code = 2.9, prose = 3.2 },
          { arm = "midtrained", start = 2, weight = 0.5, seed = 2, code = 3, prose = 3.3 },
        }
        """

    private static let setUps: [String: String] = [
        "corpus": tokenizer, "tokenizer": tokenizer, "recipe": recipe, "study": study,
        "run": recipe + "\nlocal run = recipe:open()\nrun:train { to = 3 }",
        "network": tokenizer
            + "\nlocal network = mt.neox(\"micro-0.1m\", { tokenizer = tokens, context = 32 }):initialise()",
        "result": study + "\nlocal result = study:run()",
        "frame": frame,
        "groups": frame
            + "\nlocal groups = frame:where { arm = \"control\" }:with { loss = \"code\" }:group \"arm\"",
        "plot": "local plot = mt.plot.bars { { \"control\", 3.2 }, { \"midtrained\", 2.9 } }",
        "finding":
            "local finding = mt.mixed({ 1, 2, 3, 4 }, { 1, 2.1, 3, 4.2 }, { \"a\", \"a\", \"b\", \"b\" })",
        "similarity": corpora
            + "\nlocal close = mt.similarity { prose, code, metric = \"words\", documents = 50 }",
        "recommendation": corpora + """

            local advice = mt.recommend { general = prose, candidates = code, weights = { 0.1, 0.3 }, documents = 50,
              target = mt.corpus { "tasks", embedded = "code-tasks", bytes = 8000 }, metric = "words" }
            """,
    ]

    private static let examples: [String: String] = [
        "corpus:documents": """
        print(code:documents(1, "valid")[1])
        print(code:documents(2, "train", { seed = 3 })[2])
        """,
        "corpus:write_tokens":
            "print(prose:write_tokens { path = \"train.bin\", tokenizer = tokens })",
        "tokenizer:encode": "print(#tokens:encode(\"def add(a, b):\"))",
        "tokenizer:decode": "print(tokens:decode(tokens:encode(\"a round trip\")))",
        "tokenizer:save": "tokens:save \"tokenizer.json\"",
        "finding:csv": "finding:csv \"slopes.csv\"",
        "recommendation:ranking": "print(advice:ranking()[1].weight)",
        "tensor:close":
            "local t = mt.zeros { 1000, 1000 }\nt:close()  -- its memory is free, without waiting for the garbage collector",

        "network:parameter_names":
            "for _, name in ipairs(network:parameter_names()) do print(name, network:parameter(name)) end",
        "network:parameter": "print(network:parameter(\"gpt_neox.embed_in.weight\"):std())",
        "network:export": "network:export \"fresh\"",
        "network:score": "\(sums)\nprint(network:score(sums).accuracy)",
        "network:hidden_states":
            "for layer, state in ipairs(network:hidden_states(tokens:encode \"the house\")) do print(layer, state:std()) end",
        "network:close": "network:close()",

        "frame:rows": "print(frame:rows()[1].arm)",
        "frame:text": "print(frame:text(10))",
        "frame:csv": "frame:csv \"frame.csv\"\nprint(mt.frame { csv = \"frame.csv\" })",
        "frame:json": "frame:json \"frame.json\"",

        "plot:save":
            "plot:save \"losses.csv\"  -- or .svg, .png, .gp; plot:save(\"losses.pdf\", { columns = 1 })",
        "plot:show": "plot:show()",
        "plot:text": "print(plot:text(60))",
        "plot:svg": "print(#plot:svg())",
        "plot:script": "print(plot:script())",

        "recipe:with":
            "print(recipe:with { seed = 2, optimizer = { learning_rate = 3e-4 } })",
        "recipe:midtrain":
            "print(recipe:midtrain { from = 3, mixture = { prose = 0.8, code = 0.2 } })",
        "recipe:upto":
            "print(recipe:upto(3).steps, recipe:upto(3):keys()[1] == recipe:keys(3)[1])",
        "recipe:finetune": """
        local tasks = mt.corpus { "tasks", embedded = "code-tasks", bytes = 8000 }
        print(recipe:finetune { set = tasks, epochs = 1, batch = 8, learning_rate = 3e-4 })
        """,
        "recipe:run":
            "local run = recipe:run { name = \"trunk\", evaluate = prose, evaluate_every = 3, limit = 4 }",
        "recipe:keys": "print(recipe:keys { 0, 3, 6 }[2])",
        "recipe:exposure":
            "for _, part in ipairs(recipe:exposure()) do print(part.source, part.tokens, part.epochs) end",
        "recipe:explain": """
        local other = recipe:midtrain { from = 3, mixture = { code = 1 } }
        print(recipe:explain(other).last_shared)
        """,

        "run:train": """
        run:train { to = 5, on_step = function(step) return step.loss < 100 end }
        run:train()  -- to the last step
        """,
        "run:resume": "run:resume()\nassert(run.finished)",
        "run:evaluate": "print(run:evaluate(code, { limit = 4 }).bits_per_byte)",
        "run:generate": "print(run:generate { prompt = \"The house\", tokens = 8 })",
        "run:records": "for _, step in ipairs(run:records()) do print(step.step, step.loss) end",
        "run:plot": "print(run:plot())",
        "run:csv": "run:csv \"losses.csv\"",
        "run:exposure": "print(run:exposure()[1].tokens)",
        "run:profile": "print(run:profile { steps = 1 })",
        "run:score": "\(sums)\nprint(run:score(sums, { limit = 1 }).accuracy)",
        "run:export_metrics": "print(run:export_metrics(\"metrics\", { format = \"jsonl\" })[1])",
        "run:export": "run:export(\"exported\", { storage = \"bfloat16\" })",
        "run:save": "run:save()",
        "run:progress": """
        run:background()
        print(run:progress().step, run:progress().status)
        run:wait()
        """,
        "run:stop": "run:background()\nrun:stop()  -- with its state saved; run:resume() goes on",
        "run:wait": "run:background()\nprint(run:wait(0.1), run:wait())",

        "similarity:matrix": "print(close:matrix()[1][2])",
        "similarity:plot": "print(close:plot { title = \"Words\" })",
        "similarity:value": "print(close:value(\"prose\", { prose = 0.8, code = 0.2 }))",
        "similarity:parts": """
        local parts = mt.similarity { prose, code, metric = "tokens", documents = 50, tokenizer = mt.tokenizer {
          train_on = prose, vocabulary = 300 } }:parts("prose", "code")
        print(parts.jaccard)
        """,
        "similarity:proximity":
            "print(close:proximity { mix = { prose = 0.8, code = 0.2 }, general = \"prose\", target = \"code\" }.value)",

        "study:plan": "print(study:plan { calibrate = false }.missing_steps)",
        "study:run": "print(study:run().trained_steps)",

        "result:rows":
            "for _, row in ipairs(result:rows()) do print(row.arm, row.start, row.code) end",
        "result:table":
            "print(result:table { rows = \"start\", columns = \"weight\", value = \"code\" })",
        "result:compare":
            "print(result:compare { \"midtrained\", against = \"control\", columns = \"code\" })",
        "result:plot":
            "print(result:plot { \"code\", rows = \"start\", columns = \"weight\", against = \"control\" })",
        "result:curves": """
        local tasks = mt.corpus { "tasks", embedded = "code-tasks", bytes = 8000, test_fraction = 0.2 }
        local tuned = mt.study { arms = mt.grid { seed = { 1, 2 } }, evaluate = tasks, limit = 4,
          recipe = function(arm) return recipe:with { seed = arm.seed } end,
          finetune = { tasks, epochs = 1, batch = 8, learning_rate = 1e-3 } }:run()
        print(tuned:curves())
        """,
        "result:report":
            "print(result:report(\"report.html\", { question = \"Does code help?\" })[1])",
        "result:csv": "result:csv \"results.csv\"",
        "result:json": "result:json \"results.json\"",
    ]
}
