#!/usr/bin/env mtrepl
-- All figures of arXiv 2510.14865 in one report, on the embedded corpora or your own, at a size of your choice.
--   mtrepl scripts/paper.lua                                    two minutes, nothing to download
--   mtrepl scripts/paper.lua --size hour --data scripts/data/files.lua --folder data --out out/hour
-- Killed or interrupted, it goes on when run again.
local here = arg[0]:match("^(.*/)") or "./"
local figures = dofile(here .. "paper_figures.lua")
local claims = dofile(here .. "paper_claims.lua")
local method = dofile(here .. "paper_method.lua")
local studies = figures.studies

local o = studies.options("The figures of the midtraining paper as one report.", {
  { "figures", type = "strings", default = figures.order, help = "which figures" },
  { "appendix", type = "boolean", help = "every loss, effect and state key of every target too" },
})
for _, name in ipairs(o.figures) do
  if not figures[name] then error("--figures: " .. table.concat(figures.order, ", ") .. " expected, got " .. name, 0) end
end
if o.size == "paper" then return studies.estimate(o) end
studies.check_out(o, o.out)
local s = studies.open(o)
print(("%s: %d steps, %d seeds, %d mixtures, %d targets"):format(o.size, s.size.steps, s.size.seeds, #s.mixes, #s.targets))
if o.plan then return studies.print_plan(s) end

local sections = {}
for _, name in ipairs(o.figures) do
  local lacking = figures.lacking(s, name)
  print("\n" .. name .. (lacking and ": left out, " .. lacking or ""))
  sections[#sections + 1] = lacking and { "Figure: " .. name, "Left out: " .. lacking .. "." } or figures[name](s)
end
local verdicts = claims(s, figures)
for place, section in ipairs { verdicts, table.unpack(method(s, figures)) } do table.insert(sections, place, section) end
for _, row in ipairs(verdicts[2].rows) do print(table.concat(row, "  ")) end

for _, target in ipairs(s.results and s.targets or {}) do
  sections[#sections + 1] = { "Appendix: finetuned on " .. target.name,
    { s.results[target.name].own.result,
      parts = o.appendix and { "losses", "comparison", "exclusions", "keys" } or { "losses", "exclusions", "keys" } } }
end
for _, grid in ipairs(s.grids or {}) do
  sections[#sections + 1] = { grid[1], { grid[2], parts = { "exposure", "losses", "exclusions", "keys" } } }
end
local files = mt.report { o.out, title = ("Midtraining on %s text: the paper's figures at size %s"):format(s.general.name, o.size),
  question = "Does text of a target's kind, mixed into the end of pretraining, lower the loss after finetuning on that target, more than the same text alone at the end, and in proportion to how much closer the mixture is to the target?",
  sections = sections }
print("\nReport: " .. table.concat(files, ", ", 1, math.min(2, #files)))
