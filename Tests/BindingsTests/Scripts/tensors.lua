-- Tensors: creation, arithmetic with broadcasting, comparisons, reductions, printing.
local t = mt.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
print(t)
print(#t, t.rank, t.count, table.concat(t.shape, " "), t.tracked, t.grad)
print(mt.tensor(7), mt.tensor {}, mt.tensor({ {}, {} }).shape[2])
print(t:table()[2][3], mt.tensor(7):table(), t[2][3]:item())

-- Creation.
print(mt.zeros { 2, 2 })
print(mt.ones(3))
print(mt.full({ 2, 1 }, -0.25))
print(mt.range(1, 5), mt.range(3, 0, -1.5), mt.range(0, 1, 0.1).count)
print(mt.eye(2))

-- Random numbers: a function of the seed and of the place.
local a, b = mt.normal({ 3, 4 }, { seed = 5 }), mt.normal({ 3, 4 }, { seed = 5 })
print(a:eq(b):min():item(), a == b, a == a, (a - mt.normal({ 3, 4 }, { seed = 6 })):abs():max() > 0)
print((mt.uniform(4) - mt.uniform(4)):abs():min() > 0)
local u = mt.uniform({ 5000 }, { low = 2, high = 4, seed = 1 })
print(u:min() >= 2, u:max() < 4, (u:mean() - 3):abs() < 0.05)
local n = mt.normal({ 5000 }, { mean = 1, deviation = 2, seed = 1 })
print((n:mean() - 1):abs() < 0.1, (n:std() - 2):abs() < 0.1)

-- Arithmetic with broadcasting.
local row, column = mt.tensor { 10, 20, 30 }, mt.tensor { { 1 }, { 2 } }
print(t + row)
print(row * column)
print(1 - t, 2 / mt.tensor { 1, 4 }, mt.tensor { 1, 2, 3 } ^ 2, 2 ^ mt.tensor { 1, 2, 3 }, -row)
print(mt.tensor { 1, -1, 0 } / 0)
print(t:matmul(t:transpose()))
print(t:matmul(mt.ones(3)), mt.ones(2):matmul(t), row:matmul(row))
print(table.concat(mt.ones({ 5, 2, 3 }):matmul(mt.ones { 3, 4 }).shape, " "))
print(row:maximum(15), row:minimum(15), row:pow(0.5))

-- Comparisons.
local x = mt.tensor { 1, 2, 3, 0 / 0 }
print(x:eq(2), x:ne(2), x:lt(2), x:le(2), x:gt(2), x:ge(2))
print(mt.where(x:gt(1), x, -1), mt.where(1, t, row)[1])
print(mt.tensor(2) < 3, 3 <= mt.tensor(2), mt.ones(1) > 0)

-- Functions.
local z = mt.tensor { -1, 0, 2 }
print(z:exp(), z:relu(), z:abs(), z:tanh(), z:sigmoid(), z:gelu(), z:gelu "tanh")
print(mt.tensor({ 1, 4 }):sqrt(), mt.tensor({ 1, 0, -1 }):log())

-- Reductions.
print(t:sum(), t:sum(1), t:sum(-1), t:sum(2, { keep = true }))
print(t:mean(), t:max(1), t:min(2), t:variance(), t:variance(2, { correction = 0 }), t:std(1), t:norm())
print(t:argmax(), t:argmax(1), t:argmax(2))
print(t:topk(2))
print(t:softmax(), t:softmax(1), t:log_softmax():exp():sum(2))
print(t - t:mean(2, { keep = true }))

-- Layers.
print(t:linear(mt.eye(3)), t:linear(mt.ones { 2, 3 }, mt.tensor { 0, 1 }))
print(t:layer_norm(mt.ones(3), mt.zeros(3)))
print(mt.eye(3):embedding { { 0, 2 }, { 1, 1 } })
print(mt.zeros({ 2, 4 }):cross_entropy { 1, 3 }, mt.zeros({ 2, 4 }):cross_entropy { -1, 3 })

-- Printing shortens.
print(mt.range(1, 100))
print(mt.zeros { 20, 3 })
print(mt.zeros { 1, 2, 2 })
print(mt.tensor { 1e-9, 1 / 3, 123456.7, -1 / 0 })

-- Closing.
local closed <close> = mt.ones(2)
local gone = mt.ones(2)
gone:close()
gone:close()
print(gone, pcall(function() return gone + 1 end))
