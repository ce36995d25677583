-- One function a figure of arXiv 2510.14865: each runs the studies it needs and returns a section for mt.report.
-- `s` is what paper_studies.open gave; results and findings are kept in it, so that figures share them.
local here = arg[0]:match("^(.*/)") or "./"
local results = dofile(here .. "paper_results.lua")
local studies = results.studies
local figures = { studies = studies, results = results }
local signed, mean, difference = results.signed, results.mean, results.difference

-- Whether there is more than one learning rate of finetuning to choose from.
local function chooses(s) return #s.size.finetune.learning_rate > 1 end

-- How forgetting is measured, for captions.
local function one_rate(s)
  return chooses(s) and " All arms were finetuned at one learning rate, that of the lowest mean loss on valid." or ""
end

local function heat(s, what, how, title)
  local values, halves, rows, columns = {}, {}, {}, {}
  for column, target in ipairs(s.targets) do columns[column] = target.name end
  for row, mix in ipairs(s.mixes) do
    rows[row], values[row], halves[row] = mix.name, {}, {}
    for column, target in ipairs(s.targets) do
      local found = difference(results.of(s, target)[how].losses, what, mix.name, "control")
      values[row][column] = found and found.mean or 0 / 0
      halves[row][column] = found and found.half_width or 0 / 0
    end
  end
  return mt.plot.heatmap { values, half_widths = halves, rows = rows, columns = columns, x = "finetuned on",
    y = "midtrained on", value = "Δ against control, nats a token", diverging = true, title = title }
end

-- Matched and mismatched midtraining: the paper's Table 2.
function figures.matched(s)
  local rows = {}
  local function add(target, arm, found)
    local cells = { target.name, arm .. (arm == target.match and " (matched)" or "") }
    local count
    for _, part in ipairs { { "target", "own" }, { "general", "one" } } do
      local losses, list = found[part[2]].losses, {}
      for _, value in pairs(losses[part[1]][arm] or {}) do list[#list + 1] = value end
      if #list == 0 then return end
      table.sort(list)
      local d = difference(losses, part[1], arm, "control")
      cells[#cells + 1] = ("%.4f"):format(mean(list))
      cells[#cells + 1] = arm ~= "control" and d and signed(d.mean, d.half_width) or ""
      count = math.min(count or #list, #list)
    end
    cells[#cells + 1] = count
    rows[#rows + 1] = cells
  end
  for _, target in ipairs(s.targets) do
    local found = results.of(s, target)
    add(target, "control", found)
    for _, mix in ipairs(s.mixes) do add(target, mix.name, found) end
    add(target, "continued", found)
  end
  return {
    "Matched and mismatched midtraining",
    { columns = { "finetuned on", "midtrained on", "target", "Δ target", "general", "Δ general", "n" }, rows = rows,
      caption = "Test loss on the target, and on the general text after finetuning, in nats a token: means over n seeds, and the mean difference to the control with the same seed ± half of Student's 95% interval. Below zero is better. Continued: the matched text alone, at the end, as much of it as the matched midtraining read."
        .. (chooses(s) and " Target: at each arm's own learning rate of finetuning; general: at one rate for all." or "") },
    { heat(s, "target", "own", "Target loss after finetuning: difference to control"),
      caption = ("Mean difference to the control of the same seed, n = %d seeds; ±: half of Student's 95%% interval. Below zero, blue, is better."):format(s.size.seeds) },
    { heat(s, "general", "one", "General loss after finetuning: difference to control"),
      caption = ("Forgetting: the same for the general text, n = %d seeds. Below zero, blue, is less forgotten."):format(s.size.seeds) .. one_rate(s) },
  }
end

-- Midtraining against continued pretraining on the same text: the paper's Table 3.
function figures.continued(s)
  local section = { "Midtraining and continued pretraining" }
  for _, part in ipairs { { "target", "own", "Target" }, { "general", "one", "General" } } do
    local bars = { value = "Δ against control, nats a token",
      title = part[3] .. " loss after finetuning: difference to control" }
    for _, target in ipairs(s.targets) do
      for _, arm in ipairs { target.match, "continued" } do
        local found = difference(results.of(s, target)[part[2]].losses, part[1], arm, "control")
        if found then
          local half = found.half_width
          bars[#bars + 1] = { target.name, found.mean, low = half and found.mean - half, high = half and found.mean + half,
            group = arm == "continued" and "continued pretraining" or "midtraining" }
        end
      end
    end
    section[#section + 1] = { mt.plot.bars(bars), caption = ("Midtraining and continued pretraining that read equally many tokens of the text made for the target. n = %d seeds, paired; whiskers: Student's 95%% interval. Below zero is better."):format(s.size.seeds)
      .. (part[1] == "general" and one_rate(s) or "") }
  end
  return section
end

-- The analysis of variance and the contrasts of a grid.
local function interaction_parts(found, target)
  local v, terms, contrasts = found.values, {}, {}
  for _, name in ipairs { "start", "weight", "interaction", "seeds" } do
    if v[name .. "_f"] then
      terms[#terms + 1] = { name, v[name .. "_df"], ("%.4f"):format(v[name .. "_sum"]), ("%.2f"):format(v[name .. "_f"]),
        results.p(v[name .. "_p"]) }
    end
  end
  if v.residual_df then
    terms[#terms + 1] = { "residual", v.residual_df, ("%.4f"):format(v.residual_df * (v.residual_mean_square or 0)), "", "" }
  end
  for _, item in ipairs { { "change_over_start", "earliest to latest start" }, { "change_over_weight", "lowest to highest weight" },
    { "interaction_change", "interaction" } } do
    if v[item[1]] then
      contrasts[#contrasts + 1] = { item[2], results.interval(v[item[1]]), results.interval(v[item[1] .. "_bootstrap"]),
        results.p(v[item[1] .. "_permutation_p"]), v[item[1] .. "_seeds"] }
    end
  end
  return { columns = { "term", "df", "sum of squares", "F", "p" }, rows = terms,
    caption = ("Two-way analysis of variance of the differences to control on %s (type II, seeds as blocks)."):format(target) },
    { columns = { "change", "Student's 95% interval", "bootstrap", "p, permutation", "seeds" }, rows = contrasts,
      caption = "Changes of the difference to control, nats a token, over the whole range, seed by seed. Interaction: how much more the change from the lowest to the highest weight is at the latest start than at the earliest; above zero, a high weight suits an early start." }
end

-- Start time × weight, as it comes and, where the size says so, with equal exposure.
function figures.timing(s)
  local mix, target = studies.of_grid(s)
  local section = { "Start time and weight" }
  local function add(tokens, how)
    local own = studies.timing(s, mix, target, tokens):run()
    for _, part in ipairs { { target.name, own, "" }, { s.general.name, own:with_rate(), one_rate(s) } } do
      local plot, caption = part[2]:plot { part[1], rows = "start", columns = "weight", against = "control",
        title = ("%s loss after finetuning on %s, %s: difference to control"):format(part[1], target.name, how) }
      section[#section + 1] = { plot, caption = caption .. part[3] }
    end
    local found = own:interaction { value = target.name }
    for _, part in ipairs { interaction_parts(found, target.name) } do section[#section + 1] = part end
    s.timing, s.grids = s.timing or {}, s.grids or {}
    s.timing[tokens and "matched" or "raw"] = found
    s.grids[#s.grids + 1] = { "Appendix: start and weight" .. (tokens and ", equal exposure" or ""), own }
  end
  add(nil, mix.name .. " to the end")
  if s.size.matched then
    local tokens = studies.fewest(s, mix)
    section[#section + 1] = ("Start and weight change how much of %s is read. In what follows every arm reads %d tokens of it, those of the arm of the grid that reads fewest; what is left of the steps is general text."):format(mix.name, tokens)
    add(tokens, ("%d tokens of %s in every arm"):format(tokens, mix.name))
  else
    section[#section + 1] = "Start and weight change the number of specialised tokens too; this size does not separate them. --matched adds the grid with equal exposure."
  end
  return section
end

-- How alike the corpora are, and how much closer every mixture is to every target than the general text.
function figures.similarity(s)
  local rows, columns = {}, { "mixture" }
  for index, target in ipairs(s.targets) do columns[index + 1] = target.name end
  for index, mix in ipairs(s.mixes) do
    rows[index] = { ("%s %g"):format(mix.name, mix.weight) }
    for column, target in ipairs(s.targets) do
      local p = results.proximity(s, mix, target)
      rows[index][column + 1] = p.low and ("%+.4f [%+.4f, %+.4f]"):format(p.value, p.low, p.high) or ("%+.4f"):format(p.value)
    end
  end
  local basis = tostring(results.similarity(s)):match("(Documents.*)") or ""
  return {
    "Similarity and proximity advantage",
    { results.similarity(s):plot { title = "Token similarity of the corpora" },
      caption = "0.4 cosine + 0.3 Jaccard + 0.3 / (1 + JSD in nats) of token counts. " .. basis:gsub("%s+", " ") },
    { columns = columns, rows = rows,
      caption = "Proximity advantage: similarity(mixture, target) − similarity(general, target), with the 95% interval over resampled documents. Computed before any training." },
  }
end

-- Correlation of advantage and gain in every form, at both choices of learning rates.
local function correlation_table(s)
  local ways = chooses(s) and { "own", "one" } or { "own" }
  local columns, rows = { "" }, {}
  for index, how in ipairs(ways) do
    columns[index + 1] = #ways == 1 and "value [95% interval]" or how == "own" and "own learning rates" or "one learning rate"
  end
  local function add(label, value)
    local row = { label }
    for index, how in ipairs(ways) do row[index + 1] = value(results.correlation(s, how).values) end
    rows[#rows + 1] = row
  end
  local form = results.interval
  add("Pearson's r, bootstrap of points", function(v) return form(v.pearson) end)
  add("Pearson's r, bootstrap of whole targets", function(v) return form(v.pearson_by_target) end)
  add("Spearman's rho, bootstrap of points", function(v) return form(v.spearman) end)
  add("p of r when advantages are permuted within targets", function(v) return results.p(v.within_target_p) end)
  for _, target in ipairs(s.targets) do
    add(("r without %s (Fisher)"):format(target.name), function(v) return form(v["pearson_without_" .. target.name]) end)
  end
  for _, target in ipairs(s.targets) do
    add(("error of predicting %s from the others (of their mean)"):format(target.name), function(v)
      return ("%s (%s)"):format(form(v["error_on_" .. target.name], 4), form(v["error_on_" .. target.name .. "_of_mean"], 4))
    end)
  end
  add("slope, gain by advantage", function(v) return form(v.slope, 2) end)
  add("slope with an intercept for each target (mixed model)", function(v) return form(v.mixed_slope, 2) end)
  add("variance of targets; of the rest", function(v)
    return v.mixed_target_variance and ("%.2e; %.2e"):format(v.mixed_target_variance, v.mixed_residual_variance) or ""
  end)
  return { columns = columns, rows = rows,
    caption = ("Proximity advantage and gain, the part of the control's loss that is saved, over %d mixtures and targets. Points of one target share its control and points of one mixture its trunk, so that intervals over points are too narrow; those over %d whole targets are few targets' best. Errors: root mean squares of the gain."):format(results.correlation(s, "own").values.points, #s.targets) }
end

-- The mixture that advantage picks for each target before training, against the best there was.
local function choice_table(s)
  local rows = {}
  for _, target in ipairs(s.targets) do
    local closest
    -- No mixture at all, the control, may be best.
    local best = { "none", nil, 0 }
    for _, mix in ipairs(s.mixes) do
      local d = difference(results.of(s, target).own.losses, "target", mix.name, "control")
      if d then
        local found = { mix.name, results.proximity(s, mix, target).value, 100 * -d.mean / d.reference,
          d.half_width and 100 * d.half_width / d.reference }
        if not closest or found[2] > closest[2] then closest = found end
        if found[3] > best[3] then best = found end
      end
    end
    if closest then
      local doubtful = best[1] ~= "none" and not (best[4] and best[3] > best[4])
      rows[#rows + 1] = { target.name, closest[1], signed(closest[3], closest[4], 2),
        best[1] .. (doubtful and " (not told from none)" or ""), signed(best[3], best[4], 2) }
    end
  end
  return { columns = { "target", "closest mixture", "its gain, %", "best mixture", "its gain, % " }, rows = rows,
    caption = "What proximity advantage recommends before training (mt.recommend), and what turned out best, none where no mixture did better than the control; ±: half of Student's 95% interval over seeds. The best of several looks better than it is." }
end

-- Does the advantage predict the gain?
function figures.proximity(s)
  local points = { fit = true, x = "proximity advantage of the mixture", y = "gain over control, % of its loss",
    title = "Proximity advantage and gain on the target" }
  for _, target in ipairs(s.targets) do
    for _, mix in ipairs(s.mixes) do
      local p = results.proximity(s, mix, target)
      local d = difference(results.of(s, target).own.losses, "target", mix.name, "control")
      if d then
        local scale = -100 / d.reference
        points[#points + 1] = { x = p.value, y = scale * d.mean, x_low = p.low, x_high = p.high, label = mix.name,
          group = target.name, y_low = d.half_width and scale * (d.mean + d.half_width),
          y_high = d.half_width and scale * (d.mean - d.half_width) }
      end
    end
  end
  -- The interval of the verdict D5: Fisher's would take the points as independent.
  local v = results.correlation(s, "own").values
  local by_target = v.pearson_by_target or {}
  points.note = ("r = %.2f, n = %d, %s"):format(v.pearson.value, v.points,
    by_target.low and ("over targets [%.2f, %.2f]"):format(by_target.low, by_target.high) or "interval unknown")
  return { "Proximity and gain",
    { mt.plot.scatter(points), caption = ("A point a mixture and target (n = %d); colours and shapes are targets, names are mixtures, where there is room. Whiskers: across, 95%% interval over documents; upwards, Student's over %d seeds. Line: least squares with the 95%% interval of the mean; r with the 95%% interval over whole targets, as points of one target share a control; it takes three targets."):format(#points, s.size.seeds) },
    correlation_table(s), choice_table(s) }
end

-- The course of finetuning.
function figures.curves(s)
  local section = { "Loss while finetuning" }
  for _, target in ipairs(s.targets) do
    local plot, caption = results.of(s, target).one.result:curves { title = "Training loss while finetuning on " .. target.name }
    if chooses(s) then
      caption = caption:gsub("of the chosen finetunings", ("of all arms at the learning rate %g"):format(results.of(s, target).rate))
    end
    section[#section + 1] = { plot, caption = caption }
  end
  return section
end

-- How much finetuning changes the hidden states of each layer, by arm: the paper's CKA. At one learning rate for all arms of
-- a target, as a larger one changes more.
function figures.cka(s)
  local section = { "Representations" }
  s.cka = {}
  for _, target in ipairs(s.targets) do
    local rate = results.of(s, target).rate
    local arms = { { "control", s.base } }
    for _, mix in ipairs(s.mixes) do
      if mix.name == target.match then arms[2] = { "midtrained on " .. mix.name, studies.arm(s, mix, s.base) } end
    end
    local series = { title = "Hidden states before and after finetuning on " .. target.name,
      y = "linear CKA" }
    local last = {}
    for place, arm in ipairs(arms) do
      local layers = {}
      last[place] = {}
      for seed = 1, s.size.seeds do
        local recipe = arm[2]:with { seed = seed }
        local before = recipe:run { name = "before finetuning" }:model()
        local f = s.size.finetune
        local after = recipe:finetune { target.corpus, epochs = f.epochs, batch = f.batch, learning_rate = rate }:run {
          name = "after finetuning" }:model()
        for index, row in ipairs(mt.cka(before, after, s.general, { documents = s.size.probe or 200, bootstrap = 0 }).rows) do
          layers[index] = layers[index] or {}
          layers[index][seed] = type(row.cka) == "table" and row.cka.value or row.cka
          last[place][seed] = layers[index][seed]
        end
      end
      local line = { name = arm[1], x = {}, y = {}, low = {}, high = {} }
      for index, values in ipairs(layers) do
        line.x[index], line.y[index] = index - 1, mean(values)
        line.low[index], line.high[index] = math.min(table.unpack(values)), math.max(table.unpack(values))
      end
      series[place] = line
      series.x = ("layer: 0 is the embedding, %d the final norm"):format(#layers - 1)
    end
    if arms[2] then s.cka[#s.cka + 1] = { target.name, last[2], last[1] } end
    section[#section + 1] = { mt.plot.line(series), caption = ("Linear CKA of the mean hidden state of %d documents of the general text at most, before against after finetuning; 1 is unchanged. Mean over n = %d seeds, bands reach from the lowest to the highest.%s"):format(s.size.probe or 200, s.size.seeds, chooses(s) and (" Learning rate %g."):format(rate) or "") }
  end
  return section
end

figures.order = { "matched", "continued", "timing", "similarity", "proximity", "curves", "cka" }

-- What the data lack for a figure; nil when it can be drawn. Known before anything is trained.
function figures.lacking(s, name)
  if name == "continued" then
    for _, target in ipairs(s.targets) do
      if target.match then return nil end
    end
    return "no target has a match, the specialised text made for it, in " .. s.o.data
  elseif name == "proximity" and #s.mixes * #s.targets < 3 then
    return ("a correlation takes three points, mixtures times targets; %s has %d mixes and %d targets"):format(s.o.data, #s.mixes,
      #s.targets)
  end
end

-- A script of one figure: writes a report that holds it alone.
function figures.main(name, about)
  local o = studies.options(about)
  if o.size == "paper" then return studies.estimate(o) end
  local path = o.out .. "/" .. name .. ".html"
  studies.check_out(o, path)
  local s = studies.open(o)
  if o.plan then return studies.print_plan(s) end
  local lacking = figures.lacking(s, name)
  if lacking then error(("figure %s: %s"):format(name, lacking), 0) end
  local section = figures[name](s)
  for _, part in ipairs(section) do
    if type(part) == "table" and part[1] then print() print(part[1]) end
  end
  print("\nWritten: " .. mt.report { path, title = section[1], sections = { section } }[1])
end

return figures
