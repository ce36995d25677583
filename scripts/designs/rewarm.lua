#!/usr/bin/env mtrepl
-- Continued pretraining with re-warming (Gupta et al. 2023, arXiv 2308.04014; Ibrahim et al. 2024, arXiv 2403.08763): after the
-- base has decayed, the rate rises again to a part of its peak, with fresh or kept moments, and with some replay.
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "../experiment.lua")
local o = experiment.options("Re-warming in continued pretraining.", {
  { "seeds", type = "integer", least = 1, default = 2, help = "number of seeds" },
  { "peaks", type = "numbers", least = 0, default = { 0.1, 0.5 }, help = "the new peak, as a part of the old" },
})
local base, corpora = experiment.prepare(o)
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

local longer = base:with { steps = 2 * o.steps, optimizer = { learning_rate = o.learning_rate, schedule = {
  { "warmup", steps = "5%", to = "1 of peak" }, { "cosine", steps = "45%", to = "0.01 of peak" }, { "constant" } } } }
local study = experiment.study(o, longer, corpora,
  mt.grid { peak = o.peaks, reset = { true, false }, seed = seeds },
  function(arm)
    return longer:with { seed = arm.seed }:midtrain {
      from = "50%", name = "continue", mixture = { general = 0.1, special = 0.9 },
      optimizer = {
        learning_rate = ("%g of peak"):format(arm.peak), warmup = "5%", schedule = "cosine", minimum = "0.01 of peak",
        reset = arm.reset,
      },
    }
  end, { flat = longer:midtrain { from = "50%", name = "continue", mixture = { general = 0.1, special = 0.9 } } })

print(study:plan { calibrate = false })
if o.plan then return end
local result = study:run()

print(result:table { rows = "peak", columns = "reset", value = "target" })
print(result:compare { "midtrained", against = "flat", columns = { "target", "general" } })
