#!/usr/bin/env mtrepl
-- Averages in place of a decay: the mean of the last checkpoints of a trunk of constant rate, an exponential moving average,
-- and a soup of runs that read the data in other orders (Wortsman et al. 2022, arXiv 2203.05482; Sanyal et al. 2023,
-- arXiv 2306.03241), against the trunk itself and a decay.
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "../experiment.lua")
local o = experiment.options("Averages of checkpoints and of runs against a decay.", {
  { "seeds", type = "integer", least = 1, default = 2, help = "number of seeds" },
})
local base, corpora = experiment.prepare(o)
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

local trunk = base:with { optimizer = { schedule = "constant", warmup = "10%" } }
if o.plan then return print(trunk) end
local function loss(model) return mt.recipe { model = model }:open():evaluate(corpora.general, { limit = o.evaluation }).loss end
local every = math.max(1, o.steps // 20)
local rows = {}
for _, seed in ipairs(seeds) do
  local own = trunk:with { seed = seed }
  local keep = {}
  for step = o.steps // 2, o.steps, every do keep[#keep + 1] = step end
  local run = own:run { keep = keep, name = "trunk " .. seed }
  local other = own:with { seed = { order = seed + 1000 } }:run { name = "other order " .. seed }
  local decay = own:midtrain { from = "75%", mixture = { general = 1 }, optimizer = { schedule = "linear", minimum = 0 } }
  local function evaluate(run) return run:evaluate(corpora.general, { limit = o.evaluation }).loss end
  rows[#rows + 1] = {
    seed = seed, trunk = evaluate(run), decay = evaluate(decay:run { name = "decay " .. seed }),
    mean = loss(run:average { states = keep }), moving = loss(run:average { states = keep, decay = 0.7 }),
    soup = loss(mt.average { run, other }),
  }
end
print(("%4s %9s %9s %9s %9s %9s"):format("seed", "trunk", "decay", "mean", "moving", "soup"))
for _, row in ipairs(rows) do
  print(("%4d %9.4f %9.4f %9.4f %9.4f %9.4f"):format(row.seed, row.trunk, row.decay, row.mean, row.moving, row.soup))
end
