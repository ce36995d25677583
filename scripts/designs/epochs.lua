#!/usr/bin/env mtrepl
-- How often may specialised text be repeated? The same number of tokens from ever smaller parts of the corpus (Muennighoff
-- et al. 2023, arXiv 2305.16264: up to about four epochs cost little).
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "../experiment.lua")
local o = experiment.options("The same specialised tokens in 1, 2, 4 ... epochs.", {
  { "seeds", type = "integer", least = 1, default = 2, help = "number of seeds" },
  { "weight", type = "number", least = 0, most = 1, default = 0.3, help = "weight of the specialised text" },
  { "epochs_axis", type = "integers", least = 1, default = { 1, 4, 16 }, help = "passes over the specialised text" },
})
local base, corpora = experiment.prepare(o)
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

local function midtrain(recipe, source)
  return recipe:with { repeats = true }:midtrain {
    from = "50%", mixture = { general = 1 - o.weight, [source] = o.weight }, name = "midtrain",
  }
end
local tokens = experiment.tokens(midtrain(base, "special"), "special")
-- Parts of the corpus that are read so many times, each within the next larger one.
local parts = {}
for _, count in ipairs(o.epochs_axis) do
  local name = "special " .. count
  parts[count] = name
  mt.subset { corpora.special, name = name, tokens = tokens // count, tokenizer = base.tokenizer }
end
local study = experiment.study(o, base, corpora, mt.grid { times = o.epochs_axis, seed = seeds },
  function(arm) return midtrain(base:with { seed = arm.seed }, parts[arm.times]) end, { control = base })

print(study:plan { calibrate = false })
if o.plan then return end
local result = study:run()

print(result:table { rows = "times", columns = "seed", value = "special" })
print(result:compare { "midtrained", against = "control", columns = { "target", "special", "general" } })
