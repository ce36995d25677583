#!/usr/bin/env mtrepl
-- Replay in finetuning: how much general text beside the examples keeps general loss from rising, and what it costs on the
-- target (Ibrahim et al. 2024, arXiv 2403.08763, on continual pretraining; the same question one stage later).
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "../experiment.lua")
local o = experiment.options("Shares of general text replayed while finetuning.", {
  { "seeds", type = "integer", least = 1, default = 2, help = "number of seeds" },
  { "shares", type = "numbers", least = 0, most = 0.9, default = { 0.1, 0.3 }, help = "shares of the loss that is replayed text" },
})
local base, corpora = experiment.prepare(o)
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

local function tuned(recipe, share)
  return recipe:finetune {
    corpora.target, epochs = o.epochs, batch = o.finetune_batch, learning_rate = o.finetune_rates[#o.finetune_rates],
    replay = share > 0 and { mixture = { general = 1 }, share = share } or nil,
  }
end
local study = mt.study {
  arms = mt.grid { share = o.shares, seed = seeds }, name = "replay",
  recipe = function(arm) return tuned(base:with { seed = arm.seed }, arm.share) end,
  controls = { ["no replay"] = function(seed) return tuned(base:with { seed = seed }, 0) end },
  evaluate = { corpora.general, corpora.target }, limit = o.evaluation,
}

print(study:plan { calibrate = false })
if o.plan then return end
local result = study:run()

print(result:table { rows = "share", columns = "seed", value = "target" })
print(result:table { rows = "share", columns = "seed", value = "general" })
print(result:compare { "replay", against = "no replay", columns = { "target", "general" } })
