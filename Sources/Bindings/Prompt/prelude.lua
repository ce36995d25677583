-- The part of the library that is written in Lua: the printer, then what the prompt needs. It returns a table of functions.

-- Values as text: tables with sorted keys, in as few lines as the width allows, cut where they are deep or long.
local type, tostring, rawget, rawset, rawlen, next, select = type, tostring, rawget, rawset, rawlen, next, select
local format, rep, concat, sort = string.format, string.rep, table.concat, table.sort
local print, getmetatable, setmetatable, math_type = print, getmetatable, setmetatable, math.type
local globals, error, info, date = _G, error, debug.getinfo, os.date
local hidden = rawget(globals, "mt_internal")
rawset(globals, "mt_internal", nil)
package.loaded["mt_internal"] = nil
local width, colours, html = 80, false, false
local longest, deepest = 100, 4

local function paint(code, text) return colours and "\27[" .. code .. "m" .. text .. "\27[0m" or text end
-- Columns of a terminal.
local function size(text)
  if text:find("\27", 1, true) then text = text:gsub("\27%[[%d;]*m", "") end
  return text:find("[\128-\255]") and hidden.columns(text) or #text
end
local function cut(text, room)
  if #text <= room then return text end
  return hidden.cut(text, room)
end
local function type_of(value)
  local meta = getmetatable(value)
  return type(value) == "userdata" and type(meta) == "string" and meta:match("^mtrepl%.(.*)") or type(value)
end

local function before(a, b)
  local ta, tb = type(a), type(b)
  if ta ~= tb then return ta < tb end
  if ta == "number" or ta == "string" then return a < b end
  return tostring(a) < tostring(b)
end
local function sorted_keys(value, length)
  local keys = {}
  for key in next, value do
    if not (math_type(key) == "integer" and key >= 1 and key <= length) then keys[#keys + 1] = key end
  end
  sort(keys, before)
  return keys
end
local function length_of(value)
  local length = 0
  while rawget(value, length + 1) ~= nil do length = length + 1 end
  return length
end

local function scalar(value, nested)
  local kind = type(value)
  if kind == "string" then
    if not nested then return value end
    return paint("32", (format("%q", cut(value, 200)):gsub("\\\n", "\\n")))
  elseif kind == "number" then return nested and paint("36", tostring(value)) or tostring(value)
  elseif kind == "boolean" or kind == "nil" then return paint("33", tostring(value)) end
  local text = tostring(value)
  if kind == "userdata" and not nested then return (text:gsub("^[^\n:]+", function(head) return paint("1", head) end)) end
  return text
end
local function key_text(key)
  if type(key) == "string" and key:match("^[%a_][%w_]*$") then return key end
  return "[" .. scalar(key, true) .. "]"
end

-- Short parts side by side, as many a line as fit.
local function fill(parts, indent)
  local lines, line, used = {}, {}, 0
  for index, part in ipairs(parts) do
    local room = size(part) + 2
    if used > 0 and used + room + #indent + 2 > width then
      lines[#lines + 1] = concat(line, ", ")
      line, used = {}, 0
    end
    line[#line + 1], used = part, used + room
  end
  lines[#lines + 1] = concat(line, ", ")
  return concat(lines, ",\n" .. indent .. "  ")
end

local show
local function show_table(value, indent, seen, depth)
  local meta = getmetatable(value)
  if type(meta) == "table" and rawget(meta, "__tostring") or type(meta) == "string" then return tostring(value) end
  if seen[value] then return "{...}" end
  if next(value) == nil then return "{}" end
  if depth > deepest then return "{…}" end
  seen[value] = true
  local parts, flat, length = {}, true, length_of(value)
  local function add(prefix, item)
    flat = flat and type(item) ~= "table"
    parts[#parts + 1] = prefix .. show(item, indent .. "  ", seen, depth + 1)
  end
  for index = 1, length do
    if index > longest then
      parts[#parts + 1] = format("… (%d more)", length - longest)
      break
    end
    add("", rawget(value, index))
  end
  local keys = sorted_keys(value, length)
  for index, key in ipairs(keys) do
    if index > longest then
      parts[#parts + 1] = format("… (%d more)", #keys - longest)
      break
    end
    add(key_text(key) .. " = ", rawget(value, key))
  end
  seen[value] = nil
  local line = "{ " .. concat(parts, ", ") .. " }"
  if size(line) + #indent <= width and not line:find("\n", 1, true) then return line end
  local inside = flat and #keys == 0 and fill(parts, indent) or concat(parts, ",\n" .. indent .. "  ")
  return "{\n" .. indent .. "  " .. inside .. "\n" .. indent .. "}"
end
function show(value, indent, seen, depth)
  if type(value) == "table" then return show_table(value, indent, seen, depth) end
  return scalar(value, depth > 0)
end


-- Lists of records as tables of columns.
local first = { name = 1, arm = 2, phase = 3, source = 4, start = 5, weight = 6, seed = 7, status = 8, step = 9, steps = 10,
  loss = 11, updated = 12, bytes = 200, digest = 300, key = 300 }
local head, tail = 12, 8

local function is_flat(row)
  if type(row) ~= "table" or getmetatable(row) ~= nil or next(row) == nil then return false end
  for key, item in next, row do
    local kind = type(item)
    if type(key) ~= "string" or kind == "table" or kind == "function" or kind == "userdata" then return false end
    if kind == "string" and item:find("\n", 1, true) then return false end
  end
  return true
end

-- The columns of a list of flat records, or nothing if it is something else.
local function columns_of(list)
  local length = length_of(list)
  if length < 1 or getmetatable(list) or #sorted_keys(list, length) > 0 then return end
  local known, names = {}, {}
  for index = 1, length do
    local row = rawget(list, index)
    if not is_flat(row) then return end
    for key in next, row do
      if not known[key] then
        known[key] = true
        names[#names + 1] = key
      end
    end
  end
  -- One record that fits in a line is shown as it is.
  if length == 1 and size(show(list, "", {}, 0)) <= width then return end
  sort(names, function(a, b)
    local x, y = first[a] or 100, first[b] or 100
    if x ~= y then return x < y end
    return a < b
  end)
  return names, length
end

-- Records under names, such as splits, as a list of records that know theirs; what stands beside them, as a table.
local function named_records(value)
  if type(value) ~= "table" or getmetatable(value) or rawlen(value) > 0 then return end
  local list, others = {}, {}
  for _, key in ipairs(sorted_keys(value, 0)) do
    local item = rawget(value, key)
    if type(key) ~= "string" then return end
    if is_flat(item) and rawget(item, "name") == nil then
      local row = { name = key }
      for field, part in next, item do row[field] = part end
      list[#list + 1] = row
    elseif type(item) == "table" then return
    else others[key] = item end
  end
  if #list > 1 then return list, others end
end

local function cell(value, name)
  if value == nil then return "" end
  if name == "updated" and math_type(value) == "float" then return date("%Y-%m-%d %H:%M", value // 1 | 0) end
  if math_type(value) == "float" then return format("%.6g", value) end
  -- Of digests, what tells them apart.
  if type(value) == "string" and #value == 64 and not value:find("%X") then return value:sub(1, 12) end
  return cut(tostring(value), 40)
end

-- The rows that are shown: the first and the last of many.
local function shown_of(length, head, tail)
  local shown = {}
  for index = 1, length do
    if length <= head + tail or index <= head or index > length - tail then shown[#shown + 1] = index end
  end
  return shown
end

-- Rows under their names, numbers to the right; the middle of many rows and what is too wide left out.
local function grid(list, names, length)
  local shown = shown_of(length, head, tail)
  local lines, used, left_out = {}, 0, {}
  for position = 0, #shown do lines[position] = {} end
  for _, name in ipairs(names) do
    local wide, cells, number = size(name), {}, true
    for position, index in ipairs(shown) do
      local value = rawget(rawget(list, index), name)
      cells[position] = cell(value, name)
      wide = size(cells[position]) > wide and size(cells[position]) or wide
      number = number and (value == nil or type(value) == "number")
    end
    if used > 0 and used + wide + 2 > width then
      left_out[#left_out + 1] = name
    else
      used = used + wide + 2
      cells[0] = name
      for position = 0, #shown do
        local space = rep(" ", wide - size(cells[position]))
        local text = position == 0 and paint("1", name) or cells[position]
        lines[position][#lines[position] + 1] = number and space .. text or text .. space
      end
    end
  end
  local texts = {}
  for position = 0, #shown do
    if position > 0 and shown[position] > (shown[position - 1] or 0) + 1 then
      texts[#texts + 1] = format("… %d more", length - head - tail)
    end
    texts[#texts + 1] = (concat(lines[position], "  "):gsub(" +$", ""))
  end
  if #left_out > 0 then texts[#texts + 1] = "(not shown: " .. concat(left_out, ", ") .. ")" end
  return concat(texts, "\n")
end

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
-- The same as HTML, with every column and more rows.
local function grid_html(list, names, length)
  local parts, last = { "<table><thead><tr>" }, 0
  local function add(tag, value, name)
    local right = type(value) == "number" and ' style="text-align: right"' or ""
    parts[#parts + 1] = "<" .. tag .. right .. ">" .. cell(value, name):gsub('[&<>"]', entities) .. "</" .. tag .. ">"
  end
  for _, name in ipairs(names) do add("th", name) end
  parts[#parts + 1] = "</tr></thead><tbody>"
  for _, index in ipairs(shown_of(length, 40, 20)) do
    if index > last + 1 then
      parts[#parts + 1] = format("<tr><td colspan=%d>… %d more</td></tr>", #names, index - last - 1)
    end
    last = index
    parts[#parts + 1] = "<tr>"
    for _, name in ipairs(names) do add("td", rawget(rawget(list, index), name), name) end
    parts[#parts + 1] = "</tr>"
  end
  parts[#parts + 1] = "</tbody></table>"
  return concat(parts)
end


-- What the prompt keeps and lists.
local known, results
local present = hidden.present

local function keep(...)
  local value = ...
  if not known or value == nil then return end
  rawset(globals, "_", value)
  results = rawget(globals, "Out")
  if type(results) == "table" then rawset(results, rawlen(results) + 1, value) end
end
local function show_all(...)
  if select("#", ...) == 0 then return end
  local value = ...
  if type_of(value) == "plot" then
    -- What comes with it says what it shows.
    value:show()
    if select("#", ...) > 1 then present(concat({ select(2, ...) }, "\n")) end
    return
  end
  if select("#", ...) == 1 then
    local names, length
    if type(value) == "table" then
      local list, others = named_records(value)
      list = list or value
      names, length = columns_of(list)
      if names then
        local rest = others and next(others) ~= nil and show(others, "", {}, 0)
        return present(grid(list, names, length) .. (rest and "\n" .. rest or ""),
          html and grid_html(list, names, length) .. (rest and "<pre>" .. rest:gsub('[&<>"]', entities) .. "</pre>" or ""))
      end
    end
    return present(show(value, "", {}, 0), nil, type(value) == "userdata" and value or nil)
  end
  local texts = {}
  for index = 1, select("#", ...) do texts[index] = show(select(index, ...), "", {}, 0) end
  present(concat(texts, "\t"))
end
local function printer(...)
  keep(...)
  show_all(...)
end
-- The record that the library has of it says what it is; values of any kind come here as they are.
local library = package.loaded.mt
if library and rawget(library, "show") then
  library.show = function(...)
    width, colours, html = hidden.display()
    show_all(...)
  end
end

local function counted(number, noun) return number .. " " .. noun .. (number == 1 and "" or "s") end
local function summary(value)
  local kind = type(value)
  if kind == "string" then return format("%q", value):gsub("\\\n", "\\n") .. "" end
  if kind == "table" then
    local length = length_of(value)
    local fields = #sorted_keys(value, length)
    return (length > 0 and counted(length, "item") or "") .. (length > 0 and fields > 0 and ", " or "")
      .. ((fields > 0 or length == 0) and counted(fields, "field") or "")
  elseif kind == "function" then
    local about = info(value, "S")
    return about.what == "C" and "built in" or about.short_src .. ":" .. about.linedefined
  end
  local text = tostring(value)
  if kind == "userdata" and text:sub(1, #type_of(value)) == type_of(value) then
    text = text:sub(#type_of(value) + 1):gsub("^[:%s]+", "")
  end
  return (text:match("[^\n]*"))
end
-- Lists the globals that the researcher made.
local function who()
  local rows = {}
  for _, name in ipairs(sorted_keys(globals, 0)) do
    if type(name) == "string" and not known[name] then
      local value = rawget(globals, name)
      local shown = name:match "^[%a_][%w_]*$" and name or format("%q", name):gsub("\\\n", "\\n")
      rows[#rows + 1] = { name = shown, type = type_of(value), value = cut(summary(value), width > 60 and width - 30 or 30) }
    end
  end
  if #rows == 0 then return print("no globals yet") end
  local lines, wide, kinds = {}, 4, 4
  for _, row in ipairs(rows) do
    wide = size(row.name) > wide and size(row.name) or wide
    kinds = size(row.type) > kinds and size(row.type) or kinds
  end
  for index, row in ipairs(rows) do
    lines[index] = paint("1", row.name) .. rep(" ", wide - size(row.name)) .. "  " .. row.type
      .. rep(" ", kinds - size(row.type)) .. "  " .. row.value
  end
  print(hidden.shown(concat(lines, "\n")))
end

local description
local strictness = { __index = hidden.undefined }

return {
  printer = printer, keep = keep,
  describe = function(...)
    local texts = {}
    for index = 1, select("#", ...) do texts[index] = show(select(index, ...), "", {}, 0) end
    description = concat(texts, "\t")
  end,
  described = function() return description end,
  configure = function(columns, coloured, rich) width, colours, html = columns, coloured, rich end,
  begin = function()
    rawset(globals, "Out", setmetatable({}, { __index = function(list, index)
      if math_type(index) == "integer" and index < 0 then return rawget(list, rawlen(list) + 1 + index) end
    end }))
    rawset(globals, "who", who)
    rawset(globals, "help", hidden.page)
    known = { _ = true }
    for name in next, globals do known[name] = true end
  end,
  strict = function(on)
    local present = getmetatable(globals)
    if present ~= nil and present ~= strictness then error("the globals have a metatable of a script's own", 0) end
    setmetatable(globals, on and strictness or nil)
  end,
  is_strict = function() return getmetatable(globals) == strictness end,
  -- The name of a function that is a field of a module.
  name_of = function(f)
    local function search(module, prefix, depth)
      for _, key in ipairs(sorted_keys(module, 0)) do
        local value = rawget(module, key)
        if value == f then return prefix .. key end
        if depth > 0 and type(key) == "string" and type(value) == "table" and value ~= module then
          local found = search(value, prefix .. key .. ".", depth - 1)
          if found then return found end
        end
      end
    end
    for name, module in next, package.loaded do
      local found = name ~= "_G" and type(module) == "table" and search(module, name .. ".", 1)
      if found then return found end
    end
    return search(globals, "", 0)
  end,
  source = function(f)
    local about = info(f, "S")
    return about.source, about.linedefined, about.lastlinedefined
  end,
}
