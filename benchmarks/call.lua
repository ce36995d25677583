-- Nanoseconds of a call from Lua into Swift and back, the loop around it included.
local count, best = 1000000, math.huge
for _ = 1, 7 do
  local started = os.clock()
  for _ = 1, count do mt.threads() end
  best = math.min(best, os.clock() - started)
end
print(best / count * 1e9)
