#!/usr/bin/env mtrepl
-- When to start mixing and how much: a grid of start times × mixture weights × seeds, with a control and
-- continued pretraining, on the embedded corpora or any text.
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "experiment.lua")

local o = experiment.options("Start time × mixture weight of midtraining, after finetuning.", {
  { "starts", type = "integers", least = 0, help = "steps at which midtraining begins; default: 1/8, 3/8 and 5/8 of the steps" },
  { "weights", type = "numbers", least = 0, most = 1, default = { 0.1, 0.3, 0.6 }, help = "weights of the specialised text" },
  { "continued", type = "integer", least = 0, help = "step at which continued pretraining begins; default: the last start" },
  { "seeds", type = "integer", least = 1, default = 1, help = "number of seeds" },
  { "matched", type = "boolean", help = "every arm reads as many specialised tokens as the arm that would read fewest" },
})
local base, corpora = experiment.prepare(o)

local starts = o.starts or { o.steps // 8, 3 * o.steps // 8, 5 * o.steps // 8 }
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

local function midtrain(recipe, start, weight, tokens)
  return recipe:midtrain {
    from = start, mixture = { general = 1 - weight, special = weight },
    tokens_of = tokens and { special = tokens } or nil,
  }
end

-- With --matched: the specialised tokens of the arm that would read fewest, and the last step from which the
-- specialised text alone can give them.
local tokens
local continued = o.continued or starts[#starts]
if o.matched then
  for _, start in ipairs(starts) do
    for _, weight in ipairs(o.weights) do
      local count = experiment.tokens(midtrain(base, start, weight), "special")
      tokens = math.min(tokens or count, count)
    end
  end
  continued = o.continued or o.steps - (tokens + o.batch * o.context - 1) // (o.batch * o.context)
  print(("Matched: every arm but the control reads %d specialised tokens."):format(tokens))
end

local study = experiment.study(o, base, corpora,
  mt.grid { start = starts, weight = o.weights, seed = seeds },
  function(arm) return midtrain(base:with { seed = arm.seed }, arm.start, arm.weight, tokens) end,
  {
    control = base,
    continued = base:midtrain {
      from = continued, mixture = { special = 1 }, name = "continue",
      tokens_of = tokens and { special = tokens } or nil,
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
