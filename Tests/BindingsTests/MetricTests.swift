import Bindings
import Testing

@Suite("Metrics") struct MetricTests {
    private static let study = """
        calls = 0
        function make(version, body)
          return mt.study {
            arms = mt.grid { weight = { 0.2, 0.6 }, seed = { 1, 2, 3 } },
            recipe = function(arm)
              return base:with { seed = arm.seed }:midtrain {
                from = 8, mixture = { prose = 1 - arm.weight, code = arm.weight },
              }
            end,
            controls = { control = base }, evaluate = { prose }, limit = 2,
            metrics = { mt.metric { "spread", version = version, unit = "units", better = "higher",
              evaluate = body or function(network)
                calls = calls + 1
                return network:parameter("gpt_neox.embed_in.weight"):std()
              end } },
          }
        end

        """

    @Test("a metric reaches rows, tables, comparisons, figures, analyses, reports and CSV")
    func everywhere() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            Self.study + """
                local result = make(1):run()
                assert(calls == 9, calls)
                -- Against the weights themselves.
                local run = base:with { seed = 2 }:run()
                local expected = run:model():parameter("gpt_neox.embed_in.weight"):std():item()
                local seen
                for _, row in ipairs(result:rows()) do
                  if row.arm == "control" and row.seed == 2 then seen = row.spread end
                  assert(row.spread_before == row.spread)
                end
                assert(seen == expected, seen)
                local text = result:table { rows = "weight", columns = "arm", value = "spread" }
                assert(text:find("n=3", 1, true), text)
                local compared = result:compare { "midtrained" }
                assert(compared:find("Δ prose", 1, true) and compared:find("Δ spread", 1, true), compared)
                assert(result:plot { value = "spread" }:script():find("spread", 1, true))
                local found = result:variance { value = "spread" }
                assert(#found.rows == 3)
                assert(result:variance { value = "prose_before" }.rows[1].mean > 0)
                result:csv "rows.csv"
                assert(io.open("rows.csv"):read("a"):find("spread,spread_before", 1, true))
                local path = os.tmpname() .. ".md"
                result:report(path)
                local page = io.open(path):read("a")
                assert(page:find("spread: in units; above zero is better.", 1, true), page)
                assert(page:find("prose: in nats a token; below zero is better.", 1, true), page)
                os.remove(path) os.remove("rows.csv")
                """, name: "=metrics")
    }

    @Test(
        "what a metric returned is kept by its name and version, and asked for again under another")
    func kept() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            Self.study + """
                local first = make(1):run()
                local again = make("1"):run()
                assert(calls == 9 and again.trained_steps == 0, calls)
                assert(first:rows()[1].spread == again:rows()[1].spread)
                local other = make(2, function() calls = calls + 1 return 7 end):run()
                assert(calls == 18 and other:rows()[1].spread == 7, calls)
                """, name: "=metrics")
    }

    @Test(
        "a metric that fails ends the study with its name, and one that is not finite is its arm's failure"
    )
    func failing() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            Self.study + """
                local function refused(text, ...)
                  local ok, message = pcall(...)
                  assert(not ok and tostring(message):find(text, 1, true), tostring(message))
                end
                refused("metric spread: ", function() make(3, function() error("odd") end):run() end)
                refused("odd", function() make(3, function() error("odd") end):run() end)
                refused("number expected from evaluate, got \\"none\\"",
                  function() make(4, function() return "none" end):run() end)
                local result = make(5, function() return 0 / 0 end):run()
                for _, row in ipairs(result:rows()) do
                  assert(row.failure:find("metric spread: expected a finite number", 1, true), row.failure)
                end
                refused("spread twice", mt.study, { arms = { {} }, recipe = function() return base end, metrics = {
                  mt.metric { "spread", version = 1, evaluate = print },
                  mt.metric { "spread", version = 2, evaluate = print } } })
                refused("results have another column key", mt.study, { arms = { {} },
                  recipe = function() return base end,
                  metrics = mt.metric { "key", version = 1, evaluate = print } })
                refused("version: string or integer expected", mt.metric, { "a", version = {}, evaluate = print })
                refused("name: letters", mt.metric, { "a b", version = 1, evaluate = print })
                refused("no measured column is called sprea; known: prose, spread",
                  result.variance, result, { value = "sprea" })
                """, name: "=metrics")
    }

    @Test("bits a byte and norms are those computed by hand")
    func builtIn() throws {
        let laboratory = try LaboratoryBench()
        try laboratory.bench.interpreter.run(
            """
            local name = "gpt_neox.layers.0.attention.dense.weight"
            local result = mt.study {
              arms = mt.grid { seed = { 1, 2 } }, recipe = function(arm) return base:with { seed = arm.seed } end,
              evaluate = { prose }, limit = 3,
              metrics = {
                mt.bits_per_byte(code, { limit = 3 }), mt.norm { "dense", tensors = name }, mt.norm { "all" },
                mt.norm { "layers", tensors = "gpt_neox.layers.*" },
                mt.norm { "gradient", of = "gradients", tensors = name, corpus = code, limit = 3 },
                mt.norm { "stream", of = "activations", layer = 1, corpus = prose, limit = 1 },
              },
            }:run()
            local row = result:rows()[1]
            local run = base:with { seed = 1 }:run()
            local network = run:model()
            local function square(name) return network:parameter(name):norm():item() ^ 2 end
            local sum, inner = 0, 0
            for _, tensor in ipairs(network:parameter_names()) do
              sum = sum + square(tensor)
              if tensor:find("gpt_neox.layers.", 1, true) == 1 then inner = inner + square(tensor) end
            end
            local function near(a, b, what) assert(math.abs(a / b - 1) < 1e-4, what .. ": " .. a .. " " .. b) end
            near(row.dense ^ 2, square(name), "dense")
            near(row.all ^ 2, sum, "all")
            near(row.layers ^ 2, inner, "layers")
            near(row.code_bits, run:evaluate(code, { split = "test", limit = 3 }).bits_per_byte, "bits")
            assert(row.gradient > 0 and row.stream > 0 and row.gradient_before == row.gradient)
            -- A step against the gradient lowers the loss by about the squared norm.
            local leaf = network:parameter(name):requires_grad()
            local ids = tokens:encode "def add(a, b):"
            local logits = network:logits(ids, { replace = { [name] = leaf } })
            logits:slice(1, -2):cross_entropy(mt.tensor(ids):slice(2)):backward()
            assert(leaf.grad:norm():item() > 0)
            local function failing(part, f, ...)
              local good, problem = pcall(f, ...)
              assert(not good and tostring(problem):find(part, 1, true), tostring(problem))
            end
            failing("layer: an integer expected of activations", mt.norm, { "x", of = "activations", corpus = prose })
            failing("corpus: a corpus expected of gradients", mt.norm, { "x", of = "gradients" })
            failing("corpus: nothing expected of weights", mt.norm, { "x", corpus = prose })
            failing("as columns are called", mt.norm, { "a b" })
            local odd = mt.study { arms = mt.grid { seed = 1 }, recipe = function(arm) return base end,
              metrics = { mt.norm { "x", tensors = "gpt_neox.embed_in.weigth" } } }:run()
            assert(odd:rows()[1].failure:find("did you mean 'gpt_neox.embed_in.weight'?", 1, true), odd)
            """, name: "=built-in")
    }
}
