-- The studies behind the figures of arXiv 2510.14865, at any size and on any corpora.
-- Every figure asks for the studies it needs; what the store has is not trained again.
local here = arg[0]:match("^(.*/)") or "./"
local studies = {}

-- What a size means. `night` is for one machine; `paper` holds the settings of the paper, to plan and to estimate.
local sizes = {
  minute = {
    model = "micro-0.1m", vocabulary = 512, context = 128, batch = 8, steps = 100, seeds = 3, learning_rate = 3e-3,
    finetune = { epochs = 1, batch = 16, learning_rate = { 3e-3, 1e-2, 3e-2 } }, limit = 32, documents = 200,
    starts = { 0.1, 0.6 }, weights = { 0.2, 0.6 }, grid_seeds = 3, matched = false,
  },
  hour = {
    model = "micro-0.4m", vocabulary = 4096, context = 128, batch = 16, steps = 480, seeds = 5, learning_rate = 3e-3,
    finetune = { epochs = 1, batch = 16, learning_rate = { 3e-4, 1e-3, 3e-3, 1e-2, 3e-2 } }, limit = 128, documents = 1000,
    starts = { 0.1, 0.4, 0.7 }, weights = { 0.1, 0.3, 0.8 }, grid_seeds = 3, matched = false, precision = "bfloat16",
  },
  night = {
    model = "pythia-14m", vocabulary = 8192, context = 256, batch = 32, steps = 3000, seeds = 3, learning_rate = 1e-3,
    finetune = { epochs = 4, batch = 32, learning_rate = { 3e-4, 1e-3 } }, limit = 256, documents = 1000,
    starts = { 0.1, 0.4, 0.7 }, weights = { 0.1, 0.3, 0.8 }, grid_seeds = 3, matched = true, precision = "bfloat16",
  },
  paper = {
    model = "pythia-70m", vocabulary = 50304, context = 2048, batch = 1024, steps = 61035, seeds = 5,
    learning_rate = 3e-4, finetune = { epochs = 4, batch = 64, learning_rate = { 1e-5, 1e-4, 1e-3 } }, documents = 1000,
    starts = { 0.328, 0.492, 0.655, 0.819 }, weights = { 0.1, 0.2, 0.3, 0.5, 0.8 }, grid_seeds = 5, matched = true,
    precision = "bfloat16",
  },
}

local embedded = here .. "data/embedded.lua"

-- The options that every figure script takes; `own` adds a script's own.
function studies.options(about, own)
  local schema = {
    help = about,
    { "size", type = "string", default = "minute", help = "minute, hour, night, or paper (planned and estimated only)" },
    { "data", type = "string", default = embedded, help = "Lua file that names the corpora; sizes above minute need your own" },
    { "folder", type = "string", default = ".", help = "folder of the corpora, for the data file" },
    { "out", type = "string", default = "out/paper", help = "folder for the report, figures and tables" },
    { "model", type = "string", help = "another model preset than the size's" },
    { "steps", type = "integer", help = "another number of steps than the size's" },
    { "seeds", type = "integer", help = "another number of seeds than the size's, of the grid of starts and weights too" },
    { "matched", type = "boolean", help = "the grid of starts and weights with equal exposure too" },
    { "plan", type = "boolean", help = "print what every study trains and how long it takes, and stop" },
  }
  for _, option in ipairs(own or {}) do schema[#schema + 1] = option end
  return mt.options(schema)
end

-- An error now rather than after hours of training when the report cannot be written.
function studies.check_out(o, path)
  if o.plan then return end
  local is_file = path:match("%.html$") or path:match("%.md$")
  local folder = is_file and (path:match("^(.*)/") or ".") or path
  local probe = folder .. "/.writable"
  local fine, message = pcall(mt.write_csv, probe, { "a" }, {})
  if not fine then error(("--out %s: a place to write expected: %s"):format(o.out, message), 0) end
  os.remove(probe)
end

-- What a data file gave, checked before any corpus is read.
local function check_data(o, data)
  local function need(fine, text, ...)
    if not fine then error(o.data .. ": " .. text:format(...), 0) end
  end
  need(type(data) == "table", "a function expected that returns a table with general, mixes and targets, got %s", type(data))
  need(type(data.general) == "table", "general: options of mt.corpus expected, got %s", type(data.general))
  local known = {}
  for _, part in ipairs { "mixes", "targets" } do
    local list = data[part]
    need(type(list) == "table" and #list > 0, "%s: a list of at least one corpus expected", part)
    for index, item in ipairs(list) do
      need(type(item) == "table" and type(item[1]) == "string", "%s[%d]: options of mt.corpus with a name expected", part, index)
      if part == "mixes" then known[#known + 1], known[item[1]] = item[1], true end
      need(part == "mixes" or item.match == nil or known[item.match],
        "targets[%d].match: one of the mixes expected (%s), got %s", index, table.concat(known, ", "), tostring(item.match))
    end
  end
end

local function corpus(specification)
  local options = {}
  for key, value in pairs(specification) do
    if key ~= "match" and key ~= "weight" and key ~= "start" then options[key] = value end
  end
  return mt.corpus(options)
end

-- Corpora, tokenizer and the control's recipe: everything that studies share.
function studies.open(o)
  local size = sizes[o.size]
  if not size then error("--size: minute, hour, night or paper expected, got " .. o.size, 0) end
  if o.data == embedded and o.size ~= "minute" then
    error(("--size %s: the embedded corpora are too small for it; name your own text with --data and --folder (docs/plots.md)")
      :format(o.size), 0)
  end
  local make = dofile(o.data)
  local data = type(make) == "function" and make(o.folder) or make
  check_data(o, data)
  local s = { o = o,
    size = setmetatable({ model = o.model, steps = o.steps, seeds = o.seeds, grid_seeds = o.seeds, matched = o.matched or nil }, { __index = size }),
    mixes = {}, targets = {}, corpora = {}, mix_names = {}, target_names = {} }
  s.general = corpus(data.general)
  local all = { s.general }
  for index, specification in ipairs(data.mixes) do
    local mix = { name = specification[1], corpus = corpus(specification), weight = specification.weight or 0.2,
      start = specification.start or 1 / 3 }
    s.mixes[index], s.mix_names[index], all[#all + 1] = mix, mix.name, mix.corpus
  end
  for index, specification in ipairs(data.targets) do
    s.targets[index] = { name = specification[1], corpus = corpus(specification), match = specification.match }
    s.target_names[index] = specification[1]
  end
  s.tokenizer = mt.tokenizer { train_on = all, vocabulary = s.size.vocabulary }
  s.model = mt.neox(s.size.model, { tokenizer = s.tokenizer, context = s.size.context })
  s.base = mt.recipe {
    model = s.model,
    steps = s.size.steps, batch = s.size.batch, precision = s.size.precision or "float32",
    optimizer = { learning_rate = s.size.learning_rate, minimum = s.size.learning_rate / 300, schedule = "cosine",
      warmup = 0.1, weight_decay = 0.1 },
    mixture = { [s.general.name] = 1 },
  }
  return s
end

local function step(s, fraction) return math.max(1, math.floor(fraction * s.size.steps + 0.5)) end

-- The recipe of a mix' arm.
function studies.arm(s, mix, recipe)
  return studies.midtrain(s, recipe, mix, step(s, mix.start), mix.weight)
end

function studies.midtrain(s, recipe, mix, from, weight, tokens)
  return recipe:midtrain {
    from = from, mixture = { [s.general.name] = 1 - weight, [mix.name] = weight },
    tokens_of = tokens and { [mix.name] = tokens } or nil,
  }
end

-- How many tokens of a source a recipe reads before finetuning.
function studies.tokens(recipe, source)
  local sum = 0
  for _, entry in ipairs(recipe:exposure()) do
    if entry.source == source then sum = sum + entry.tokens end
  end
  return sum
end

-- Continued pretraining on exactly as many tokens of a mix as its midtrained arm reads, as late as possible.
local function continue(s, mix, seed)
  local recipe = s.base:with { seed = seed }
  local tokens = studies.tokens(studies.arm(s, mix, recipe), mix.name)
  local per_step = s.size.batch * s.size.context
  return recipe:midtrain {
    from = s.size.steps - (tokens + per_step - 1) // per_step, mixture = { [mix.name] = 1 },
    tokens_of = { [mix.name] = tokens }, name = "continue",
  }
end

local function seeds(count)
  local list = {}
  for seed = 1, count do list[seed] = seed end
  return list
end

local function finetune(s, target)
  local f = s.size.finetune
  return { target.corpus, epochs = f.epochs, batch = f.batch, learning_rate = f.learning_rate }
end

-- Every mix, the control and continued pretraining on the mix made for it, finetuned on one target unless `bare`.
function studies.of_target(s, target, bare)
  local by_name, matched = {}, nil
  for _, mix in ipairs(s.mixes) do
    by_name[mix.name] = mix
    if mix.name == target.match then matched = mix end
  end
  return mt.study {
    arms = mt.grid { mix = s.mix_names, seed = seeds(s.size.seeds) },
    recipe = function(arm)
      return studies.arm(s, by_name[arm.mix], s.base:with { seed = arm.seed })
    end,
    controls = { control = s.base, continued = matched and function(seed) return continue(s, matched, seed) end or nil },
    finetune = not bare and finetune(s, target) or nil, evaluate = { s.general, target.corpus }, limit = s.size.limit,
  }
end

-- Start × weight of one mix, finetuned on one target unless `bare`; `tokens`: every arm reads so many tokens of the mix.
function studies.timing(s, mix, target, tokens, bare)
  local starts = {}
  for index, fraction in ipairs(s.size.starts) do starts[index] = step(s, fraction) end
  return mt.study {
    arms = mt.grid { start = starts, weight = s.size.weights, seed = seeds(s.size.grid_seeds) },
    recipe = function(arm)
      return studies.midtrain(s, s.base:with { seed = arm.seed }, mix, arm.start, arm.weight, tokens)
    end,
    controls = { control = s.base },
    finetune = not bare and finetune(s, target) or nil, evaluate = { s.general, target.corpus }, limit = s.size.limit,
  }
end

-- The tokens of a mix that the arm of the grid that reads fewest reads.
function studies.fewest(s, mix)
  local fewest
  for _, fraction in ipairs(s.size.starts) do
    for _, weight in ipairs(s.size.weights) do
      local count = studies.tokens(studies.midtrain(s, s.base, mix, step(s, fraction), weight), mix.name)
      fewest = math.min(fewest or count, count)
    end
  end
  return fewest
end

-- The mix and target of the grid of starts and weights: the first mix, and the target it was made for.
function studies.of_grid(s)
  for _, target in ipairs(s.targets) do
    if target.match == s.mixes[1].name then return s.mixes[1], target end
  end
  return s.mixes[1], s.targets[1]
end

-- The plans of all studies with their times, by a few steps of the first, and of all together.
function studies.print_plan(s)
  local list = {}
  for _, target in ipairs(s.targets) do
    list[#list + 1] = { "Finetuned on " .. target.name, function(bare) return studies.of_target(s, target, bare) end }
  end
  local mix, target = studies.of_grid(s)
  list[#list + 1] = { "Start and weight", function(bare) return studies.timing(s, mix, target, nil, bare) end }
  if s.size.matched then
    local tokens = studies.fewest(s, mix)
    list[#list + 1] = { "Start and weight, equal exposure", function(bare) return studies.timing(s, mix, target, tokens, bare) end }
  end
  local rate
  local function time(steps, finetuning)
    local tokens = (steps * s.size.batch + finetuning * s.size.finetune.batch) * s.size.context
    local seconds = rate and rate * tokens
    return tokens, not seconds and "" or "; about "
      .. (seconds < 5400 and ("%.0f min"):format(math.max(1, seconds / 60)) or ("%.1f h"):format(seconds / 3600)) .. " on this machine"
  end
  local finetuned, most = 0, 0
  for index, item in ipairs(list) do
    local plan, bare = item[2](false):plan { calibrate = index == 1 }, item[2](true):plan { calibrate = false }
    local finetuning = plan.missing_steps - bare.missing_steps
    local tokens = time(bare.missing_steps, finetuning)
    if index == 1 and plan.seconds and tokens > 0 then rate = plan.seconds / tokens end
    print(("\n%s"):format(item[1]))
    print(plan)
    local _, text = time(bare.missing_steps, finetuning)
    print(("%d steps before finetuning, %d of finetuning%s"):format(bare.missing_steps, finetuning, text))
    finetuned, most = finetuned + finetuning, most + bare.missing_steps
  end
  local shared = studies.trunks(s):plan { calibrate = false }.missing_steps
  local _, text = time(shared, finetuned)
  print(("\nAll together, what studies share once: %d steps before finetuning (%d if each were alone), %d of finetuning%s"):format(
    shared, most, finetuned, text))
end

-- Every recipe of every study before finetuning, as one study.
function studies.trunks(s)
  local recipes, arms = {}, {}
  local function add(name, count, recipe)
    for seed = 1, count do
      arms[#arms + 1] = { trunk = name, seed = seed }
      recipes[name .. " " .. seed] = recipe
    end
  end
  add("control", s.size.seeds, function(base) return base end)
  for _, mix in ipairs(s.mixes) do
    add(mix.name, s.size.seeds, function(base) return studies.arm(s, mix, base) end)
    for _, target in ipairs(s.targets) do
      if target.match == mix.name then
        add("continued " .. mix.name, s.size.seeds, function(_, seed) return continue(s, mix, seed) end)
        break
      end
    end
  end
  local mix = studies.of_grid(s)
  for _, tokens in ipairs { false, s.size.matched and studies.fewest(s, mix) or nil } do
    for _, fraction in ipairs(s.size.starts) do
      for _, weight in ipairs(s.size.weights) do
        add(("start %g weight %g tokens %s"):format(fraction, weight, tokens or "all"), s.size.grid_seeds, function(base)
          return studies.midtrain(s, base, mix, step(s, fraction), weight, tokens or nil)
        end)
      end
    end
  end
  return mt.study { arms = arms, evaluate = { s.general }, limit = s.size.limit,
    recipe = function(arm) return recipes[arm.trunk .. " " .. arm.seed](s.base:with { seed = arm.seed }, arm.seed) end }
end

-- The paper's settings in numbers: steps with and without shared trunks, tokens, and time on this machine by a few steps of
-- the same model. No data is needed for it.
function studies.estimate(o)
  local size = sizes.paper
  local seeds, steps = o.seeds or size.seeds, o.steps or size.steps
  -- Weight and start of each mix, and the continued pretraining of two, from the paper.
  local mixes = { { "code", 0.2, 6000 }, { "mathematics", 0.12, 20000 }, { "instructions", 0.05, 40000 },
    { "questions", 0.2, 40000 }, { "web of high quality", 0.2, 40000 }, { "code alone", 1, 40000 },
    { "mathematics alone", 1, 56000 } }
  local naive, distinct = steps, steps
  for _, mix in ipairs(mixes) do
    print(("%-22s weight %.2f from step %5d: %6.1f billion tokens of it"):format(mix[1], mix[2], mix[3],
      (steps - mix[3]) * mix[2] * size.batch * size.context / 1e9))
    naive, distinct = naive + steps, distinct + steps - mix[3]
  end
  for _, start in ipairs { 20000, 30000, 40000, 50000 } do
    naive, distinct = naive + #size.weights * steps, distinct + #size.weights * (steps - start)
  end
  local corpus = mt.corpus { "estimate", embedded = "prose", bytes = 2000000 }
  local tokenizer = mt.tokenizer { train_on = { corpus }, vocabulary = 1024 }
  local model = mt.neox(o.model or size.model, { tokenizer = tokenizer, vocabulary = size.vocabulary, context = size.context })
  local plan = mt.study {
    arms = { { seed = 1 } },
    recipe = function() return mt.recipe { model = model, steps = 4, batch = 1, precision = size.precision, mixture = { estimate = 1 } } end,
  }:plan()
  local tokens = size.batch * size.context
  print(("\n%s: %d parameters; %d seeds; %d steps of %d tokens: %.1f billion tokens a run"):format(
    o.model or size.model, model.parameters, seeds, steps, tokens, steps * tokens / 1e9))
  print(("%d steps from scratch, %d with every shared trunk once (%.2f× fewer)"):format(
    seeds * naive, seeds * distinct, naive / distinct))
  if plan.seconds and plan.seconds > 0 then
    local years = plan.seconds / (4 * size.context) * seeds * distinct * tokens / (365.25 * 86400)
    print(("about %.3g years on this machine, finetuning not counted"):format(years))
  end
end

return studies
