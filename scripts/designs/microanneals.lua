#!/usr/bin/env mtrepl
-- Microanneals (OLMo 2, arXiv 2501.00656, section 4; Blakeney et al. 2024, arXiv 2406.03476): short decays from one trunk on a
-- share of each candidate corpus; the control, a decay on the trunk's own text, is added unasked.
local here = arg[0]:match("^(.*/)") or "./"
local experiment = dofile(here .. "../experiment.lua")
local o = experiment.options("Which corpus is worth midtraining on, by short decays.", {
  { "seeds", type = "integer", least = 1, default = 2, help = "number of seeds" },
  { "shares", type = "numbers", least = 0, most = 1, default = { 0.3 }, help = "the candidates' share of the decay's mixture" },
})
local base, corpora = experiment.prepare(o)
local seeds = {}
for seed = 1, o.seeds do seeds[seed] = seed end

local arithmetic = mt.corpus { "arithmetic", embedded = "arithmetic" }
local study = mt.microanneals {
  recipe = base:with { optimizer = { schedule = "constant", warmup = "10%" } },
  candidates = { corpora.special, arithmetic }, share = o.shares, from = "75%", minimum = 0, seeds = seeds,
  finetune = { corpora.target, epochs = o.epochs, batch = o.finetune_batch, learning_rate = o.finetune_rates },
  evaluate = { corpora.general, corpora.special, corpora.target }, limit = o.evaluation,
}

print(study:plan { calibrate = false })
if o.plan then return end
local result = study:run()

print(result:table { rows = "candidate", columns = "share", value = "target" })
print(result:compare { "candidate", against = "base", columns = { "target", "special", "general" } })
