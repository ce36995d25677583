-- One function a figure of arXiv 2510.14865: each runs the studies it needs and returns a section for mt.report.
-- `s` is what paper_studies.open gave; results and findings are kept in it, so that figures share them.
local here = arg[0]:match("^(.*/)") or "./"
local studies = dofile(here .. "paper_studies.lua")
local figures = { studies = studies }

local function signed(value, half)
  return half and ("%+.4f ±%.4f"):format(value, half) or ("%+.4f"):format(value)
end

local function mean(list)
  local sum = 0
  for _, value in ipairs(list) do sum = sum + value end
  return sum / #list
end

-- Result of one target's study, and its losses by arm (a mix' name, control or continued) in order of the seeds.
local function target_result(s, target)
  s.results = s.results or {}
  if not s.results[target.name] then
    local result = studies.of_target(s, target):run()
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
    s.results[target.name] = { result = result, losses = losses }
  end
  return s.results[target.name]
end

-- Arm minus reference, paired by seed: mt.paired's table, and the list of differences; nil when there is no pair.
local function difference(losses, what, arm, reference)
  local first, second, list = {}, {}, {}
  for seed, value in pairs(losses[what][arm] or {}) do
    local other = (losses[what][reference] or {})[seed]
    if other then list[#list + 1] = { seed, value, other } end
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  for index, pair in ipairs(list) do first[index], second[index] = pair[2], pair[3] end
  if #list == 0 then return nil end
  local found = mt.paired(first, second)
  found.list, found.reference = {}, mean(second)
  for index = 1, #list do found.list[index] = first[index] - second[index] end
  return found
end

local function heat(s, what, title, value)
  local values, halves, rows, columns = {}, {}, {}, {}
  for column, target in ipairs(s.targets) do columns[column] = target.name end
  for row, mix in ipairs(s.mixes) do
    rows[row], values[row], halves[row] = mix.name, {}, {}
    for column, target in ipairs(s.targets) do
      local found = difference(target_result(s, target).losses, what, mix.name, "control")
      values[row][column] = found and found.mean or 0 / 0
      halves[row][column] = found and found.half_width or 0 / 0
    end
  end
  return mt.plot.heatmap { values, half_widths = halves, rows = rows, columns = columns, x = "finetuned on",
    y = "midtrained on", value = value, diverging = true, title = title }
end

-- Matched and mismatched midtraining: the paper's Table 2.
function figures.matched(s)
  local rows = {}
  local function add(target, arm, losses)
    local own, general = losses.target[arm], losses.general[arm]
    if not own then return end
    local cells = { target.name, arm .. (arm == target.match and " (matched)" or "") }
    for _, what in ipairs { "target", "general" } do
      local list = {}
      for _, value in pairs(losses[what][arm]) do list[#list + 1] = value end
      local found = difference(losses, what, arm, "control")
      cells[#cells + 1] = ("%.4f"):format(mean(list))
      cells[#cells + 1] = arm ~= "control" and found and signed(found.mean, found.half_width) or ""
      if what == "general" then cells[#cells + 1] = #list end
    end
    rows[#rows + 1] = cells
  end
  for _, target in ipairs(s.targets) do
    local losses = target_result(s, target).losses
    add(target, "control", losses)
    for _, mix in ipairs(s.mixes) do add(target, mix.name, losses) end
    add(target, "continued", losses)
  end
  return {
    "Matched and mismatched midtraining",
    { columns = { "finetuned on", "midtrained on", "loss", "Δ control", "general", "Δ control ", "n" }, rows = rows,
      caption = "Test loss on the target, and on the general text after finetuning, in nats a token: means over n seeds, and the mean difference to the control with the same seed ± half of Student's 95% interval. Below zero is better. Continued: the matched text alone, as late and as much as the matched midtraining read of it." },
    { heat(s, "target", "Target loss after finetuning: difference to control", "Δ, nats a token"),
      caption = ("Mean difference to the control of the same seed, n = %d seeds; ±: half of Student's 95%% interval. Below zero, blue, is better."):format(s.size.seeds) },
    { heat(s, "general", "General loss after finetuning: difference to control", "Δ, nats a token"),
      caption = ("Forgetting: the same for the general text, n = %d seeds. Below zero, blue, is less forgotten."):format(s.size.seeds) },
  }
end

-- Midtraining against continued pretraining on the same text: the paper's Table 3.
function figures.continued(s)
  local section = { "Midtraining and continued pretraining" }
  for _, what in ipairs { "target", "general" } do
    local bars = { value = "Δ against control, nats a token",
      title = (what == "target" and "Target" or "General") .. " loss after finetuning: difference to control" }
    for _, target in ipairs(s.targets) do
      local losses = target_result(s, target).losses
      for _, arm in ipairs { target.match, "continued" } do
        local found = difference(losses, what, arm, "control")
        if found then
          local half = found.half_width
          bars[#bars + 1] = { target.name, found.mean, low = half and found.mean - half, high = half and found.mean + half,
            group = arm == "continued" and "continued pretraining" or "midtraining" }
        end
      end
    end
    section[#section + 1] = { mt.plot.bars(bars), caption = ("Both read equally many tokens of the matched text. n = %d seeds, paired; whiskers: Student's 95%% interval. Below zero is better."):format(s.size.seeds) }
  end
  return section
end

-- A finding of mt or of a result as parts of a section.
local function finding_parts(found)
  local rows, parts = {}, {}
  local function text(value)
    if type(value) ~= "table" then
      return math.type(value) == "float" and ("%.4g"):format(value) or value == nil and "" or tostring(value)
    end
    return value.low and ("%.4f [%.4f, %.4f]"):format(value.value, value.low, value.high) or ("%.4f"):format(value.value)
  end
  for index, row in ipairs(found.rows) do
    rows[index] = {}
    for column, name in ipairs(found.columns) do rows[index][column] = text(row[name]) end
  end
  if #rows > 0 then parts[1] = { columns = found.columns, rows = rows, caption = found.title .. "." } end
  local names, values = {}, {}
  for name in pairs(found.values) do names[#names + 1] = name end
  table.sort(names)
  for index, name in ipairs(names) do values[index] = { name, text(found.values[name]) } end
  if #values > 0 then parts[#parts + 1] = { columns = { "result", "value [95% interval]" }, rows = values, caption = found.title .. "." } end
  for _, note in ipairs(found.notes) do parts[#parts + 1] = note end
  return parts
end

-- Start time × weight, as it comes and, where the size says so, with equal exposure.
function figures.timing(s)
  local mix, target = s.mixes[1], s.targets[1]
  for _, other in ipairs(s.targets) do
    if other.match == mix.name then target = other break end
  end
  local section = { "Start time and weight" }
  local function add(tokens, how)
    local result = studies.timing(s, mix, target, tokens):run()
    for _, column in ipairs { target.name, s.general.name } do
      local plot, caption = result:plot { column, rows = "start", columns = "weight", against = "control",
        title = ("%s loss after finetuning on %s, %s: difference to control"):format(column, target.name, how) }
      section[#section + 1] = { plot, caption = caption }
    end
    local found = result:interaction { value = target.name }
    for _, part in ipairs(finding_parts(found)) do section[#section + 1] = part end
    s.timing = s.timing or {}
    s.timing[tokens and "matched" or "raw"] = found
  end
  add(nil, mix.name .. " to the end")
  if s.size.matched then
    local tokens = studies.fewest(s, mix)
    add(tokens, ("every arm %d tokens of %s"):format(tokens, mix.name))
  else
    section[#section + 1] = "Start and weight change the number of specialised tokens too; this size does not separate them. --matched adds the grid with equal exposure."
  end
  return section
end

local function similarity(s)
  if not s.similarity then
    local corpora = { s.general }
    for _, mix in ipairs(s.mixes) do corpora[#corpora + 1] = mix.corpus end
    for _, target in ipairs(s.targets) do corpora[#corpora + 1] = target.corpus end
    corpora.tokenizer, corpora.documents, corpora.sample = s.tokenizer, s.size.documents, "random"
    s.similarity = mt.similarity(corpora)
  end
  return s.similarity
end

local function proximity(s, mix, target)
  return similarity(s):proximity { mix = { [s.general.name] = 1 - mix.weight, [mix.name] = mix.weight },
    general = s.general.name, target = target.name }
end

-- How alike the corpora are, and how much closer every mixture is to every target than the general text.
function figures.similarity(s)
  local rows, columns = {}, { "mixture" }
  for index, target in ipairs(s.targets) do columns[index + 1] = target.name end
  for index, mix in ipairs(s.mixes) do
    rows[index] = { ("%s %g"):format(mix.name, mix.weight) }
    for column, target in ipairs(s.targets) do
      local p = proximity(s, mix, target)
      rows[index][column + 1] = p.low and ("%+.4f [%+.4f, %+.4f]"):format(p.value, p.low, p.high) or ("%+.4f"):format(p.value)
    end
  end
  local basis = tostring(similarity(s)):match("(Documents.*)") or ""
  return {
    "Similarity and proximity advantage",
    { similarity(s):plot { title = "Token similarity of the corpora" },
      caption = "0.4 cosine + 0.3 Jaccard + 0.3 / (1 + JSD in nats) of token counts. " .. basis:gsub("%s+", " ") },
    { columns = columns, rows = rows,
      caption = "Proximity advantage: similarity(mixture, target) − similarity(general, target), with the 95% interval over resampled documents. Computed before any training." },
  }
end

-- Does the advantage predict the gain?
function figures.proximity(s)
  local points, gains, advantages = { fit = true, x = "proximity advantage of the mixture", y = "gain over control, % of its loss",
    title = "Proximity advantage and gain on the target" }, {}, {}
  local results = {}
  for _, target in ipairs(s.targets) do
    local found = target_result(s, target)
    results[#results + 1] = found.result
    for _, mix in ipairs(s.mixes) do
      local p, d = proximity(s, mix, target), difference(found.losses, "target", mix.name, "control")
      if d then
        local scale = -100 / d.reference
        advantages[#advantages + 1], gains[#gains + 1] = p.value, scale * d.mean
        points[#points + 1] = { x = p.value, y = gains[#gains], x_low = p.low, x_high = p.high, label = mix.name,
          group = target.name, y_low = d.half_width and scale * (d.mean + d.half_width),
          y_high = d.half_width and scale * (d.mean - d.half_width) }
      end
    end
  end
  local section = { "Proximity and gain", { mt.plot.scatter(points),
    caption = ("A point a mixture and target (n = %d), colours are targets, names are mixtures. Whiskers: across, 95%% interval over documents; upwards, Student's over seeds. Line: least squares with the 95%% interval of the mean; r with Fisher's interval, which takes the points as independent although those of one target share a control."):format(#gains) } }
  local others = {}
  for index = 2, #results do others[index - 1] = results[index] end
  s.correlation = mt.correlation(advantages, gains)
  s.proximity_finding = results[1]:correlate { similarity = similarity(s), others = others, arms = { "midtrained" } }
  for _, part in ipairs(finding_parts(s.proximity_finding)) do section[#section + 1] = part end
  return section
end

-- The course of finetuning.
function figures.curves(s)
  local section = { "Loss while finetuning" }
  for _, target in ipairs(s.targets) do
    local plot, caption = target_result(s, target).result:curves { title = "Training loss while finetuning on " .. target.name }
    section[#section + 1] = { plot, caption = caption }
  end
  return section
end

-- How much finetuning changes the hidden states of each layer, by arm: the paper's CKA.
function figures.cka(s)
  local target = s.targets[1]
  local result = target_result(s, target).result
  local section, series, rates = { "Representations" }, {}, {}
  for _, row in ipairs(result:rows()) do
    rates[(row.mix or row.arm) .. row.seed] = row.learning_rate
  end
  local arms = { { "control", s.base } }
  for _, mix in ipairs(s.mixes) do
    if mix.name == target.match then
      arms[2] = { "midtrained on " .. mix.name, studies.arm(s, mix, s.base), mix.name }
    end
  end
  s.cka = {}
  for _, arm in ipairs(arms) do
    local layers = {}
    for seed = 1, s.size.seeds do
      local recipe = arm[2]:with { seed = seed }
      local before = recipe:run { name = "before finetuning" }:model()
      local f = s.size.finetune
      local after = recipe:finetune { target.corpus, epochs = f.epochs, batch = f.batch,
        learning_rate = rates[(arm[3] or "control") .. seed] }:run { name = "after finetuning" }:model()
      for index, row in ipairs(mt.cka(before, after, s.general, { documents = s.size.probe or 200, bootstrap = 0 }).rows) do
        layers[index] = layers[index] or {}
        layers[index][seed] = type(row.cka) == "table" and row.cka.value or row.cka
      end
    end
    local line = { name = arm[1], x = {}, y = {}, low = {}, high = {} }
    for index, values in ipairs(layers) do
      line.x[index], line.y[index] = index - 1, mean(values)
      line.low[index], line.high[index] = math.min(table.unpack(values)), math.max(table.unpack(values))
    end
    series[#series + 1] = line
    s.cka[#s.cka + 1] = layers
  end
  series.title = "Hidden states before and after finetuning on " .. target.name
  series.x, series.y = "layer, 0 is the embedding", "linear CKA"
  section[2] = { mt.plot.line(series), caption = ("Linear CKA of the mean hidden state of documents of the general text, before against after finetuning; 1 is unchanged. Mean over n = %d seeds, bands reach from the lowest to the highest."):format(s.size.seeds) }
  return section
end

figures.difference, figures.target_result, figures.mean = difference, target_result, mean
figures.order = { "matched", "continued", "timing", "similarity", "proximity", "curves", "cka" }

-- A script of one figure: writes a report that holds it alone.
function figures.main(name, about)
  local o = studies.options(about)
  if o.size == "paper" then return studies.estimate(o) end
  local s = studies.open(o)
  if o.plan then return studies.print_plan(s) end
  local section = figures[name](s)
  for _, part in ipairs(section) do
    if type(part) == "table" and part[1] then print() print(part[1]) end
  end
  print("\nWritten: " .. mt.report { o.out .. "/" .. name .. ".html", title = section[1], sections = { section } }[1])
end

return figures
