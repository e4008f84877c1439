--- Where something was written: a line of the scenario, or of a module that it uses.
---
--- A place is an integer, so that facts can carry it as their `line`. In the scenario it is the
--- line itself; elsewhere it stands for a file, a line in it, and the line of the scenario that
--- led there.
---
--- ```lua
--- local places = Places.new("a.lua", source)
--- places.here(chunk, 7, 12)    --> 7 in the scenario, else a number that get() understands
--- ```
local lexer = require "lexer"

local M = {}
local FIRST = 1 << 30

---@class File
---@field path string    as messages name it
---@field source string
---@field chunk string   what Lua calls it

function M.new(path, source, chunk)
    local self = { files = {}, by_chunk = {} }
    local list, memo = {}, {}

    --- Files are numbered in the order they are met; the scenario is the first.
    function self.add(file)
        self.files[#self.files + 1] = file
        self.by_chunk[file.chunk] = #self.files
        return file
    end

    --- The place of a line of that file, reached from a line of the scenario.
    function self.here(file, line, outer)
        if file == 1 then return line end
        local key = ("%d:%d:%d"):format(file, line, outer or 0)
        if not memo[key] then
            list[#list + 1] = { file = file, line = line, outer = outer }
            memo[key] = FIRST + #list
        end
        return memo[key]
    end

    ---@return File file, integer line, integer? outer  the scenario's line that led there
    function self.get(place)
        local p = place >= FIRST and list[place - FIRST]
        if not p then return self.files[1], place, nil end
        return self.files[p.file], p.line, p.outer
    end

    --- The line of the scenario, for what knows no other file; 0 if none led there.
    function self.outer(place)
        local _, line, outer = self.get(place)
        if place < FIRST then return line end
        return outer or 0
    end

    --- For sorting: files in the order they were met, then lines.
    function self.rank(place)
        local p = place >= FIRST and list[place - FIRST]
        return p and p.file or 1, p and p.line or place
    end

    self.add { path = path, source = source, chunk = chunk }
    return self
end

--- A file's words; only made once something is wrong.
function M.words(file)
    file.words = file.words or lexer.words(file.source)
    return file.words
end

--- Whether some file says it at all: of what it is said may be computed.
function M.says(state, word)
    for _, file in ipairs(state.files.files) do
        for _, w in ipairs(M.words(file)) do
            if w.text == word and w.kind == "name" then return true end
        end
    end
    return false
end

--- A line of a file's text, without its end.
function M.text(file, n)
    if not file.lines then
        file.lines = {}
        for text in (file.source .. "\n"):gmatch "([^\n]*)\n" do
            file.lines[#file.lines + 1] = text:gsub("\r$", "")
        end
    end
    return file.lines[n]
end

return M
