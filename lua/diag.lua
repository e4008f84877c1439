--- Diagnostics: collected while a scenario loads, shown all at once, in the order of lines.
---
--- A diagnostic has a code, a sentence, a line, perhaps a column with a mark, and help. One
--- mistake never causes a second message: what is wrong is replaced by `diag.POISON`, a value
--- that takes anything and complains about nothing.
local lexer = require "lexer"

local M = {}

---@class Diagnostic
---@field code string  "LZ101"
---@field text string
---@field line integer
---@field path? string[]  the field, for its column
---@field at? "field"|"value"  what to mark; default the value
---@field word? string  a word on the line to mark instead
---@field note? string  beside the mark
---@field help? string
---@field also? { line: integer, text: string }  a second place

local poison = {}
poison.__index = function() return M.POISON end
poison.__newindex = function() end
poison.__call = function() return M.POISON end
for _, op in ipairs { "add", "sub", "mul", "div", "mod", "pow", "unm", "idiv", "concat" } do
    poison["__" .. op] = function() return M.POISON end
end
poison.__lt = function() return false end
poison.__le = function() return false end
poison.__len = function() return 0 end
poison.__tostring = function() return "?" end
poison.__metatable = "poison"

--- Stands for whatever could not be understood.
M.POISON = setmetatable({}, poison)

---@param path string   the file, as the user gave it
---@param source string
function M.new(path, source)
    local self = { path = path, source = source, list = {} }

    ---@param d Diagnostic
    function self.add(d)
        for _, other in ipairs(self.list) do
            if other.line == d.line and other.text == d.text then return M.POISON end
        end
        self.list[#self.list + 1] = d
        return M.POISON
    end

    return self
end

local function place_of(words, d)
    if d.col then return { line = d.line, col = d.col, text = d.marked or " " } end
    if d.path then
        local field, value = lexer.field(words, d.line, d.path)
        if field then return d.at == "field" and field or value or field end
    end
    if d.word then return lexer.find(words, d.line, d.word) end
    return nil
end

local function source_line(source, n)
    local i = 0
    for text in (source .. "\n"):gmatch "([^\n]*)\n" do
        i = i + 1
        if i == n then return (text:gsub("\t", " ")) end
    end
    return nil
end

local STYLES = {
    [true] = { bold = "\27[1m", red = "\27[1;31m", blue = "\27[1;34m", off = "\27[0m" },
    [false] = { bold = "", red = "", blue = "", off = "" },
}

local function render_one(self, words, d, s)
    local out = {}
    local place = place_of(words, d)
    local line = place and place.line or d.line
    local text = line and source_line(self.source, line)
    local gutter = (" "):rep(line and #tostring(line) or 1)
    out[#out + 1] = ("%serror[%s]%s%s: %s%s"):format(s.red, d.code, s.off, s.bold, d.text, s.off)
    if line then
        local where = place and ("%s:%d:%d"):format(self.path, line, place.col)
            or ("%s:%d"):format(self.path, line)
        out[#out + 1] = ("%s%s-->%s %s"):format(gutter, s.blue, s.off, where)
    end
    if text then
        out[#out + 1] = ("%s %s|%s"):format(gutter, s.blue, s.off)
        out[#out + 1] = ("%s%d |%s %s"):format(s.blue, line, s.off, text)
        if place then
            local mark = ("^"):rep(math.max(1, #place.text))
            out[#out + 1] = ("%s %s|%s %s%s%s%s%s"):format(gutter, s.blue, s.off,
                (" "):rep(place.col - 1), s.red, mark, d.note and " " .. d.note or "", s.off)
        end
    end
    if d.also then
        local other = source_line(self.source, d.also.line)
        out[#out + 1] = ("%s %s= %s:%d:%s %s"):format(gutter, s.blue, self.path, d.also.line, s.off,
            d.also.text .. (other and ": " .. other:match "^%s*(.-)%s*$" or ""))
    end
    if d.help then out[#out + 1] = ("%s %s= help:%s %s"):format(gutter, s.blue, s.off, d.help) end
    return table.concat(out, "\n") .. "\n"
end

--- All of them as text, sorted by line; equal lines in the order they were found.
function M.render(self, colour)
    local words = lexer.words(self.source)
    local order = {}
    for i, d in ipairs(self.list) do order[i] = { d = d, i = i } end
    table.sort(order, function(a, b)
        local x, y = a.d.line or 0, b.d.line or 0
        if x ~= y then return x < y end
        return a.i < b.i
    end)
    local out = {}
    for i, o in ipairs(order) do out[i] = render_one(self, words, o.d, STYLES[colour]) end
    return table.concat(out, "\n")
end

--- The nearest of some names by edit distance, if it is near enough to be meant.
function M.nearest(name, names)
    local best, best_distance
    for _, other in ipairs(names) do
        local row = {}
        for j = 0, #other do row[j] = j end
        for i = 1, #name do
            local diagonal = row[0]
            row[0] = i
            for j = 1, #other do
                local cost = name:byte(i) == other:byte(j) and 0 or 1
                local value = math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
                diagonal, row[j] = row[j], value
            end
        end
        if not best or row[#other] < best_distance then best, best_distance = other, row[#other] end
    end
    if best and best_distance <= math.max(1, #name // 3) then return best end
    return nil
end

return M
