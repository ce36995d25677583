-- The results of the studies behind the figures, each trained or read once, and what is computed from them.
local here = arg[0]:match("^(.*/)") or "./"
local studies = dofile(here .. "paper_studies.lua")
local results = { studies = studies }

function results.mean(list)
  local sum = 0
  for _, value in ipairs(list) do sum = sum + value end
  return sum / #list
end

-- Losses by arm (a mix' name, control or continued) and seed.
local function losses_of(s, target, result)
  local losses = { target = {}, general = {} }
  for _, row in ipairs(result:rows()) do
    if not row.failure then
      local arm = row.mix or row.arm
      for what, column in pairs { target = target.name, general = s.general.name } do
        losses[what][arm] = losses[what][arm] or {}
        losses[what][arm][row.seed] = row[column]
      end
    end
  end
  return losses
end

-- Results of one target: `own` with the learning rate of finetuning chosen for each arm and seed, `one` with one for all
-- arms and seeds. A rate that is too high forgets more whatever the arm, so that only `one` compares forgetting.
function results.of(s, target)
  s.results = s.results or {}
  if not s.results[target.name] then
    local own = studies.of_target(s, target):run()
    local one = own:with_rate()
    s.results[target.name] = {
      own = { result = own, losses = losses_of(s, target, own) },
      one = { result = one, losses = losses_of(s, target, one) },
      rate = one:rows()[1].learning_rate,
    }
  end
  return s.results[target.name]
end

-- Arm minus reference, paired by seed: mt.paired's table with the list of differences and the references; nil without a
-- pair. `comparisons`: how many of its kind are judged together, for Bonferroni's `simultaneous` half width.
function results.difference(losses, what, arm, reference, comparisons)
  local list = {}
  for seed, value in pairs(losses[what][arm] or {}) do
    local other = (losses[what][reference] or {})[seed]
    if other then list[#list + 1] = { seed, value, other } end
  end
  if #list == 0 then return nil end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  local first, second, differences = {}, {}, {}
  for index, pair in ipairs(list) do
    first[index], second[index], differences[index] = pair[2], pair[3], pair[2] - pair[3]
  end
  local found = mt.paired(first, second)
  found.list, found.references, found.reference = differences, second, results.mean(second)
  found.simultaneous = mt.paired(first, second, 1, 1 - 0.05 / (comparisons or 1)).half_width
  return found
end

-- The standard deviation of a list: what a change of seed alone does.
function results.deviation(list)
  if #list < 2 then return nil end
  local middle, sum = results.mean(list), 0
  for _, value in ipairs(list) do sum = sum + (value - middle) ^ 2 end
  return math.sqrt(sum / (#list - 1))
end

function results.signed(value, half, decimals)
  local form = "%+." .. (decimals or 4) .. "f"
  return half and (form .. " ±%." .. (decimals or 4) .. "f"):format(value, half) or form:format(value)
end

-- An interval of a finding as text.
function results.interval(value, decimals)
  if type(value) ~= "table" then return value and ("%." .. (decimals or 3) .. "f"):format(value) or "" end
  local form = "%." .. (decimals or 3) .. "f"
  if not value.low then return form:format(value.value) end
  return (form .. " [" .. form .. ", " .. form .. "]"):format(value.value, value.low, value.high)
end

-- A p value as text.
function results.p(value) return value and (value < 0.001 and ("%.1e"):format(value) or ("%.3f"):format(value)) or "" end

-- Similarity of all corpora, computed once.
function results.similarity(s)
  if not s.similarity then
    local corpora = { s.general }
    for _, mix in ipairs(s.mixes) do corpora[#corpora + 1] = mix.corpus end
    for _, target in ipairs(s.targets) do corpora[#corpora + 1] = target.corpus end
    corpora.tokenizer, corpora.documents, corpora.sample = s.tokenizer, s.size.documents, "random"
    s.similarity = mt.similarity(corpora)
  end
  return s.similarity
end

-- Proximity advantage of a mix, at the weight it has, for a target.
function results.proximity(s, mix, target)
  return results.similarity(s):proximity { mix = { [s.general.name] = 1 - mix.weight, [mix.name] = mix.weight },
    general = s.general.name, target = target.name }
end

-- Proximity advantage with gain over all targets, at learning rates of "own" or "one".
function results.correlation(s, how)
  s.correlations = s.correlations or {}
  if not s.correlations[how] then
    local all = {}
    for index, target in ipairs(s.targets) do all[index] = results.of(s, target)[how].result end
    s.correlations[how] = table.remove(all, 1):correlate { similarity = results.similarity(s), others = all,
      arms = { "midtrained" } }
  end
  return s.correlations[how]
end

return results
