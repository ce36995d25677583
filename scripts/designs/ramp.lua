#!/usr/bin/env mtrepl
-- A weight that rises over the phase against one that is there at once, with as many specialised tokens: do gradual
-- transitions (curricula of mixtures, as in OLMo's and Nemotron's later stages) forget less?
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "../experiment.lua")
local o = experiment.options("Ramps of a weight against a step, with equal exposure.", {
  { "seeds", type = "integer", least = 1, default = 2, help = "number of seeds" },
  { "weight", type = "number", least = 0, most = 0.5, default = 0.25, help = "mean weight of the specialised text" },
})
local base, corpora = experiment.prepare(o)
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

local w = o.weight
local shapes = {
  step = w,
  linear = { 0, 2 * w },
  cosine = { 0, 2 * w, course = "cosine" },
  falling = { 2 * w, 0 },
}
local study = experiment.study(o, base, corpora,
  mt.grid { shape = { "step", "linear", "cosine", "falling" }, seed = seeds },
  function(arm)
    return base:with { seed = arm.seed }:midtrain {
      from = "50%", mixture = { general = "rest", special = shapes[arm.shape] },
    }
  end, { control = base })

print(study:plan { calibrate = false })
if o.plan then return end
local result = study:run()

print(result:table { rows = "shape", columns = "seed", value = "target" })
print(result:compare { "midtrained", against = "control", columns = { "target", "general" } })
