-- A hundred thousand operations with their histories take no more memory than a few.
local function resident()
  local file <close> = assert(io.open("/proc/self/statm"))
  local _, pages = file:read("n", "n")
  return pages * 4096
end

mt.memory(4 << 20)
local w = mt.ones(1000):requires_grad()
local peak, early = 0, nil
for i = 1, 100000 // 4 do
  local y = (w * 2 + 1):sum()
  if i % 2 == 0 then
    y:backward()
    w:zero_grad()
  end
  if i == 5000 then early = resident() end
  if i % 100 == 0 then peak = math.max(peak, mt.memory().live) end
end
print(peak < 8 << 20, resident() - early < 32 << 20, mt.memory().collections > 10)

-- A request that only garbage stands in the way of is tried again after a collection.
w = nil
collectgarbage()
collectgarbage()
print(mt.memory().live < 1 << 20)

-- A long history is released without running out of stack.
local x = mt.ones(1):requires_grad()
local y = x
for _ = 1, 100000 do y = y + x end
y:backward()
print(x.grad:item())
y, x = nil, nil
collectgarbage()
collectgarbage()
print(mt.memory().live < 1 << 20)
