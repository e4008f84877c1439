--- Diagnostics: collected while a scenario loads, shown all at once, in the order of lines.
---
--- A diagnostic has a code, a sentence, a place, perhaps a column with a mark, and help. One
--- mistake never causes a second message: what is wrong is replaced by `diag.POISON`, a value
--- that takes anything and complains about nothing.
local lexer = require "lexer"
local near = require "near"
local places = require "places"

local M = {}

---@class Diagnostic
---@field code string  "LZ101"
---@field text string
---@field line? integer  a place (places.lua)
---@field path? string[]  the field, for its column
---@field at? "field"|"value"  what to mark; default the value
---@field word? string  a word on the line to mark instead
---@field col? integer, marked? string  or exactly this
---@field note? string  beside the mark
---@field notes? string[]  below it
---@field help? string
---@field list? { [1]: string, [2]: string[] }  "its fields are", and the names
---@field also? { line: integer, text: string }  a second place
---@field fix? { with: string, after?: boolean }  what is certain: instead of the mark, or at it
---@field is_warning? boolean

-- A scenario that makes mistakes in a loop gets no more of them, nor longer ones, than this.
local LIST_MAX, TEXT_MAX = 200, 500

local WIDTH = 78 -- reports show diagnostics two columns further in

local poison = {}
poison.__index = function(_, k)
    if type(k) == "number" then return nil end -- or ipairs would never end
    return M.POISON
end
poison.__newindex = function() end
poison.__call = function() return M.POISON end
for _, op in ipairs { "add", "sub", "mul", "div", "mod", "pow", "unm", "idiv", "concat", "band",
    "bor", "bxor", "bnot", "shl", "shr" } do
    poison["__" .. op] = function() return M.POISON end
end
poison.__lt = function() return false end
poison.__le = function() return false end
poison.__len = function() return 0 end
poison.__tostring = function() return "?" end
poison.__metatable = "poison"

--- Stands for whatever could not be understood.
M.POISON = setmetatable({}, poison)

M.nearest = near.find

--- `files` are the places of this state.
function M.new(files)
    local self = { files = files, list = {}, warnings = {} }

    ---@param d Diagnostic
    function self.add(d)
        local list = d.is_warning and self.warnings or self.list
        if #d.text > TEXT_MAX then d.text = d.text:sub(1, TEXT_MAX) .. "..." end
        if #list >= LIST_MAX then return M.POISON end
        for _, other in ipairs(list) do
            if other.line == d.line and other.text == d.text then return M.POISON end
        end
        list[#list + 1] = d
        return M.POISON
    end

    return self
end

-- ---------------------------------------------------------------- where

local function first_word(words, line)
    for _, w in ipairs(words) do
        if w.line == line then return w end
        if w.line > line then return nil end
    end
    return nil
end

--- Bytes `part.at` on, `part.len` long, of what the text at `word` says; all of it where an escape
--- makes the source longer than that.
local function part_of(word, part)
    local open = word.text:match "^%[=*%[\n?" or word.text:match "^['\"]"
    if not open or word.text:find("\\", 1, true) then return word end
    local at, line, begun = #open + part.at, word.line, 0
    for i in word.text:sub(1, at):gmatch "()\n" do line, begun = line + 1, i end
    return { line = line, col = line == word.line and word.col + at or at - begun + 1,
        text = word.text:sub(at + 1, at + part.len):match "^[^\n]*" }
end

--- The word that is marked, or nil if the line has none.
local function place_of(words, d, line)
    if d.col then return { line = line, col = d.col, text = d.marked or " " } end
    if d.path then
        local field, value = lexer.field(words, line, d.path)
        if field and value and d.part then return part_of(value, d.part), true end
        if field then return d.at == "field" and field or value or field, d.at == "field" end
    end
    local found = d.word and lexer.find(words, line, d.word)
    if found then return found, found.line == line end
    return first_word(words, line), false
end

--- What a program wants to know of a diagnostic: its place in full, and the certain edit.
function M.locate(self, d)
    if not d.line then return { path = self.files.files[1].path } end
    local file, line, outer = self.files.get(d.line)
    local word, is_exact = place_of(places.words(file), d, line)
    local where = { file = file, path = file.path, line = line, outer = outer }
    if not word then return where end
    where.line, where.col, where.text = word.line, word.col, word.text
    local is_mine = d.col or is_exact or d.fix and d.fix.is_value
    if d.fix and is_mine and file == self.files.files[1] then
        local len = (d.fix.after or d.fix.before) and 0 or #word.text
        local col = d.fix.after and not d.col and word.col + #word.text or word.col
        where.fix = { line = word.line, col = col, len = d.fix.len or len, with = d.fix.with }
    end
    return where
end

--- In the order of files, lines and columns; equal places in the order they were found.
---@return { d: Diagnostic, where: table }[]
local function sorted(self, list)
    local order = {}
    for i, d in ipairs(list) do
        local where = M.locate(self, d)
        order[i] = { d = d, where = where, i = i, file = d.line and self.files.rank(d.line) or 0,
            line = where.line or 0, col = where.col or 0 }
    end
    table.sort(order, function(a, b)
        if a.file ~= b.file then return a.file < b.file end
        if a.line ~= b.line then return a.line < b.line end
        if a.col ~= b.col then return a.col < b.col end
        return a.i < b.i
    end)
    return order
end

-- ---------------------------------------------------------------- text

local STYLES = {
    [true] = { bold = "\27[1m", red = "\27[1;31m", yellow = "\27[1;33m", blue = "\27[1;34m",
        off = "\27[0m" },
    [false] = { bold = "", red = "", yellow = "", blue = "", off = "" },
}

--- No byte of a scenario reaches the terminal as a command.
local function clean(text)
    return (text:gsub("[%z\1-\8\11-\31\127]", "?"):gsub("\194[\128-\159]", "?"))
end

--- Break at spaces so that lines fit; a word longer than a line stays whole.
local function wrap(text, width)
    local lines, line = {}, ""
    for word in text:gmatch "%S+" do
        local size = (utf8.len(line) or #line) + (utf8.len(word) or #word) + 1
        if line ~= "" and size > width then
            lines[#lines + 1], line = line, word
        else
            line = line == "" and word or line .. " " .. word
        end
    end
    lines[#lines + 1] = line
    return lines
end

local function add_below(out, s, gutter, label, text)
    local head = ("%s = %s: "):format(gutter, label)
    local lines = wrap(clean(text), WIDTH - #head)
    out[#out + 1] = ("%s %s= %s:%s %s"):format(gutter, s.blue, label, s.off, lines[1])
    for i = 2, #lines do out[#out + 1] = (" "):rep(#head) .. lines[i] end
end

local BEFORE = 24 -- characters that are left before a mark that would lie beyond the screen

--- The characters of a line that people see, at most `room`, among them the `size` from `col` on;
--- by how many it begins later than the line.
local function stretch(text, col, size, room)
    local chars = {}
    for char in text:gmatch(utf8.charpattern) do chars[#chars + 1] = char end
    if #chars <= room then return text, 0 end
    local from = 1
    if col + size > room then
        local needed = math.max(#chars - room + 2, col + size - room + 2)
        from = math.max(1, math.min(col - BEFORE, needed))
    end
    local to = from + room - (from > 1 and 2 or 1)
    if to < #chars then to = to - 1 end
    to = math.min(to, #chars)
    return (from > 1 and "…" or "") .. table.concat(chars, "", from, to)
        .. (to < #chars and "…" or ""), from > 1 and from - 2 or 0
end

--- The line itself, and a mark below. Of a line wider than people's screens what is around it.
local function add_source(out, s, gutter, d, where)
    local text = places.text(where.file, where.line)
    if not text then return end
    text = clean(text:gsub("\t", " "))
    if not utf8.len(text) then text = text:gsub("[\128-\255]", "?") end
    local before = text:sub(1, (where.col or 1) - 1)
    local col = (utf8.len(before) or #before) + 1
    local marked = (where.text or ""):match "^[^\n]*"
    local size = math.max(1, math.min(utf8.len(marked) or #marked, WIDTH // 2))
    local note = d.note and " " .. d.note or ""
    local shown, left = stretch(text, col, size + #note, WIDTH - #gutter - 3)
    out[#out + 1] = ("%s %s|%s"):format(gutter, s.blue, s.off)
    out[#out + 1] = ("%s%d |%s %s"):format(s.blue, where.line, s.off, shown)
    if not where.col then return end
    local colour = d.is_warning and s.yellow or s.red
    out[#out + 1] = ("%s %s|%s %s%s%s%s%s"):format(gutter, s.blue, s.off,
        (" "):rep(col - left - 1), colour, ("^"):rep(size), note, s.off)
end

local function add_also(out, self, s, gutter, also)
    local file, line = self.files.get(also.line)
    local text = places.text(file, line)
    add_below(out, s, gutter, "note", ("%s, at %s:%d"):format(also.text, file.path, line))
    if text then
        out[#out + 1] = ("%s     %s%d |%s %s"):format(gutter, s.blue, line, s.off, clean(text))
    end
end

--- Characters before byte `col` of that line, and one: where people and tools count.
local function column(where, col)
    col = col or where.col
    local text = where.file and col and places.text(where.file, where.line)
    if not text then return col end
    local before = text:sub(1, col - 1)
    return (utf8.len(before) or #before) + 1
end

local function render_one(self, d, where, s)
    local out = {}
    local gutter = (" "):rep(where.line and #tostring(where.line) or 1)
    local word = d.is_warning and "warning" or "error"
    local indent = "\n" .. (" "):rep(#word + #d.code + 4)
    local text = table.concat(wrap(clean(d.text), WIDTH - #indent + 1), indent)
    out[#out + 1] = ("%s%s[%s]%s%s: %s%s"):format(d.is_warning and s.yellow or s.red, word, d.code,
        s.off, s.bold, text, s.off)
    local at = where.path
    if where.line then at = ("%s:%d"):format(at, where.line) end
    if where.col then at = ("%s:%d"):format(at, column(where)) end
    out[#out + 1] = ("%s%s-->%s %s"):format(gutter, s.blue, s.off, clean(at))
    if where.line then add_source(out, s, gutter, d, where) end
    if d.also then add_also(out, self, s, gutter, d.also) end
    for _, note in ipairs(d.notes or {}) do add_below(out, s, gutter, "note", note) end
    if where.outer then
        add_below(out, s, gutter, "note", ("called from %s:%d"):format(self.files.files[1].path,
            where.outer))
    end
    if d.help then add_below(out, s, gutter, "help", d.help) end
    if d.list then
        add_below(out, s, gutter, "note", d.list[1] .. " " .. table.concat(d.list[2], " "))
    end
    return table.concat(out, "\n") .. "\n"
end

--- As flat tables, for programs: errors and warnings. `title` says what a code means.
function M.findings(self, colour, title)
    local all, out = {}, {}
    for _, d in ipairs(self.list) do all[#all + 1] = d end
    for _, d in ipairs(self.warnings) do all[#all + 1] = d end
    for i, o in ipairs(sorted(self, all)) do
        local d, where = o.d, o.where
        local fix = where.fix or {}
        out[i] = { code = d.code, title = title(d.code), text = d.text, help = d.help,
            path = where.path, shown = render_one(self, d, where, STYLES[colour]),
            line = where.line,
            col = column(where), len = where.text and (utf8.len(where.text) or #where.text),
            is_warning = d.is_warning, fix_line = fix.line, fix_col = fix.col, fix_len = fix.len,
            fix_with = fix.with, fix_char_col = fix.col and column(where, fix.col),
            fix_char_len = fix.col and column(where, fix.col + fix.len) - column(where, fix.col) }
    end
    return out
end

--- Some of them as text, an empty line between two.
function M.text(self, list, colour)
    local out = {}
    for i, o in ipairs(sorted(self, list)) do
        out[i] = render_one(self, o.d, o.where, STYLES[colour])
    end
    return table.concat(out, "\n")
end

--- All errors as text.
function M.render(self, colour) return M.text(self, self.list, colour) end

return M
