#!/usr/bin/env mtrepl
-- Warm-up, stable, decay, where the decay is the midtraining phase (MiniCPM, arXiv 2404.06395; OLMo 2, arXiv 2501.00656): a
-- trunk of constant rate, and decays that leave it at several steps, on the specialised mixture or on general text.
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "../experiment.lua")
local o = experiment.options("Decays of the learning rate as the midtraining phase.", {
  { "seeds", type = "integer", least = 1, default = 2, help = "number of seeds" },
  { "weight", type = "number", least = 0, most = 1, default = 0.4, help = "weight of the specialised text in the decay" },
})
local base, corpora = experiment.prepare(o)
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

local trunk = base:with { optimizer = { schedule = "constant", warmup = "10%" } }
local function decay(recipe, from, weight)
  return recipe:midtrain {
    from = from, name = "decay", mixture = { general = 1 - weight, special = weight },
    optimizer = { schedule = "linear", minimum = 0 },
  }
end
local study = mt.study {
  arms = mt.grid { start = { "60%", "80%", "90%" }, seed = seeds }, name = "decay on the mixture",
  recipe = function(arm) return decay(trunk:with { seed = arm.seed }, arm.start, o.weight) end,
  controls = {
    ["decay on general"] = function(seed, arm) return decay(trunk:with { seed = seed }, arm.start, 0) end,
  },
  per = "start",
  finetune = { corpora.target, epochs = o.epochs, batch = o.finetune_batch, learning_rate = o.finetune_rates },
  evaluate = { corpora.general, corpora.special, corpora.target }, limit = o.evaluation,
}

print(study:plan { calibrate = false })
if o.plan then return end
local result = study:run()

print(result:table { rows = "start", columns = "seed", value = "target" })
print(result:compare { "decay on the mixture", against = "decay on general", columns = { "target", "general" } })
