/// The part of the library that is written in Lua.
enum Prelude {
    /// Returns the printer of the prompt: strings as they are, tables with sorted keys, cut where they are long.
    static let text = #"""
        local type, tostring, rawget, next, select = type, tostring, rawget, next, select
        local format, rep, concat, sort = string.format, string.rep, table.concat, table.sort
        local print, getmetatable, math_type = print, getmetatable, math.type
        local longest, deepest = 100, 4

        local function key_text(key)
          if type(key) == "string" and key:match("^[%a_][%w_]*$") then return key end
          return "[" .. (type(key) == "string" and format("%q", key) or tostring(key)) .. "]"
        end

        local function before(a, b)
          local ta, tb = type(a), type(b)
          if ta ~= tb then return ta < tb end
          if ta == "number" or ta == "string" then return a < b end
          return tostring(a) < tostring(b)
        end

        local show
        local function show_table(value, indent, seen, depth)
          local meta = getmetatable(value)
          if type(meta) == "table" and meta.__tostring or type(meta) == "string" then return tostring(value) end
          if seen[value] then return "{...}" end
          if next(value) == nil then return "{}" end
          if depth > deepest then return tostring(value) end
          seen[value] = true
          local parts, length, count = {}, 0, 0
          while rawget(value, length + 1) ~= nil and length < longest do
            length = length + 1
            parts[length] = show(value[length], indent .. "  ", seen, depth + 1)
          end
          local keys = {}
          for key in next, value do
            if not (math_type(key) == "integer" and key >= 1 and key <= length) then keys[#keys + 1] = key end
          end
          sort(keys, before)
          for index, key in ipairs(keys) do
            if index > longest then
              parts[#parts + 1] = format("... (%d more)", #keys - longest)
              break
            end
            parts[#parts + 1] = key_text(key) .. " = " .. show(rawget(value, key), indent .. "  ", seen, depth + 1)
          end
          seen[value] = nil
          local line = "{ " .. concat(parts, ", ") .. " }"
          if #line + #indent <= 100 and not line:find("\n", 1, true) then return line end
          return "{\n" .. indent .. "  " .. concat(parts, ",\n" .. indent .. "  ") .. "\n" .. indent .. "}"
        end

        function show(value, indent, seen, depth)
          if type(value) == "table" then return show_table(value, indent, seen, depth) end
          if type(value) == "string" and depth > 0 then return format("%q", value):gsub("\\\n", "\\n") .. "" end
          return tostring(value)
        end

        return function(...)
          local texts = {}
          for index = 1, select("#", ...) do texts[index] = show((select(index, ...)), "", {}, 0) end
          print(concat(texts, "\t"))
        end
        """#
}
