--- A small lexer over a scenario's source, used only once something is wrong: Lua knows the
--- line of a block, this finds the column of a field or a word in it.
---
--- ```lua
--- local words = lexer.words("a = {\n  b = 1 }")   --> { text, kind, line, col }, ...
--- lexer.field(words, 1, { "b" })                  --> the word `b`, and its value's
--- ```
local M = {}

local function long_bracket(source, at)
    local level = source:match("^%[(=*)%[", at)
    if not level then return nil end
    local _, stop = source:find("]" .. level .. "]", at, true)
    return stop or #source
end

local function string_end(source, at)
    local quote, i = source:sub(at, at), at + 1
    while i <= #source do
        local c = source:sub(i, i)
        if c == "\\" then i = i + 1
        elseif c == quote or c == "\n" then return i end
        i = i + 1
    end
    return #source
end

--- All words of a source, in order; comments and white space are left out.
---@return { text: string, kind: string, line: integer, col: integer }[]
function M.words(source)
    local words, at, line, line_start = {}, 1, 1, 1
    local function skip(stop)
        for nl in source:sub(at, stop):gmatch "()\n" do
            line = line + 1
            line_start = at + nl
        end
        at = stop + 1
    end
    while at <= #source do
        local c = source:sub(at, at)
        local stop
        if c:match "%s" then
            skip(select(2, source:find("^%s+", at)))
        elseif source:find("^%-%-", at) then
            stop = long_bracket(source, at + 2) or (source:find("\n", at, true) or #source + 1) - 1
            skip(stop)
        else
            local kind = "symbol"
            if c:match "[%a_]" then
                kind, stop = "name", select(2, source:find("^[%w_]+", at))
            elseif c:match "%d" then
                kind, stop = "number", select(2, source:find("^[%w%.]+", at))
            elseif c == '"' or c == "'" then
                kind, stop = "string", string_end(source, at)
            elseif c == "[" and long_bracket(source, at) then
                kind, stop = "string", long_bracket(source, at)
            else
                stop = source:find("^[=~<>]=", at) and at + 1 or at
            end
            words[#words + 1] = { text = source:sub(at, stop), kind = kind, line = line,
                                  col = at - line_start + 1 }
            skip(stop)
        end
    end
    return words
end

--- The word of a field in the block that begins on `line`, and the first word of its value.
--- `path` descends into tables: { "queue", "max" }.
function M.field(words, line, path)
    local i = 1
    while words[i] and (words[i].line < line or words[i].text ~= "{") do i = i + 1 end
    local depth, want = 0, 1
    while words[i] do
        local w = words[i]
        if w.text == "{" then depth = depth + 1
        elseif w.text == "}" then
            depth = depth - 1
            if depth == 0 then return nil end
        elseif w.kind == "name" and depth == want and w.text == path[want]
            and words[i + 1] and words[i + 1].text == "=" then
            if want == #path then return w, words[i + 2] end
            want = want + 1
        end
        i = i + 1
    end
    return nil
end

--- The first word of that text on or after a line.
function M.find(words, line, text)
    for _, w in ipairs(words) do
        if w.line >= line and w.text == text then return w end
    end
    return nil
end

return M
