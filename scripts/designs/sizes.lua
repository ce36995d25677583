#!/usr/bin/env mtrepl
-- One recipe in relative units at several sizes: a share of the base's steps at a part of its peak (as Marin runs its ladders),
-- each size against its own control.
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "../experiment.lua")
local o = experiment.options("One recipe in relative units, several sizes.", {
  { "seeds", type = "integer", least = 1, default = 2, help = "number of seeds" },
  { "sizes", type = "integers", least = 1, default = { 1, 2, 4 }, help = "layers; width and steps grow with them" },
  { "weight", type = "number", least = 0, most = 1, default = 0.3, help = "weight of the specialised text" },
})
local base, corpora = experiment.prepare(o)
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

local function recipe(size, seed)
  return base:with {
    seed = seed, steps = math.max(5, o.steps * size // 4), optimizer = { learning_rate = o.learning_rate / size ^ 0.5 },
    model = mt.neox(o.model, { tokenizer = base.tokenizer, context = o.context, layers = size, width = 32 * size, heads = 2 }),
  }
end
local study = mt.study {
  arms = mt.grid { size = o.sizes, seed = seeds },
  recipe = function(arm)
    return recipe(arm.size, arm.seed):midtrain {
      from = "80%", mixture = { general = 1 - o.weight, special = o.weight },
      optimizer = { learning_rate = "0.5 of peak", schedule = "linear", minimum = "0.05 of peak" },
    }
  end,
  controls = { control = function(seed, arm) return recipe(arm.size, seed) end }, per = "size",
  finetune = { corpora.target, epochs = o.epochs, batch = o.finetune_batch, learning_rate = o.finetune_rates },
  evaluate = { corpora.general, corpora.target }, limit = o.evaluation,
}

print(study:plan { calibrate = false })
if o.plan then return end
local result = study:run()

print(result:table { rows = "size", columns = "seed", value = "target" })
print(result:compare { "midtrained", against = "control", columns = { "target", "general" } })
