#!/usr/bin/env mtrepl
-- Two targets, one midtraining: does what helps one target cost another? Every arm is finetuned on each set in turn, and is
-- compared with the control that was finetuned on the same.
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "../experiment.lua")
local o = experiment.options("One midtraining mixture, two finetuning sets.", {
  { "seeds", type = "integer", least = 1, default = 2, help = "number of seeds" },
  { "weights", type = "numbers", least = 0, most = 1, default = { 0.2, 0.5 }, help = "weights of the specialised text" },
})
local base, corpora = experiment.prepare(o)
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

local sums = mt.corpus { "sums", embedded = "arithmetic", bytes = 60000, valid_fraction = 0.1, test_fraction = 0.1 }
local function finetune(set)
  return { set, epochs = o.epochs, batch = o.finetune_batch, learning_rate = o.finetune_rates }
end
local study = mt.study {
  arms = mt.grid { weight = o.weights, seed = seeds },
  recipe = function(arm)
    return base:with { seed = arm.seed }:midtrain {
      from = "50%", mixture = { general = 1 - arm.weight, special = arm.weight },
    }
  end,
  controls = { control = base },
  finetune = { finetune(corpora.target), finetune(sums) },
  evaluate = { corpora.general, corpora.target, sums }, limit = o.evaluation,
}

print(study:plan { calibrate = false })
if o.plan then return end
local result = study:run()

print(result:table { rows = "weight", columns = "finetuned_on", value = "general" })
print(result:compare { "midtrained", against = "control", columns = { "target", "sums", "general" } })
