--- Lua's syntax errors in words a newcomer understands.
local lexer = require "lexer"

local M = {}

M.KEYWORDS = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat "
    .. "return then true until while"):gmatch "%a+" do
    M.KEYWORDS[word] = true
end

local INSTEAD = { ["for"] = "lasting", ["until"] = "within" }

--- Two fields without a comma between: the word before the gap.
local function missing_comma(words, line)
    for i, w in ipairs(words) do
        local before, after = words[i - 1], words[i + 1]
        local is_field = w.kind == "name" and after and after.text == "="
        local is_near = w.line >= line - 1 and w.line <= line + 1
        if is_field and is_near and before and before.line < w.line
            and not M.KEYWORDS[before.text]
            and (before.kind ~= "symbol" or before.text:match "^[})%]]$") then
            return before
        end
    end
    return nil
end

local function at(word, d)
    d.line, d.col, d.marked = word.line, word.col, word.text
    return d
end

local function habit_at(w, before, after)
    if M.KEYWORDS[w.text] and after and after.text == "=" then
        return at(w, { code = "LZ004",
            text = ("`%s` is a word of Lua and cannot be a field"):format(w.text),
            help = INSTEAD[w.text] and ("write %s = ..."):format(INSTEAD[w.text]) })
    elseif w.text == ":" and before and before.kind == "name" and before.line == w.line
        and after and after.kind ~= "name" then
        return at(w, { code = "LZ002", text = "a field is set with `=`, not with `:`",
            help = ("write %s = %s"):format(before.text, after.text) })
    elseif w.kind == "number" and w.text:match "^[%d%.]+[%a/]+$" and not tonumber(w.text) then
        return at(w, { code = "LZ001", text = ("`%s` needs quotes"):format(w.text),
            help = ('write "%s"'):format(w.text) })
    elseif w.text == "!" and after and after.text == "=" then
        return at(w, { code = "LZ005", text = "Lua writes `~=` for not equal" })
    end
    return nil
end

local function known_habit(words, line)
    for i, w in ipairs(words) do
        if w.line >= line - 1 and w.line <= line + 1 then
            local d = habit_at(w, words[i - 1], words[i + 1])
            if d then return d end
        end
    end
    return nil
end

--- How far the line of word i is indented.
local function indent(words, i)
    while words[i - 1] and words[i - 1].line == words[i].line do i = i - 1 end
    return words[i].col - 1
end

--- The `{` that indentation says was never closed: a later line closes at less than its depth.
local function unclosed(words)
    local open = {}
    for i, w in ipairs(words) do
        if w.text == "{" then
            open[#open + 1] = { word = w, indent = indent(words, i) }
        elseif w.text == "}" then
            local top = open[#open]
            local begins_line = not words[i - 1] or words[i - 1].line < w.line
            if top and begins_line and #open > 1 and w.col - 1 < top.indent then
                return top.word
            end
            open[#open] = nil
        end
    end
    return open[#open] and open[#open].word
end

--- A diagnostic for what the compiler said.
function M.explain(source, message)
    local line, text = tostring(message):match ":(%d+): (.*)$"
    line = tonumber(line) or 1
    text = text or tostring(message)
    local words = lexer.words(source)
    local habit = known_habit(words, line)
    if habit then return habit end
    if text:find("<eof>", 1, true) or text:find("to close", 1, true) then
        local word = unclosed(words)
        if word then
            return at(word, { code = "LZ007", text = "this brace is never closed",
                help = "add a `}`" })
        end
    end
    local gap = missing_comma(words, line)
    if gap then
        return { code = "LZ003", line = gap.line, col = gap.col + #gap.text, marked = " ",
            text = "missing comma between two fields", note = "add a `,` here" }
    end
    return { code = "LZ006", line = line, text = (text:gsub("^syntax error ", "")) }
end

return M
