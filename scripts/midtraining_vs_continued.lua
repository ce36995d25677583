#!/usr/bin/env mtrepl
-- Midtraining against continued pretraining against a control, on the embedded corpora or any text.
-- The same specialised tokens are mixed in early (midtraining) or come alone at the end (continued pretraining).
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "experiment.lua")

local o = experiment.options("Compares midtraining, continued pretraining and a control after finetuning.", {
  { "starts", type = "integers", least = 0, help = "step at which midtraining begins; default: a quarter of the steps" },
  { "weights", type = "numbers", least = 0, most = 1, default = { 0.2 }, help = "weight of the specialised text in midtraining" },
  { "seeds", type = "integer", least = 1, default = 2, help = "number of seeds" },
})
local base, corpora = experiment.prepare(o)

local starts = o.starts or { o.steps // 4 }
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

local function midtrain(arm)
  return base:with { seed = arm.seed }:midtrain {
    from = arm.start, mixture = { general = 1 - arm.weight, special = arm.weight },
  }
end

-- Continued pretraining reads exactly as many specialised tokens as the first midtrained arm, as late as it can.
local tokens = experiment.tokens(
  midtrain { start = starts[1], weight = o.weights[1], seed = seeds[1] }, "special")
local last = o.steps - (tokens + o.batch * o.context - 1) // (o.batch * o.context)

local study = experiment.study(o, base, corpora,
  mt.grid { start = starts, weight = o.weights, seed = seeds }, midtrain,
  { control = base, continued = base:midtrain {
    from = last, mixture = { special = 1 }, tokens_of = { special = tokens }, name = "continue",
  } })

print(study:plan())
if o.plan then return end
local result = study:run()
print()
print(result)
print()
print("Test loss in nats a token after finetuning; the control has seen general text only.")
print(result:compare { "midtrained", "continued", against = "control", columns = { "target", "general", "special" } })
local path = o.out .. "/results.csv"
experiment.write(result, path)
print("\nResults: " .. path)
