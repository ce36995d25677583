-- Every differentiable operation against finite differences.
local function flat(value, into)
  if type(value) ~= "table" then into[#into + 1] = value
  else for _, item in ipairs(value) do flat(item, into) end end
  return into
end

local function loss(f, inputs, weights)
  local result, sum = flat(f(table.unpack(inputs)):table(), {}), 0
  for i, weight in ipairs(weights) do sum = sum + weight * result[i] end
  return sum
end

-- The largest difference of slopes, relative to the slope or 1.
local function difference(f, inputs)
  local leaves = {}
  for i, input in ipairs(inputs) do leaves[i] = input:requires_grad() end
  local result = f(table.unpack(leaves))
  local weights = mt.uniform(result.shape, { low = -1, seed = 99 })
  result:backward(weights)
  weights = flat(weights:table(), {})
  local worst, step = 0, 4e-3
  for i, input in ipairs(inputs) do
    local numbers, slopes = flat(input:table(), {}), flat(leaves[i].grad:table(), {})
    for j, number in ipairs(numbers) do
      local sides = {}
      for side = 1, 2 do
        numbers[j] = number + (side == 1 and step or -step)
        local moved = { table.unpack(inputs) }
        moved[i] = mt.tensor(numbers):reshape(input.shape)
        sides[side] = loss(f, moved, weights)
      end
      numbers[j] = number
      local slope = (sides[1] - sides[2]) / (2 * step)
      worst = math.max(worst, math.abs(slope - slopes[j]) / math.max(1, math.abs(slope)))
    end
  end
  return worst
end

local seed = 0
local function any(shape, low, high)
  seed = seed + 1
  return mt.uniform(shape, { low = low or -1, high = high or 1, seed = seed })
end
local function positive(...) return any({ ... }, 0.5, 2) end

local m, v = any { 2, 3 }, any { 3 }
local cases = {
  { "+", function(a, b) return a + b end, m, v },
  { "-", function(a, b) return a - b end, m, any { 2, 1 } },
  { "*", function(a, b) return a * b end, m, v },
  { "/", function(a, b) return a / b end, m, positive(3) },
  { "^", function(a, b) return a ^ b end, positive(2, 3), positive(3) },
  { "unary -", function(a) return -a end, m },
  { "numbers", function(a) return 2 * a + 1 - a / 3 end, m },
  { "pow", function(a) return a:pow(3) end, m },
  { "matmul", function(a, b) return a:matmul(b) end, m, any { 3, 2 } },
  { "matmul", function(a, b) return a:matmul(b) end, any { 2, 2, 3 }, v },
  { "maximum", function(a, b) return a:maximum(b) end, mt.tensor { 1, 2 }, mt.tensor { 3, -1 } },
  { "minimum", function(a, b) return a:minimum(b) end, mt.tensor { 1, 2 }, mt.tensor { 3, -1 } },
  { "exp", function(a) return a:exp() end, m },
  { "log", function(a) return a:log() end, positive(4) },
  { "sqrt", function(a) return a:sqrt() end, positive(4) },
  { "tanh", function(a) return a:tanh() end, m },
  { "sigmoid", function(a) return a:sigmoid() end, m },
  { "relu", function(a) return a:relu() end, mt.tensor { -0.5, 0.5, 2 } },
  { "abs", function(a) return a:abs() end, mt.tensor { -0.5, 0.5, 2 } },
  { "gelu", function(a) return a:gelu() end, m },
  { "gelu", function(a) return a:gelu("tanh") end, m },
  { "where", function(a, b) return mt.where(mt.tensor { 1, 0, 1 }, a, b) end, m, v },
  { "sum", function(a) return a:sum() end, m },
  { "sum", function(a) return a:sum(1, { keep = true }) end, m },
  { "mean", function(a) return a:mean(2) end, m },
  { "max", function(a) return a:max(2) end, mt.tensor { { 1, 2 }, { 4, 3 } } },
  { "min", function(a) return a:min() end, mt.tensor { { 1, 2 }, { 4, 3 } } },
  { "variance", function(a) return a:variance(2) end, m },
  { "std", function(a) return a:std() end, m },
  { "norm", function(a) return a:norm(1) end, m },
  { "topk", function(a) return (a:topk(2)) end, mt.tensor { 1, 3, 2, 0 } },
  { "softmax", function(a) return a:softmax() end, m },
  { "softmax", function(a) return a:softmax(1) end, m },
  { "log_softmax", function(a) return a:log_softmax() end, m },
  { "select", function(a) return a:select(2, 2) end, m },
  { "index", function(a) return a[1] * a[2][3] end, m },
  { "slice", function(a) return a:slice(2, 3, 2) end, m },
  { "take", function(a) return a:take({ 3, 1, 3 }, 2) end, m },
  { "gather", function(a) return a:gather { { 3, 1 }, { 2, 2 } } end, m },
  { "reshape", function(a) return a:reshape({ 3, -1 }) * mt.range(1, 2) end, m },
  { "transpose", function(a) return a:transpose() * mt.range(1, 2) end, m },
  { "permute", function(a) return a:permute({ 3, 1, 2 }):matmul(mt.range(1, 2)) end, any { 2, 2, 3 } },
  { "squeeze", function(a) return a:squeeze(2) end, any { 2, 1 } },
  { "unsqueeze", function(a) return a:unsqueeze(2) * mt.range(1, 2) end, v },
  { "expand", function(a) return a:expand { 2, 3 } end, v },
  { "cat", function(a, b) return mt.cat({ a, b }, 2) end, m, any { 2, 1 } },
  { "stack", function(a, b) return mt.stack { a, b } end, v, any { 3 } },
  { "linear", function(a, b, c) return a:linear(b, c) end, m, any { 4, 3 }, any { 4 } },
  { "layer_norm", function(a, b, c) return a:layer_norm(b, c) end, any { 2, 5 }, any { 5 }, any { 5 } },
  { "embedding", function(a) return a:embedding { { 0, 2 }, { 2, 1 } } end, any { 3, 2 } },
  { "cross_entropy", function(a) return a:cross_entropy { 2, -1, 0 } end, any { 3, 4 } },
}

local tried = {}
for _, case in ipairs(cases) do
  local worst = difference(case[2], { table.unpack(case, 3) })
  if not (worst < 5e-3) then print(case[1], worst) end
  tried[case[1]] = true
end

-- Nothing is forgotten: what is neither above nor without gradient is named.
local without = "item table eq ne lt le gt ge argmax requires_grad backward detach zero_grad close "
for name in mt.help("tensor"):gmatch("tensor:([%w_]+)") do
  if not tried[name] and not without:find(name .. " ", 1, true) then print("no gradient test of " .. name) end
end
print("gradients agree")

-- Leaves add up; what is handed out stays.
local w = mt.tensor({ 1, 2 }):requires_grad()
print(w.tracked, w.grad)
local square = (w * w):sum()
square:backward()
local first = w.grad
w:sum():backward()
print(first, w.grad)
w:zero_grad()
print(w.grad, w:detach().tracked, (w * 2):detach().tracked, mt.no_grad(function() return (w * 2).tracked end))
print((w * 2).grad, mt.where(w:gt(1), w, 0).tracked, w:gt(1).tracked, w:argmax().tracked)

-- Least squares by gradient descent.
local x = mt.normal({ 64, 3 }, { seed = 1 })
local y = x:matmul(mt.tensor { 1, -2, 0.5 }) + 3
local weight, bias = mt.zeros(3):requires_grad(), mt.zeros({}):requires_grad()
for _ = 1, 200 do
  local loss = ((x:matmul(weight) + bias - y) ^ 2):mean()
  loss:backward()
  weight = (weight - 0.1 * weight.grad):requires_grad()
  bias = (bias - 0.1 * bias.grad):requires_grad()
end
print((weight - mt.tensor { 1, -2, 0.5 }):abs():max() < 1e-3, (bias - 3):abs() < 1e-3)
