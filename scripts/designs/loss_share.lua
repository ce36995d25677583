#!/usr/bin/env mtrepl
-- How often a source is read apart from how much it counts: a tenth of the samples at three tenths of the loss, against three
-- tenths of both and a tenth of both (upweighting against upsampling: arXiv 2410.04579).
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "../experiment.lua")
local o = experiment.options("Upsampling against upweighting.", {
  { "seeds", type = "integer", least = 1, default = 2, help = "number of seeds" },
  { "low", type = "number", least = 0.01, most = 0.5, default = 0.1, help = "the smaller share" },
  { "high", type = "number", least = 0.01, most = 0.9, default = 0.3, help = "the larger share" },
})
local base, corpora = experiment.prepare(o)
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

local weights = {
  sampled = o.high,
  weighted = { share = o.low, loss = o.high },
  plain = o.low,
}
local study = experiment.study(o, base, corpora,
  mt.grid { emphasis = { "plain", "sampled", "weighted" }, seed = seeds },
  function(arm)
    return base:with { seed = arm.seed }:midtrain {
      from = "50%", mixture = { general = "rest", special = weights[arm.emphasis] },
    }
  end, { control = base })

print(study:plan { calibrate = false })
if o.plan then return end
local result = study:run()

print(result:table { rows = "emphasis", columns = "seed", value = "target" })
print(result:compare { "midtrained", against = "control", columns = { "target", "special", "general" } })
