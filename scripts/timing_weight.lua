#!/usr/bin/env mtrepl
-- When to start mixing and how much: a grid of start times × mixture weights × seeds, with a control and
-- continued pretraining, on the embedded corpora or any text.
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "experiment.lua")

local o = experiment.options("Start time × mixture weight of midtraining, after finetuning.", {
  { "starts", type = "integers", help = "steps at which midtraining begins; default: 1/8, 3/8 and 5/8 of the steps" },
  { "weights", type = "numbers", default = { 0.1, 0.3, 0.6 }, help = "weights of the specialised text" },
  { "continued", type = "integer", help = "step at which continued pretraining begins; default: the last start" },
  { "seeds", type = "integer", default = 1, help = "number of seeds" },
})
local base, corpora = experiment.prepare(o)

local starts = o.starts or { o.steps // 8, 3 * o.steps // 8, 5 * o.steps // 8 }
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

local study = experiment.study(o, base, corpora,
  mt.grid { start = starts, weight = o.weights, seed = seeds },
  function(arm)
    return base:with { seed = arm.seed }:midtrain {
      from = arm.start, mixture = { general = 1 - arm.weight, special = arm.weight },
    }
  end,
  {
    control = base,
    continued = base:midtrain {
      from = o.continued or starts[#starts], mixture = { special = 1 }, name = "continue",
    },
  })

print(study:plan())
if o.plan then return end
local result = study:run()
print()
print("Target: test loss after finetuning, nats a token (mean ± half of the 95% interval over seeds)")
print(result:table { rows = "start", columns = "weight", value = "target" })
print("\nGeneral text: test loss after finetuning")
print(result:table { rows = "start", columns = "weight", value = "general" })
print()
print(result:compare { "midtrained", "continued", against = "control", columns = { "target", "general", "special" } })
local path = o.out .. "/results.csv"
experiment.write(result, path)
print("\nResults: " .. path)
