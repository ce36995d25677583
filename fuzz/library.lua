-- Calls the library at random: library.lua REFERENCE SEED ACTIONS. A call may raise whatever it likes and nothing else may happen: no
-- signal, no hang. What it is about to do goes to the file `actions`, so that the last line names what ended the process.
-- The same seed does the same with the same program.
local reference, seed, actions = arg[1], math.tointeger(tonumber(arg[2])), tonumber(arg[3])
math.randomseed(seed, 0)

local journal = assert(io.open("actions", "w"))
journal:setvbuf("line")

local function pick(list) return list[math.random(#list)] end
local function chance(percent) return math.random(100) <= percent end

-- The records, from the page of reference: functions, methods and fields with what their parameters take.

local records = {}

local function read_kind(text)
  local low, high = text:match("integer in (%-?[%d^ %-]+) %.%.%. (2?%^?[%d ^%-]+) %(")
  local kind = { text = text, low = low, high = high }
  kind.choices = {}
  for choice in text:gmatch('"([^"]+)"') do kind.choices[#kind.choices + 1] = choice end
  return kind
end

for line in io.lines(reference) do
  local name = line:match("^### `([%w_.:]+)")
  if name then
    records[#records + 1] = { name = name, parameters = {}, is_field = not line:find("(", 1, true) }
  end
  local indent, parameter, kind = line:match("^( *)%- `([%w_]+)` (%b()):")
  local record = records[#records]
  if parameter and record then
    local list = record.parameters
    for _ = 1, #indent / 2 do list = #list > 0 and list[#list].options or list end
    list[#list + 1] = { name = parameter, kind = read_kind(kind), options = {} }
  end
end

-- Values.

local objects, made = {}, {}  -- by type, and all
local depth = 0
local act, value

local hard = {
  0, -0.0, 1, -1, 2, 3, 1.5, 0 / 0, 1 / 0, -1 / 0, 2 ^ 53, 9007199254740993, 2.0 ^ 63, math.maxinteger, math.mininteger,
  1e308, -1e308, 5e-324, 1 << 32, 1 << 31, (1 << 31) - 1, 1 << 40, 1 << 62, 255, 256, 65536, 1e-300, 0.5, 1e6, 100000,
}
local texts = {
  "", "x", "prose", "code", "\0", "\xff\xfe", "a\0b", "1", "nan", "é", "e\u{301}", "\u{10ffff}", "../x", ".", "-", "*", "{", "}",
  "{a", "{a.b[}", "%s%n", "\27[31m", "\n", ("x"):rep(300), ("ab "):rep(20000), "<|endoftext|>", "micro-0.1m", "train", "svg",
  "a.svg", "b.csv", "c.jsonl", "d.txt", "'", '"', "\\", "=1+1", "mt", "tensor", "tensor:sum",
}

-- Reads and changes of a table while the library reads it come from finalizers and from metamethods.
local function hostile(inner)
  local events = {
    "__index", "__newindex", "__len", "__call", "__tostring", "__eq", "__lt", "__le", "__concat", "__add", "__unm", "__pairs",
    "__gc", "__close", "__name", "__metatable", "__mode",
  }
  local meta = {}
  for _ = 1, math.random(4) do
    local event = pick(events)
    if event == "__mode" then meta[event] = pick { "k", "v", "kv" }
    elseif event == "__name" or event == "__metatable" then meta[event] = value(1)
    else
      local what = math.random(7)
      meta[event] = function(...)
        if what == 1 then error(pick { "hostile", { code = 1 }, 7, false }, 0) end
        if what == 2 then return value(1) end
        if what == 3 then act() end
        if what == 4 then for key in next, inner do inner[key] = nil end end
        if what == 5 then for index = 1, 50 do inner["key" .. index] = index end end
        if what == 6 and coroutine.isyieldable() then coroutine.yield(...) end
        return ...
      end
    end
  end
  return setmetatable(inner, meta)
end

local function callback()
  local what = math.random(12)
  return function(...)
    if what == 1 then error("raised in a callback", 0) end
    if what == 2 then error({ code = 2 }, 0) end
    if what == 3 then error(nil, 0) end
    if what == 4 and coroutine.isyieldable() then return coroutine.yield(...) end
    if what == 5 then
      for _, object in ipairs(made) do if chance(30) then pcall(function() object:close() end) end end
    end
    if what == 6 then act() act() end
    if what == 7 then return value(1), value(1), value(1) end
    if what == 8 then return end
    if what == 9 then collectgarbage() end
    if what == 10 then return table.unpack({}, 1, 200) end
    if what == 11 then local recipe = pick(objects.recipe or { 1 }) return recipe, recipe end
    return ...
  end
end

local function anything(level)
  local what = math.random(13)
  if what <= 3 then return pick(hard) end
  if what == 4 then return pick(texts) end
  if what == 5 then return pick { true, false } end
  if what == 6 then return nil end
  if what == 7 and #made > 0 then return pick(made) end
  if what == 8 then return callback() end
  if what == 9 then return pick { print, coroutine.create(callback()), io.stdout, coroutine.wrap(callback()), mt, _G, string } end
  if level > 3 then return pick(hard) end
  local list = {}
  for index = 1, math.random(0, 4) do list[index] = anything(level + 1) end
  if chance(30) then list[pick(texts)] = anything(level + 1) end
  if chance(5) then list[pick { 0, -1, 2.5, 1 << 40, true }] = 1 end
  if chance(5) then list[#list + 1] = list end
  return chance(25) and hostile(list) or list
end

local function number_within(kind)
  local function read(text)
    local base, power, less = text:match("^(%-?)2%^(%d+)( ?%-? ?1?)")
    if power then return (base == "-" and -1 or 1) * (1 << tonumber(power)) - (less:find("1") and 1 or 0) end
    return math.tointeger(tonumber(text)) or 0
  end
  local low, high = read(kind.low), read(kind.high)
  return pick { low, high, low - 1, high + 1, low + 1, 1, 2, 3, 5, math.max(low, 1), math.max(low, 2), math.max(low, 4) }
end

-- What a parameter takes, or nearly so.
local function fitting(parameter, level)
  local kind = parameter.kind
  local text = kind.text
  if chance(12) then return anything(level) end
  if #parameter.options > 0 then
    local list = {}
    for _, option in ipairs(parameter.options) do
      local needed = not option.kind.text:find("optional", 1, true) and not option.kind.text:find("if left out", 1, true)
      if needed or chance(25) then list[option.name] = fitting(option, level + 1) end
    end
    if chance(5) then list[pick(texts)] = anything(level) end
    return chance(8) and hostile(list) or list
  end
  if text:find("list of", 1, true) and level < 6 and chance(80) then
    local one = { kind = { text = text:gsub("list of ", "", 1), low = kind.low, high = kind.high, choices = kind.choices }, options = {} }
    local list = {}
    for index = 1, math.random(0, 4) do list[index] = fitting(one, level + 1) end
    return chance(8) and hostile(list) or list
  end
  if text:find("table from names", 1, true) then
    return pick { { prose = 1 }, { prose = 0.5, code = 0.5 }, { code = 1.0 }, { prose = anything(3) }, {} }
  end
  if #kind.choices > 0 then return pick(kind.choices) end
  if kind.low then return number_within(kind) end
  if text:find("number", 1, true) then return pick { 0, 1, 0.5, 0.1, 1e-3, 100, pick(hard) } end
  if text:find("boolean", 1, true) then return chance(50) end
  if text:find("function", 1, true) then return callback() end
  if text:find("string", 1, true) or text:find("path", 1, true) then return pick(texts) end
  for type, list in pairs(objects) do
    if text:find("%f[%w]" .. type .. "%f[%W]") and #list > 0 then return pick(list) end
  end
  return anything(level)
end

value = anything

local function keep(object)
  local name = type(object) == "userdata" and tostring(getmetatable(object)):match("^mtrepl%.([%w_]+)$")
  if not name then return end
  objects[name] = objects[name] or {}
  table.insert(objects[name], object)
  table.insert(made, object)
  if #objects[name] > 8 then table.remove(objects[name], math.random(7)) end
  if #made > 60 then table.remove(made, math.random(50)) end
end

local count, returned = 0, 0

local function note(text)
  count = count + 1
  journal:write(("%d %s%s\n"):format(count, ("  "):rep(depth), text))
end

-- Interrupts are from outside, to a call that takes long. Nothing is done after one.
local function look(fine, problem)
  if not fine and type(problem) == "string" and problem:find("interrupted", 1, true) then os.exit(130) end
end

local function operate(object)
  local other = anything(1)
  local symbols = {
    function() return object + other end, function() return other - object end, function() return object * other end,
    function() return object / other end, function() return object ^ other end, function() return object < other end,
    function() return object <= other end, function() return object == other end, function() return object .. other end,
    function() return #object end, function() return -object end, function() return object[other] end,
    function() object[other] = other end, function() return object(other) end, function() return tostring(object) end,
    function() return pairs(object) end, function() return getmetatable(object) end, function() return object // other end,
    function() return object & other end, function() return rawlen(object) end, function() return next(object) end,
    function() return setmetatable(object, {}) end, function() return table.unpack(object) end, function() return ("%s"):format(object) end,
    function() return table.concat { object } end, function() return table.sort { object, other } end,
  }
  return pick(symbols)
end

local function call()
  local record = pick(records)
  local holder, separator, name = record.name:match("^(.-)([.:])([%w_]+)$")
  if record.name:find("^mt%.plot%.") or record.name:find("^mt%.log%.") then
    separator, name = ".", record.name:match("[%w_]+$")
    holder = record.name:match("^(mt%.%a+)%.")
  end
  local arguments, places = {}, #record.parameters
  for place, parameter in ipairs(record.parameters) do
    local left_out = parameter.kind.text:find("optional", 1, true) or parameter.kind.text:find("if left out", 1, true)
    if left_out and chance(40) then places = place - 1 break end
    arguments[place] = fitting(parameter, 0)
  end
  if chance(3) then places = places + math.random(5) end
  if holder == "mt" or holder == "mt.plot" or holder == "mt.log" then
    local module = holder == "mt" and mt or mt[holder:match("%a+$")]
    if name == "start" then return note("skipped"), function() end end
    note(record.name)
    return nil, function() return module[name](table.unpack(arguments, 1, places)) end
  end
  local list = objects[holder]
  local object = list and #list > 0 and chance(95) and pick(list) or pick(made) or 1
  note(record.name)
  if name == "close" and chance(70) then return nil, function() end end
  if record.is_field then return nil, function() return object[name] end end
  return nil, function() return object[name](object, table.unpack(arguments, 1, places)) end
end

act = function()
  if depth > 2 then return end
  depth = depth + 1
  local what
  if chance(85) or #made == 0 then
    _, what = call()
  else
    note("operator")
    what = operate(pick(made))
  end
  local results
  local way = math.random(10)
  if way == 1 then
    local thread = coroutine.create(what)
    results = table.pack(coroutine.resume(thread))
    for _ = 1, 3 do if coroutine.status(thread) == "suspended" then coroutine.resume(thread, value(1)) end end
    coroutine.close(thread)
  elseif way == 2 then
    results = table.pack(pcall(coroutine.wrap(what)))
  elseif way == 3 then
    results = table.pack(xpcall(what, callback()))
  else
    results = table.pack(pcall(what))
  end
  look(results[1], results[2])
  if results[1] then returned = returned + 1 end
  for index = 2, math.min(results.n, 4) do
    keep(results[index])
    pcall(tostring, results[index])
  end
  depth = depth - 1
end

-- Something to work on.
local setups = {
  [[mt.tensor { { 1, 2, 3 }, { 4, 5, 6 } }]], [[mt.ones { 2, 3 }:requires_grad()]], [[mt.zeros(0)]],
  [[mt.corpus { "prose", embedded = "prose", bytes = 40000 }]], [[mt.corpus { "code", embedded = "code", bytes = 20000 }]],
  [[mt.tokenizer { train_on = { objects.corpus[1] }, vocabulary = 280 }]],
  [[mt.neox("micro-0.1m", { tokenizer = objects.tokenizer[1], context = 8, layers = 1, width = 16, heads = 2 })]],
  [[mt.recipe { model = objects.model[1], steps = 3, batch = 2, mixture = { prose = 1 } }]],
  [[objects.recipe[1]:open()]], [[objects.model[1]:initialise { seed = 1 }]],
  [[mt.study { arms = mt.grid { seed = { 1 } }, limit = 2, evaluate = objects.corpus,
      recipe = function(arm) return objects.recipe[1]:with { seed = arm.seed } end }]],
  [[mt.plot.bars { { "a", 1 } }]], [[mt.mixed({ 1, 2, 3, 4 }, { 1, 2.1, 3, 4.2 }, { "a", "a", "b", "b" })]],
  [[mt.similarity { objects.corpus[1], objects.corpus[2], metric = "words", documents = 20, bootstrap = 4 }]],
}
print = function() end
for _, code in ipairs(setups) do
  local fine, object = pcall(load("return " .. code, "=setup", "t", setmetatable({ objects = objects }, { __index = _G })))
  note("setup")
  look(fine, object)
  if fine then keep(object) else journal:write("setup failed: ", tostring(object), "\n") end
end
if chance(10) then mt.memory(1) end
if chance(20) then collectgarbage(pick { "generational", "incremental" }) end
for _ = 1, actions do
  act()
  if chance(10) then collectgarbage("step") end
end
journal:write(("%d of %d calls returned\n"):format(returned, count))
os.exit(0)
