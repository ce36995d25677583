-- A measure of one's own in a study: table, comparison, figure, report. `mtrepl scripts/own_metric.lua [FOLDER]`
local out = arg[1] or "out/own_metric"
local prose = mt.corpus { "prose", embedded = "prose", bytes = 120000, valid_fraction = 0.1 }
local code = mt.corpus { "code", embedded = "code", bytes = 60000, valid_fraction = 0.1 }
local tokens = mt.tokenizer { train_on = { prose, code }, vocabulary = 300 }
local base = mt.recipe {
  model = mt.neox("micro-0.1m", { tokenizer = tokens, context = 32, layers = 1, width = 16, heads = 2 }),
  steps = 24, batch = 8, mixture = { prose = 1 }, optimizer = { learning_rate = 3e-3 },
}
local ids = tokens:encode "def add(a, b):\n    return a + b\n"
local sure = mt.metric { "sure", version = 1, unit = "probability", better = "higher", -- how sure it is of a line of code
  evaluate = function(network)
    local p, sum = network:logits(ids):softmax(), 0
    for i = 1, #ids - 1 do sum = sum + p[i][ids[i + 1] + 1]:item() end
    return sum / (#ids - 1)
  end }
local result = mt.study {
  arms = mt.grid { start = { 6, 12 }, weight = { 0.2, 0.6 }, seed = { 1, 2, 3 } },
  recipe = function(arm)
    return base:with { seed = arm.seed }
      :midtrain { from = arm.start, mixture = { prose = 1 - arm.weight, code = arm.weight } }
  end,
  controls = { control = base }, evaluate = { prose, code }, metrics = { sure }, limit = 8,
}:run():with { trade = "sure / prose" }
print(result:table { rows = "start", columns = "weight", value = "sure" })
print(result:compare { "midtrained", columns = { "sure", "trade" } })
print(result:group { "arm", "start", "weight" }:summary { "sure", "code" })
result:plot { "sure", rows = "start", columns = "weight", against = "control" }:save(out .. "/sure.svg")
print(result:report(out .. "/report.html", { question = "Does midtraining make it surer of code?" })[1])
