--- Lua's syntax errors in words a newcomer understands.
---
--- Lua stops at the first thing it cannot read. What is certainly wrong wherever it stands (a
--- colon for `=`, a duration without quotes) is looked for in the whole file, so that all of it is
--- said at once; only where none of that is found is Lua's own message translated.
local lexer = require "lexer"

local M = {}

M.KEYWORDS = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat "
    .. "return then true until while"):gmatch "%a+" do
    M.KEYWORDS[word] = true
end

local INSTEAD = { ["for"] = "lasting", ["until"] = "within", ["in"] = "within" }
local OF_ALERT = { ["for"] = "pending" } -- Prometheus' word
local VALUES = { ["end"] = true, ["true"] = true, ["false"] = true, ["nil"] = true }
local OPENS = { ["{"] = "}", ["("] = ")", ["["] = "]", ["function"] = "end", ["if"] = "end",
    ["do"] = "end", ["repeat"] = "until" }
local CLOSES = { ["}"] = true, [")"] = true, ["]"] = true, ["end"] = true, ["until"] = true }

local function at(word, d)
    d.line, d.col, d.marked = word.line, word.col, word.text
    return d
end

--- Whether a value may end with this word.
local function ends_value(w)
    if w.kind == "name" then return not M.KEYWORDS[w.text] or VALUES[w.text] end
    return w.kind ~= "symbol" or w.text:find "^[})%]]$" ~= nil
end

local function touches(w, after)
    return after and after.line == w.line and after.col == w.col + #w.text
end

--- A quantity that lost its quotes: `300ms`, `10%`.
local function unquoted(w, after, following)
    if w.kind ~= "number" then return nil end
    if w.text:match "^[%d%.]+%a[%w%.]*$" and not tonumber(w.text) then
        local text = w.text
        if after and after.text == "/" and touches(w, after) and following
            and following.kind == "name" then
            text = text .. "/" .. following.text
        end
        return text
    end
    local stops = following and following.text:find "^[,})]$"
    if after and after.text == "%" and stops then return w.text .. "%" end
    return nil
end

--- Whether the word stands in the fields of an alert.
local function is_of_alert(words, i)
    local depth = 0
    for k = i - 1, 1, -1 do
        local text = words[k].text
        if text == "}" then
            depth = depth + 1
        elseif text == "{" and depth > 0 then
            depth = depth - 1
        elseif text == "{" then
            return words[k - 2] ~= nil and words[k - 2].text == "alert"
        end
    end
    return false
end

local function habit_at(words, i)
    local w, before, after = words[i], words[i - 1], words[i + 1]
    local is_field = after and after.text == "="
    if M.KEYWORDS[w.text] and w.kind == "name" and is_field then
        local word = is_of_alert(words, i) and OF_ALERT[w.text] or INSTEAD[w.text]
        return at(w, { code = "LZ004",
            text = ("`%s` is a word of Lua and cannot be a field"):format(w.text),
            help = word and ("write %s = ..."):format(word) or "use another name",
            fix = word and { with = word } })
    elseif w.text == ":" and before and before.kind == "name" and before.line == w.line
        and after and (after.kind == "number" or after.kind == "string" or after.text == "{"
            or VALUES[after.text]) and not (after.kind ~= "number" and touches(before, w)
            and touches(w, after)) and M.is_entry(words, i - 1) then
        return at(w, { code = "LZ002", text = "a field is set with `=`, not with `:`",
            help = ("write %s = %s"):format(before.text, after.text),
            fix = { with = touches(before, w) and " =" or "=" } })
    elseif w.text == "!" and touches(w, after) and after.text == "=" then
        return { code = "LZ005", line = w.line, col = w.col, marked = "!=",
            text = "Lua writes `~=` for not equal", help = "write ~= instead",
            fix = { with = "~=", len = 2 } }
    end
    local text = unquoted(w, after, words[i + 2])
    if text then
        return { code = "LZ001", line = w.line, col = w.col, marked = text,
            text = ("`%s` needs quotes"):format(text), help = ('write "%s"'):format(text),
            fix = { with = ('"%s"'):format(text), len = #text } }
    end
    return nil
end

--- Whether word i begins an entry of a table.
function M.is_entry(words, i)
    local before = words[i - 1]
    return before ~= nil and (before.text == "{" or before.text == "," or before.text == ";"
        or before.line < words[i].line and ends_value(before))
end

--- Everything in the file that is wrong for certain, in its order.
local function habits(words)
    local found = {}
    for i = 1, #words do
        local d = habit_at(words, i)
        if d then found[#found + 1] = d end
    end
    return found
end

local function gap_after(before)
    return { code = "LZ003", line = before.line, col = before.col + #before.text, marked = " ",
        text = "missing comma between two fields", note = "add a `,` here",
        fix = { with = ",", after = true } }
end

--- Fields of a table that follow a value without a comma between.
local function gaps(words)
    local open, found = {}, {}
    for i, w in ipairs(words) do
        local before, after = words[i - 1], words[i + 1]
        local is_field = w.kind == "name" and not M.KEYWORDS[w.text] and after and after.text == "="
        if is_field and open[#open] == "{" and before.text ~= "{" and ends_value(before) then
            found[#found + 1] = gap_after(before)
        end
        if w.kind ~= "string" then
            if OPENS[w.text] then open[#open + 1] = w.text
            elseif CLOSES[w.text] then open[#open] = nil end
        end
    end
    return found
end

--- How far the line of word i is indented.
local function indent(words, i)
    while words[i - 1] and words[i - 1].line == words[i].line do i = i - 1 end
    return words[i].col - 1
end

--- The `{` that indentation says was never closed: a later line closes at less than its depth,
--- or begins a new statement at its margin.
local function unclosed(words)
    local open = {}
    for i, w in ipairs(words) do
        local begins_line = not words[i - 1] or words[i - 1].line < w.line
        local top = open[#open]
        if w.text == "{" then
            open[#open + 1] = { word = w, indent = indent(words, i) }
        elseif w.text == "}" then
            if top and begins_line and #open > 1 and w.col - 1 < top.indent then return top.word end
            open[#open] = nil
        elseif top and begins_line and w.col == 1 and w.text == "local" then
            return top.word
        end
    end
    return open[#open] and open[#open].word
end

--- The `function`, `if` or `do` that indentation says was never closed: an `end` closes at less
--- than its depth, or a bracket closes around it.
local function open_block(words)
    local open = {}
    for i, w in ipairs(words) do
        local top = open[#open]
        if w.kind ~= "string" and OPENS[w.text] then
            open[#open + 1] = { word = w, indent = indent(words, i) }
        elseif w.kind ~= "string" and CLOSES[w.text] then
            local is_block = top and OPENS[top.word.text]:find "%a"
            local begins_line = not words[i - 1] or words[i - 1].line < w.line
            if is_block and (w.text ~= OPENS[top.word.text]
                or begins_line and w.col - 1 < top.indent) then
                return top.word
            end
            open[#open] = nil
        end
    end
    return open[#open] and OPENS[open[#open].word.text]:find "%a" and open[#open].word
end

--- A block without its end, where Lua's message speaks of one.
local function never_closed(words, text)
    if not (text:find "'%a+' expected" or text:find "unexpected symbol near '[%)}%]]'"
        or text:find "'<eof>' expected") then
        return nil
    end
    local word = open_block(words)
    return word and at(word, { code = "LZ007",
        text = ("this `%s` is never closed"):format(word.text),
        help = ("add an `%s`"):format(OPENS[word.text]) })
end

--- The word at which Lua stopped.
local function stopped_at(words, line, text)
    local near = text:match " near '(.*)'$"
    local found
    for i, w in ipairs(words) do
        if w.line == line and w.text == near then found = i end
    end
    return found
end

local HINTS = {
    { "^unexpected symbol near '[#/]'?", "a comment begins with --" },
    { "function arguments expected near '%.'", "a colon comes last, before what is done: "
        .. "web.errors.ratio:below" },
    { "near '%.%d", "no name has a point within; the percentiles are p50 p90 p95 p99 p999, of "
        .. "which the last is 99.9 %" },
    { "unfinished string", "close the text with the quote it began with" },
    { "unfinished long", "close it with ]]" },
    { "<eof>", "something that was begun is not finished" },
    { "'=' expected", "a statement declares something or calls something" },
    { "'then' expected near '='", "compare with ==" },
}

--- A letter that names cannot have, such as one with an accent, or a dash from a word processor.
local function foreign(words)
    for _, w in ipairs(words) do
        if w.kind == "symbol" and w.text:byte() >= 128 then
            return { code = "LZ006", line = w.line, col = w.col, marked = " ",
                text = "this letter can only stand in a text",
                help = "names are made of a to z, A to Z, 0 to 9 and _" }
        end
    end
end

--- Whether a word stands in a table, and not in a function or brackets within it.
local function is_in_table(words, i)
    local open = {}
    for k = 1, i - 1 do
        local text = words[k].kind ~= "string" and words[k].text
        if OPENS[text] then open[#open + 1] = text
        elseif CLOSES[text] then open[#open] = nil end
    end
    return open[#open] == "{"
end

--- `always: web.latency` is a method of `always` to Lua; in a table it is a field. What is called
--- is a method.
local function method_field(words, line)
    for i, w in ipairs(words) do
        local name, value, after = words[i - 1], words[i + 1], words[i + 2]
        local is_call = after and (after.kind == "string" or after.text:find "^[({]")
        if w.line == line and w.text == ":" and name and name.kind == "name" and value
            and value.kind == "name" and not is_call and M.is_entry(words, i - 1)
            and is_in_table(words, i) then
            return at(w, { code = "LZ002", text = "a field is set with `=`, not with `:`",
                help = ("write %s = %s..."):format(name.text, value.text) })
        end
    end
end

-- Of C and its kin: to Lua, `//` divides, and an assignment is nothing else.
local function other_language(words, line)
    for i, w in ipairs(words) do
        local before, after = words[i - 1], words[i + 1]
        local is_first = not before or before.line < w.line
        local is_double = w.text == "//" or w.text == "/" and after and after.text == "/"
            and after.col == w.col + 1
        if w.line <= line and is_double and w.kind == "symbol" and is_first then
            return at(w, { code = "LZ006", text = "`//` divides",
                help = "a comment begins with --" })
        end
        local is_joined = after and after.line == w.line and after.col == w.col + #w.text
            and after.text == "="
        local is_sum = w.kind == "symbol" and w.text:find "^[-+*/]$"
        if w.line == line and is_sum and is_joined and before then
            return at(w, { code = "LZ006", text = ("Lua has no `%s=`"):format(w.text),
                help = ("write %s = %s %s ..."):format(before.text, before.text, w.text) })
        end
    end
end

--- Lua calls with a text or a table without brackets, with a number never.
local function bare_number(words, i)
    local w, before, sign = words[i], words[i - 1], words[i - 2]
    if w.kind == "number" and before and before.kind == "name" and sign and sign.text == ":" then
        return at(w, { code = "LZ006", text = ("`%s` needs its number in brackets"):format(
            before.text), help = ('write :%s(%s), or as a text with its unit, such as "%sms" or '
            .. '"%s%%"'):format(before.text, w.text, w.text, w.text) })
    end
end

--- What Lua says, where nothing better is known.
local function plain(words, line, text)
    local other = other_language(words, line)
    if other then return other end
    local letter = text:find "near '<\\%d+>'" and foreign(words)
    if letter then return letter end
    local i = stopped_at(words, line, text)
    local w, before = words[i], i and words[i - 1]
    local colon = text:find "function arguments expected" and method_field(words, line)
    if colon then return colon end
    local bare = i and bare_number(words, i)
    if bare then return bare end
    local in_braces = text:find "'}' expected" ~= nil
    local is_next = in_braces and before and ends_value(before)
        and (w.kind ~= "symbol" or w.text == "{") and not M.KEYWORDS[w.text]
    if is_next and before.kind == "name" and w.kind ~= "name" then
        return at(w, { code = "LZ006",
            text = ("`%s` and its value need a `=` between"):format(before.text),
            help = ("write %s = %s"):format(before.text, w.text) })
    elseif is_next then
        return gap_after(before)
    end
    local help
    for _, hint in ipairs(HINTS) do
        if text:find(hint[1]) then help = help or hint[2] end
    end
    local d = { code = "LZ006", line = line, help = help,
        text = text:gsub("^syntax error ", ""):gsub("near <eof>", "at the end of the file") }
    return w and at(w, d) or d
end

--- A text without its end: what follows on its line cannot be told from it.
local function unfinished(words)
    for _, w in ipairs(words) do
        if w.kind == "string" and w.text:find "^[\"'].*\n$" then
            return { code = "LZ006", line = w.line, col = w.col, marked = w.text:sub(1, -2),
                text = "a text on this line is never closed",
                help = "each text ends with the quote that it begins with" }
        end
    end
end

--- Diagnostics for what the compiler said, which names the line.
---@return Diagnostic[]
function M.explain(source, message)
    local line, text = tostring(message):match "^.-:(%d+): (.*)$"
    line, text = tonumber(line) or 1, text or tostring(message)
    local words = lexer.words(source)
    local open_text = unfinished(words)
    if open_text then return { open_text } end
    local found = habits(words)
    local is_open = text:find("<eof>", 1, true) or text:find("to close '{'", 1, true)
        or text:find("near 'local'", 1, true)
    local brace = is_open and unclosed(words)
    if brace then
        found[#found + 1] = at(brace, { code = "LZ007", text = "this brace is never closed",
            help = "add a `}`" })
    else
        for _, d in ipairs(gaps(words)) do found[#found + 1] = d end
    end
    if #found > 0 then return found end
    return { not brace and never_closed(words, text) or plain(words, line, text) }
end

return M
