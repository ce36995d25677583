-- What a reader has to know to judge the figures: data, recipe, exposure, learning rates of finetuning, and limits.
local function data(s)
  local rows = {}
  local function add(role, corpus)
    local summary = corpus:summary()
    rows[#rows + 1] = { corpus.name, role, summary.train.documents, ("%.2f"):format(summary.train.bytes / 1e6),
      summary.valid.documents, summary.test.documents }
  end
  add("general", s.general)
  for _, mix in ipairs(s.mixes) do add("mixed in", mix.corpus) end
  for _, target in ipairs(s.targets) do add("finetuned on" .. (target.match and "; made for it: " .. target.match or ""), target.corpus) end
  return { "Data", { columns = { "corpus", "role", "train documents", "train MB", "valid documents", "test documents" }, rows = rows,
    caption = ("Splits are by content, so that equal documents are in one split; a document of a valid or test split that is in any training set is an error. Evaluations read %s windows or examples of a split at most."):format(s.size.limit or "all") } }
end

-- The rates that were chosen, effects at each rate, and whether the grid was wide enough.
local function rates(s, figures)
  local section = { "Learning rate of finetuning" }
  local grid = s.size.finetune.learning_rate
  local lowest, highest, chosen = math.min(table.unpack(grid)), math.max(table.unpack(grid)), 0
  local low, high, common = 0, 0, {}
  for index, target in ipairs(s.targets) do
    local found = figures.results.of(s, target)
    for _, row in ipairs(found.own.result:rows()) do
      if row.learning_rate then
        chosen = chosen + 1
        if row.learning_rate == lowest then low = low + 1 elseif row.learning_rate == highest then high = high + 1 end
      end
    end
    common[index] = ("%s %g"):format(target.name, found.rate)
  end
  section[2] = ("Each arm and seed has the rate of the lowest loss on valid out of %s: %d of %d are at the lowest, %d at the highest. One rate for all arms is the one of the lowest mean loss on valid over them: %s."):format(
    table.concat(grid, ", "), low, chosen, high, table.concat(common, ", "))
  if high + low > 0 then
    section[2] = section[2] .. " Where a choice is at an end of the grid, a still better rate may lie outside it; effects at every single rate show how far that could matter."
  end
  for _, target in ipairs(s.targets) do
    local found, rows = figures.results.of(s, target).own.result:rates { value = target.name }, {}
    for index, row in ipairs(found.rows) do
      rows[index] = { row.arm, row.chosen }
      for column = 3, #found.columns do rows[index][column] = figures.results.interval(row[found.columns[column]]) end
    end
    section[#section + 1] = { columns = found.columns, rows = rows,
      caption = ("Finetuned on %s: the chosen rates, and the difference to control on the target's test loss (nats a token, Student's 95%% intervals over seeds) at each arm's own and at every single rate."):format(target.name) }
  end
  return section
end

local function limits(s)
  local size = s.size
  return { "Limits", { list = {
    ("One model of %d parameters on %d tokens: what a larger one on more text would show is not measured."):format(
      s.model.parameters, size.steps * size.batch * size.context),
    ("A seed is one trunk: initial weights, order of the data and of finetuning. n = %d; the spread over orders of finetuning alone is not taken apart (finetune = { seeds = … } does)."):format(size.seeds),
    "Losses, not accuracies, on one finetuning set a kind; every mixture has the weight and start that the table of arms names, chosen before any was run.",
    "Continued pretraining reads its text in the last steps, at the lowest learning rates of the schedule; midtraining from its start on. That is the comparison of the paper, and part of the difference.",
  } } }
end

-- The sections before the figures.
return function(s, figures)
  local first = s.results and s.results[s.targets[1].name]
  if not first then return { data(s) } end
  local sections = { data(s), { "Method",
    "All arms of a seed share initial weights, data order and, up to the start of their midtraining, every state. Finetuning ends every arm; its learning rate is chosen on valid, and all losses shown are on test. Arms are shown for the first target; the others differ in what continued pretraining reads.",
    { first.own.result, parts = { "recipe", "exposure" } } } }
  if #s.size.finetune.learning_rate > 1 then sections[#sections + 1] = rates(s, figures) end
  sections[#sections + 1] = limits(s)
  return sections
end
