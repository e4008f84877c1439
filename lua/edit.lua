--- A scenario's text with one field changed: `db.failover.detect = "1s"` at the prompt.
---
--- The text is changed where the value stands, and nowhere else, so that what comes out is the
--- scenario as its author would have written it. A field that is not there is added after its
--- block's brace.
local handles = require "handles"
local lexer = require "lexer"
local units = require "units"

local M = {}

local OPENS = { ["{"] = true, ["("] = true, ["["] = true }
local CLOSES = { ["}"] = true, [")"] = true, ["]"] = true }

--- Where a word begins in the source, counted from 1.
local function offset(starts, w) return starts[w.line] + w.col - 1 end

local function line_starts(source)
    local starts = { 1 }
    for nl in source:gmatch "()\n" do starts[#starts + 1] = nl + 1 end
    return starts
end

--- The index after a value's last word: the comma or brace that ends it.
local function value_end(words, i)
    local depth = 0
    while words[i] do
        local text = words[i].text
        if depth == 0 and (text == "," or text == ";" or text == "}") then return i end
        if OPENS[text] then depth = depth + 1 end
        if CLOSES[text] then depth = depth - 1 end
        i = i + 1
    end
    return nil
end

--- In the block whose brace is word `open`: the first word of a field's value, and the end's index.
local function find_field(words, open, name)
    local i = open + 1
    while words[i] and words[i].text ~= "}" do
        local stop = value_end(words, i)
        if not stop then return nil end
        if words[i].kind == "name" and words[i].text == name and words[i + 1].text == "=" then
            return i + 2, stop
        end
        i = words[stop].text == "}" and stop or stop + 1
    end
    return nil
end

local function replaced(source, from, to, text)
    return source:sub(1, from - 1) .. text .. source:sub(to + 1)
end

--- `{ detect = { every = "1s" } }` for what is not there yet.
local function nested(path, from, value)
    local text = value
    for i = #path, from + 1, -1 do text = ("{ %s = %s }"):format(path[i], text) end
    return ("%s = %s"):format(path[from], text)
end

local function edit(source, line, path, value)
    local words, starts = lexer.words(source), line_starts(source)
    local open = 1
    while words[open] and (words[open].line < line or words[open].text ~= "{") do
        open = open + 1
    end
    if not words[open] then return nil, "its block is not to be found in the text" end
    for i = 1, #path do
        local at, stop = find_field(words, open, path[i])
        if not at then
            local brace = offset(starts, words[open])
            return replaced(source, brace, brace, "{ " .. nested(path, i, value) .. ",")
        end
        if i == #path then
            local last = words[stop - 1]
            return replaced(source, offset(starts, words[at]),
                offset(starts, last) + #last.text - 1, value)
        end
        if words[at].text ~= "{" then
            return nil, ("`%s` is not a block in the text: give it as a whole"):format(path[i])
        end
        open = at
    end
end

--- The new text; or nil and why; or nothing at all if the line is not about a component's field.
function M.line(state, text)
    local left, value = text:match "^%s*([%a_][%w_%.]*)%s*=%s*([^=].*)$"
    if not left then return nil end
    local path = {}
    for name in left:gmatch "[^%.]+" do path[#path + 1] = name end
    local h = #path > 1 and handles.of((state.locals or {})[path[1]])
    if not h or not h.line or not h.fields then return nil end
    table.remove(path, 1)
    local file, line = state.files.get(h.line)
    if file ~= state.files.files[1] then
        return nil, ("%s is declared in %s, which is changed there"):format(handles.describe(
            state.locals[left:match "^[^%.]+"]), units.show(file.path))
    end
    return edit(file.source, line, path, (value:gsub("%s+$", "")))
end

return M
