-- Positions count from 1, negative ones from the end; ranges include both ends.
local t = mt.range(1, 24):reshape { 2, 3, 4 }
print(t[1])
print(t[-1][2][4]:item(), t:select(-1, 3))
print(t:slice(2, 3, 2):table()[1][2][1], t:slice(2).shape[1], t:slice(-2, -1, -1)[1][1], t:slice(2, 1).count)
print(t:reshape({ 4, -1 }).shape[2], t:reshape(24).rank, t:reshape({ 1, 24 }).rank)
print(t[1]:transpose())
print(table.concat(t:permute({ 3, 1, 2 }).shape, " "), t:permute({ 3, 1, 2 })[2][1])
print(table.concat(t:transpose(1, -1).shape, " "))
print(table.concat(t:unsqueeze().shape, " "), table.concat(t:unsqueeze(-1).shape, " "))
print(table.concat(mt.zeros({ 1, 3, 1 }):squeeze().shape, " "), table.concat(mt.zeros({ 1, 3, 1 }):squeeze(-1).shape, " "))
print(mt.range(1, 3):expand { 2, 3 })
print(mt.cat { mt.ones(2), mt.zeros(1) }, mt.cat({ mt.eye(2), mt.zeros { 2, 1 } }, -1))
print(mt.stack { mt.range(1, 2), mt.range(3, 4) }, mt.stack({ mt.range(1, 2), mt.range(3, 4) }, 2))
print(t[1]:take { 3, 1, -1 }, t[1]:take({ 2, 2 }, 2), t[1]:take(2), t[1]:take(mt.tensor { 1 }))
print(t[1]:gather { { 1 }, { 2 }, { -1 } }, t[1]:gather({ { 3, 1, 2, 3 } }, 1))

-- The probability of each next token, as of a model's logits.
local logits = mt.normal({ 3, 5 }, { seed = 2 })
local ids = { 4, 0, 2 }
local picked = logits:log_softmax():gather((mt.tensor(ids) + 1):unsqueeze(2)):squeeze(2)
print((picked:mean() + logits:cross_entropy(ids)):abs() < 1e-6)

-- Views do not change: there is nothing to write with.
print(pcall(function() t[1] = 0 end))
for i = 1, #t do assert(t[i].rank == 2) end
