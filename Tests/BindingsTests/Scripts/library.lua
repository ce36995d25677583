-- What the core of the library promises.
print(type(mt.version), mt.version:match("^%d+%.%d+%.%d+$") ~= nil)
print(mt.threads() == mt.threads(mt.threads()))
print(math.type(mt.elapsed()), mt.elapsed() >= 0)
local memory = mt.memory()
print(memory.live >= 0, memory.lua > 1000, memory.lua_limit > memory.lua, memory.soft_maximum > 0)
print(mt.help("elapsed"))
print(select(2, pcall(mt.help, "elapsd")))
print(select(2, pcall(mt.threads, 0)))
print(mt.help() == mt.help(nil))
for name in mt.help():gmatch("mt%.([%w_]+)") do assert(mt[name], name) end

-- A logarithmic axis has no place for 0 and less.
print(pcall(mt.plot.line, { { name = "a", x = { 1, 2 }, y = { -1, 3 } }, log = "y" }))
print(pcall(mt.plot.scatter, { { x = 1, y = 2 }, { x = 0.5, y = 1, y_low = -1 }, log = "y" }))
