#!/usr/bin/env mtrepl
-- A long-context stage at the end: four times the context at a quarter of the batch and a larger rotary base (Xiong et al.
-- 2023, arXiv 2309.16039), against going on as before. No token of an epoch is read twice or left out.
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "../experiment.lua")
local o = experiment.options("A stage of longer context at the end of training.", {
  { "seeds", type = "integer", least = 1, default = 2, help = "number of seeds" },
  { "base", type = "number", least = 2, default = 50000, help = "rotary base of the long stage" },
})
local base, corpora = experiment.prepare(o)
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

-- The control meets the long window in its last step only, so that both are measured at the same context.
local function long(recipe, from, rotary)
  return recipe:midtrain {
    from = from, name = "long", mixture = { general = 1 }, context = 4 * o.context, batch = math.max(1, o.batch // 4),
    rotary_base = rotary,
  }
end
local study = mt.study {
  arms = mt.grid { rotary = { 10000, o.base }, seed = seeds }, name = "long",
  recipe = function(arm) return long(base:with { seed = arm.seed }, "75%", arm.rotary) end,
  controls = { short = long(base, o.steps - 1) },
  evaluate = { corpora.general }, limit = o.evaluation,
}

print(study:plan { calibrate = false })
if o.plan then return end
local result = study:run()

print(result:table { rows = "rotary", columns = "seed", value = "general" })
print(result:compare { "long", against = "short", columns = { "general" } })
