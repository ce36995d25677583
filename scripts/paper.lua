#!/usr/bin/env mtrepl
-- All figures of arXiv 2510.14865 in one report, on the embedded corpora or your own, at a size of your choice.
--   mtrepl scripts/paper.lua                                    about two minutes, nothing to download
--   mtrepl scripts/paper.lua --size hour --data scripts/data/files.lua --folder data --out out/hour
-- Killed or interrupted, it goes on when run again.
local here = arg[0]:match("^(.*/)") or "./"
local figures = dofile(here .. "paper_figures.lua")
local claims = dofile(here .. "paper_claims.lua")
local studies = figures.studies

local o = studies.options("The figures of the midtraining paper as one report.", {
  { "figures", type = "strings", default = figures.order, help = "which figures" },
})
if o.size == "paper" then return studies.estimate(o) end
local s = studies.open(o)
print(("%s: %d steps, %d seeds, %d mixtures, %d targets"):format(o.size, s.size.steps, s.size.seeds, #s.mixes, #s.targets))
if o.plan then return studies.print_plan(s) end

local sections = {}
for _, name in ipairs(o.figures) do
  if not figures[name] then error("--figures: " .. table.concat(figures.order, ", ") .. " expected, got " .. name, 0) end
  print("\n" .. name)
  sections[#sections + 1] = figures[name](s)
end
local verdicts = claims(s, figures)
table.insert(sections, 1, verdicts)
for _, row in ipairs(verdicts[2].rows) do print(table.concat(row, "  ")) end

-- What all studies share, then what is in no number, and the states.
local first = s.results and s.results[s.targets[1].name]
if first then
  table.insert(sections, 2, { "Method", "All arms of a seed share initial weights, data order and, up to the start of their midtraining, every state. Finetuning ends every arm; its learning rate is chosen for each arm and seed by the loss on valid, and all losses shown are on test.",
    { first.result, parts = { "recipe", "exposure" } } })
  for _, target in ipairs(s.targets) do
    sections[#sections + 1] = { "Appendix: finetuned on " .. target.name,
      { s.results[target.name].result, parts = { "losses", "comparison", "exclusions", "keys" } } }
  end
end
local files = mt.report { o.out, title = ("Midtraining on %s text: the paper's figures at size %s"):format(s.general.name, o.size),
  question = "Does text of a target's kind, mixed into the end of pretraining, lower the loss after finetuning on that target, more than the same text alone at the end, and in proportion to how much closer the mixture is to the target?",
  sections = sections }
print("\nReport: " .. table.concat(files, ", ", 1, math.min(2, #files)))
