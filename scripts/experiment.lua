-- What the experiment scripts share: their options, corpora, recipe, study rows and CSV.
local experiment = {}

-- The options every experiment takes; `own` adds a script's own.
function experiment.options(about, own)
  local schema = {
    help = about,
    { "general", type = "string", help = "glob of the general text (.txt, .jsonl, .gz, .zst); default: embedded prose" },
    { "special", type = "string", help = "glob of the specialised text; default: embedded code" },
    { "target", type = "string", help = "glob of the finetuning set; default: embedded code tasks" },
    { "prompt", type = "string", help = "template of the target's prompt, such as \"{instruction}\\n{input}\\n\"" },
    { "response", type = "string", help = "template of the target's response, such as \"{output}\"" },
    { "steps", type = "integer", least = 1, default = 120, help = "steps of pretraining and midtraining together" },
    { "batch", type = "integer", least = 1, default = 16, help = "sequences in a step" },
    { "context", type = "integer", least = 1, default = 128, help = "tokens in a sequence" },
    { "model", type = "string", default = "micro-0.4m", help = "model preset" },
    { "vocabulary", type = "integer", least = 1, default = 2048, help = "tokens of the tokenizer that is trained on general and special text" },
    { "learning_rate", type = "number", least = 0, default = 2e-3, help = "peak learning rate of pretraining" },
    { "finetune_rates", type = "numbers", least = 0, default = { 3e-4, 1e-3 }, help = "learning rates to choose from when finetuning" },
    { "finetune_batch", type = "integer", least = 1, default = 32, help = "examples in a finetuning step" },
    { "epochs", type = "integer", least = 1, default = 1, help = "passes over the finetuning set" },
    { "evaluation", type = "integer", least = 1, default = 64, help = "windows or examples of a split that an evaluation reads at most" },
    { "precision", type = "string", default = "float32", help = "float32 or bfloat16" },
    { "out", type = "string", default = "out", help = "folder for results.csv" },
    { "plan", type = "boolean", help = "print the plan and stop" },
  }
  for _, option in ipairs(own) do schema[#schema + 1] = option end
  return mt.options(schema)
end

-- A shell passes "\\n" as two characters; templates mean a line break by it.
local function unescape(text)
  return (text:gsub("\\(.)", function(letter) return ({ n = "\n", t = "\t" })[letter] or letter end))
end

local function corpus(name, files, embedded, fields)
  local specification = { name }
  if files then specification.files = files else specification.embedded = embedded end
  for key, value in pairs(files and fields or {}) do specification[key] = value end
  return mt.corpus(specification)
end

-- The three corpora, the tokenizer trained on the first two, and the control's recipe.
function experiment.prepare(o)
  local fields = o.prompt and { prompt = unescape(o.prompt), response = unescape(o.response or "{output}") } or {}
  local general = corpus("general", o.general, "prose")
  local special = corpus("special", o.special, "code")
  local target = corpus("target", o.target, "code-tasks", fields)
  local tokenizer = mt.tokenizer { train_on = { general, special }, vocabulary = o.vocabulary }
  local base = mt.recipe {
    model = mt.neox(o.model, { tokenizer = tokenizer, context = o.context }),
    steps = o.steps, batch = o.batch, precision = o.precision,
    optimizer = {
      learning_rate = o.learning_rate, minimum = o.learning_rate / 100, schedule = "cosine",
      warmup = 0.1, weight_decay = 0.1,
    },
    mixture = { general = 1 },
  }
  return base, { general = general, special = special, target = target }
end

-- How many tokens of a source a recipe reads before finetuning.
function experiment.tokens(recipe, source)
  local sum = 0
  for _, entry in ipairs(recipe:exposure()) do
    if entry.source == source then sum = sum + entry.tokens end
  end
  return sum
end

-- The finetuning and evaluation part of a study.
function experiment.study(o, base, corpora, arms, recipe, controls)
  return mt.study {
    arms = arms, recipe = recipe, controls = controls,
    finetune = {
      corpora.target, epochs = o.epochs, batch = o.finetune_batch, learning_rate = o.finetune_rates,
    },
    evaluate = { corpora.general, corpora.special, corpora.target },
    limit = o.evaluation,
  }
end

-- One row an arm and seed, in the columns that the documentation names.
function experiment.write(result, path)
  local columns = {
    "arm", "start", "weight", "seed", "finetune_learning_rate", "target_loss", "general_loss_before",
    "general_loss_after", "special_loss", "tokens_general", "tokens_special", "state_key", "failure",
  }
  local rows = {}
  for index, row in ipairs(result:rows()) do
    rows[index] = {
      arm = row.arm, start = row.start, weight = row.weight, seed = row.seed,
      finetune_learning_rate = row.learning_rate, target_loss = row.target,
      general_loss_before = row.general_before, general_loss_after = row.general, special_loss = row.special,
      tokens_general = row.tokens_general, tokens_special = row.tokens_special, state_key = row.key,
      failure = row.failure,
    }
  end
  mt.write_csv(path, columns, rows)
end

return experiment
