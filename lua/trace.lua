--- Where a script went wrong: the line of the user's own file, and the values it used there.
local diag = require "diag"
local handles = require "handles"
local lexer = require "lexer"
local places = require "places"
local units = require "units"

local M = {}

local LEVELS_MAX = 60
local TEXT_MAX, ITEMS_MAX = 40, 6

--- The innermost frame that runs one of the user's files, and the scenario's line below it;
--- `info(level)` is debug.getinfo's answer. A message that begins with the place of another of
--- these frames, as that of error("...", 2) does, is about that one; or about a line of the file
--- whose frame is gone, of what was caught and raised again, as within a transaction.
local function frame_of(state, info, message)
    local inner, outer
    for level = 0, LEVELS_MAX do
        local i = info(level)
        if not i then break end
        local file = state.files.by_chunk[i.source]
        local prefix = file and message and ("%s:%d: "):format(i.short_src, i.currentline)
        local is_meant = prefix and message:sub(1, #prefix) == prefix
        if file and (not inner or is_meant and not inner.prefix) then
            inner = { level = level, file = file, line = i.currentline, src = i.short_src .. ":",
                prefix = is_meant and prefix or nil }
        end
        if file == 1 then
            outer = i.currentline
            break
        end
    end
    if inner and message and not inner.prefix and message:sub(1, #inner.src) == inner.src then
        local line = message:match("^(%d+): ", #inner.src + 1)
        if line then
            inner.line, inner.prefix = math.tointeger(line), ("%s%s: "):format(inner.src, line)
        end
    end
    if inner then inner.place = state.files.here(inner.file, inner.line, outer) end
    return inner
end

--- The place that is being run, for messages; nil if none of the user's files is.
function M.here(state)
    local file, line, outer = state.C.where(state.files.by_chunk)
    return file and state.files.here(file, line, outer)
end

--- Whether a pcall of the scenario's would catch an error now: it asks whether something works.
function M.is_caught(state)
    for level = 3, LEVELS_MAX do
        local i = debug.getinfo(level, "f")
        if not i then return false end
        if i.func == state.pcall then return true end
    end
    return false
end

local show

local function show_table(t, depth)
    local parts, n = {}, 0
    for i, v in ipairs(t) do
        n = i
        if i > ITEMS_MAX then break end
        parts[i] = show(v, depth + 1)
    end
    local names = {}
    for k in next, t do
        if type(k) == "string" then names[#names + 1] = k end
    end
    table.sort(names)
    for _, k in ipairs(names) do
        if #parts >= ITEMS_MAX then break end
        parts[#parts + 1] = ("%s = %s"):format(k, show(t[k], depth + 1))
    end
    local is_more = n > ITEMS_MAX or #names + math.min(n, ITEMS_MAX) > #parts
    if #parts == 0 then return "{}" end
    return "{ " .. table.concat(parts, ", ") .. (is_more and ", ..." or "") .. " }"
end

--- A value in a word or two; never an address, never code of the scenario's.
function show(v, depth)
    if type(v) == "string" then
        return ("%q"):format(#v > TEXT_MAX and v:sub(1, TEXT_MAX) .. "..." or v):gsub("\\\n", "\\n")
    elseif type(v) == "table" then
        if handles.of(v) then return handles.describe(v) end
        if getmetatable(v) == "duration" then return units.duration_text(v.ns) end
        if getmetatable(v) ~= nil then return units.kind_of(v) end
        return depth < 2 and show_table(v, depth) or "{ ... }"
    elseif type(v) == "function" then
        return "a function"
    end
    return v == nil and "nil" or units.show(v)
end

--- The variables of a frame, by name; what is inside hides what is outside.
local function variables(thread, level)
    local found = {}
    local func = debug.getinfo(thread, level, "f").func
    for i = 1, 255 do
        local name, value = debug.getupvalue(func, i)
        if not name then break end
        found[name] = { value }
    end
    for i = 1, 255 do
        local name, value = debug.getlocal(thread, level, i)
        if not name then break end
        found[name] = { value }
    end
    found._ENV = nil
    return found
end

--- The names of variables on a line, in its order, without fields and methods.
local function names_on(words, line)
    local names, seen = {}, {}
    for i, w in ipairs(words) do
        local before, after = words[i - 1], words[i + 1]
        local is_field = before and (before.text == "." or before.text == ":")
            or after and after.text == "=" and before and before.text:find "^[{,]$"
        if w.line == line and w.kind == "name" and not is_field and not seen[w.text] then
            seen[w.text] = true
            names[#names + 1] = w.text
        end
    end
    return names
end

--- What is known of a coroutine that an error ended: the place, and the values of the line's
--- variables.
---@return table? frame  { place, file, line, values: string[], is_poisoned }
function M.capture(state, thread, message)
    local frame = frame_of(state, function(level) return debug.getinfo(thread, level, "Sl") end,
        message)
    if not frame then return nil end
    local file = state.files.files[frame.file]
    local found = variables(thread, frame.level)
    frame.values = {}
    for _, name in ipairs(names_on(places.words(file), frame.line)) do
        local v = found[name]
        if v and v[1] == diag.POISON then frame.is_poisoned = true
        elseif v and name ~= "_" then
            frame.values[#frame.values + 1] = ("%s = %s"):format(name, (show(v[1], 0)))
        end
    end
    return frame
end

--- `rates[i]` on a line, if there is one such thing.
local function indexed(words, line)
    local found
    for i, w in ipairs(words) do
        local open, key, close = words[i + 1], words[i + 2], words[i + 3]
        if w.line == line and w.kind == "name" and close and open.text == "["
            and close.text == "]" then
            if found then return nil end
            found = { word = w, text = w.text .. "[" .. key.text .. "]" }
        end
    end
    return found
end

--- Lua's message about a variable: which word it is about, and the message in its words.
function M.subject(file, line, text)
    local words = places.words(file)
    local name = text:match "%(%a+ '([%w_]+)'%)"
    if name then
        local w = lexer.find(words, line, name)
        if w and w.line == line then return text, w.col, w.text end
    elseif text:find("(field '?')", 1, true) then
        local found = indexed(words, line)
        if found then
            return text:gsub("%(field '%?'%)", function() return ("(`%s`)"):format(found.text) end),
                found.word.col, found.text
        end
    end
    return text, nil, nil
end

return M
