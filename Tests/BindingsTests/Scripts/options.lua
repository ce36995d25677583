-- The option parser of scripts.
local specification = {
  help = "Trains a model.",
  { "steps", default = 2000, help = "training steps" },
  { "learning_rate", default = 1e-3 },
  { "starts", default = { 200, 600 } },
  { "weights", default = { 0.1, 0.5 } },
  { "names", type = "strings" },
  { "general", type = "string", help = "files of general text" },
  { "quick", type = "boolean" },
  { "color", default = true },
}

local function show(...)
  local o = mt.options(specification, { ... })
  print(o.steps, o.learning_rate, table.concat(o.starts, " "), table.concat(o.weights, " "),
    o.names and table.concat(o.names, "|"), o.general, o.quick, o.color)
end

show()
show("--steps", "7", "--learning-rate=3e-4", "--starts", "1,2,3", "--weights", "1", "--names", "a,,b")
show("--general", "-x", "--quick", "--no-color", "--steps=1e3")
print(pcall(mt.options, { { "a", default = {} } }))
print(pcall(mt.options, { { "a", defualt = 1 } }))
print(pcall(mt.options, { { "a" }, { "a" } }))
print(pcall(mt.options, { "a" }))
print(pcall(mt.options, { { "a", type = "string", least = 1 } }))
print(pcall(mt.options, { { "a", default = 1, most = "2" } }))
print(mt.options({ { "seeds", default = 2, least = 1, most = 3 } }, { "--seeds", "1" }).seeds)
print(pcall(mt.options, { { "a", default = 0, least = 1 } }))
print(pcall(mt.options, { { "a", default = 2, least = 3, most = 1 } }))
