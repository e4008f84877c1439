--- Lua at a prompt: lines in the scenario's own words, and what they show.
---
--- A name is first one that was assigned here, then one of the scenario's top-level locals, then a
--- word of the language.
local build = require "build"
local edit = require "edit"
local handles = require "handles"
local units = require "units"

local M = {}

--- Windows of a second that a metric at the prompt looks back: LZ_PROMPT_WINDOWS.
local RECENT = 10
local SHOWN_MAX = 20

--- Words of a scenario that need time to pass, or that only a scenario's top level can say.
local REFUSED = {
    sleep = "time passes by .run: write .run to 5m",
    wait_until = "time passes by .run: write .break when MATCHER and .continue",
    drive = "type what it should do; time passes by .run",
}

--- Words that declare: the world that runs has what it has.
local DECLARES = { "scenario", "region", "zone", "cloud", "host", "service", "database", "cache",
    "broker", "topic", "consumers", "store", "consensus", "dns", "balancer", "gateway", "traffic",
    "call", "expect", "slo", "check", "param", "use", "data" }
for _, name in ipairs(DECLARES) do
    REFUSED[name] = "a world that runs has what its scenario declares: change the file"
end

local function session_of(state)
    if state.prompt then return state.prompt end
    local session = { vars = {}, out = {} }
    local env = { print = function(...)
        local parts = table.pack(...)
        for i = 1, parts.n do parts[i] = M.text(state, parts[i]) end
        session.out[#session.out + 1] = table.concat(parts, "  ")
    end }
    for name, why in pairs(REFUSED) do
        env[name] = function() error(("%s is not for the prompt: %s"):format(name, why), 2) end
    end
    session.env = setmetatable({}, {
        __index = function(_, k)
            local v = session.vars[k]
            if v ~= nil then return v end
            if env[k] ~= nil then return env[k] end
            v = state.locals[k]
            if v ~= nil then return v end
            return state.env[k]
        end,
        __newindex = function(_, k, v) session.vars[k] = v end,
    })
    state.prompt = session
    state.locals = state.locals or {}
    -- What is typed stands in no file; what a scenario's own function says does.
    local line = state.line
    state.line = function() return line() or 0 end
    return session
end

--- Without the place in the chunk, which is one line that everybody sees, and without a code.
local function sentence(message)
    local text = tostring(message):gsub("^%[string [^%]]*%]:%d+: ", "", 1)
    text = text:gsub("^prompt:%d+: ", "", 1):gsub("^lz%.[%w_]+:%d+: ", "", 1)
    return (text:gsub("^LZ%d+: ", "", 1))
end

-- ---------------------------------------------------------------- values

--- What a line of a declaration-like word left behind instead of raising: the prompt says it.
local function take_diagnostic(state, before)
    local list = state.diag.list
    if #list <= before then return nil end
    local d = list[before + 1]
    for i = #list, before + 1, -1 do list[i] = nil end
    return d.text .. (d.help and "\n  = help: " .. d.help or "")
end

local function metric_value(state, m)
    local id = build.metric(state.C, m)
    if not id or id == 0 then return m.text .. " is not measured" end
    local text, count = state.C.recent(id)
    if not text then return ("no sample in the last %ds"):format(RECENT) end
    return ("%s      (last %ds)"):format(text, RECENT), count
end

local MARKS = { up = "●", paused = "◌", dead = "✗", lost = "✗", starting = "○", stopping = "○" }

--- Replicas by zone: `a ●● b ●`, in the order of their zones.
local function by_zone(list)
    local zones, order = {}, {}
    for _, i in ipairs(list) do
        if not zones[i.zone] then zones[i.zone] = {}; order[#order + 1] = i.zone end
        local mark = i.leads and i.state == "up" and "★" or MARKS[i.state]
        table.insert(zones[i.zone], mark)
    end
    table.sort(order)
    local parts = {}
    for _, zone in ipairs(order) do
        local marks = #zones[zone] > SHOWN_MAX and #zones[zone] .. " replicas"
            or table.concat(zones[zone])
        parts[#parts + 1] = (zone ~= "" and zone .. " " or "") .. marks
    end
    return table.concat(parts, "  ")
end

--- The metrics that a person asks a component for first, as far as it has them.
local FIRST = { { "rate", "rate" }, { "p50", "latency.p50" }, { "p99", "latency.p99" },
    { "errors", "errors.ratio" }, { "hits", "hit_ratio" }, { "cpu", "cpu" },
    { "queue", "queue.length" }, { "connections", "connections" }, { "lag", "lag.time" },
    { "in flight", "in_flight" } }

local function component(state, facts)
    local C = state.C
    local lines, list = {}, C.instances(facts.id)
    local up = 0
    for _, i in ipairs(list) do if i.state == "up" then up = up + 1 end end
    local head = facts.text
    if facts.kind ~= "traffic" and #list > 0 then
        head = ("%s   %d of %d up   %s"):format(head, up, #list, by_zone(list))
    end
    lines[1] = head
    local values = {}
    for _, row in ipairs(FIRST) do
        if state.metrics[facts.kind] and state.metrics[facts.kind][row[2]] then
            local id = C.metric(facts.id, row[2])
            local text = id and id ~= 0 and C.recent(id)
            if text then values[#values + 1] = row[1] .. " " .. text end
        end
    end
    if #values > 0 then lines[2] = "  " .. table.concat(values, "   ") end
    return table.concat(lines, "\n")
end

local table_text

--- A value as a person would want it.
function M.text(state, v, depth)
    local h = handles.of(v)
    if h and h.kind == "metric" then return (metric_value(state, h)) end
    if h and h.id and state.metrics[h.kind] and h.fields then return component(state, h) end
    if h then return handles.describe(v) end
    if type(v) == "string" then return depth and units.show(v) or v end
    if type(v) == "table" and not getmetatable(v) then return table_text(state, v, depth or 0) end
    if math.type(v) == "float" then return ("%.6g"):format(v) end
    return state.tostring(v)
end

local function sorted(t)
    local keys = {}
    for k in pairs(t) do keys[#keys + 1] = k end
    table.sort(keys, function(a, b)
        if math.type(a) and math.type(b) then return a < b end
        if math.type(a) or math.type(b) then return math.type(a) ~= nil end
        return tostring(a) < tostring(b)
    end)
    return keys
end

function table_text(state, t, depth)
    if depth > 2 then return "{ ... }" end
    local parts, keys = {}, sorted(t)
    for i, k in ipairs(keys) do
        if i > SHOWN_MAX then
            parts[#parts + 1] = ("... %d more"):format(#keys - SHOWN_MAX)
            break
        end
        local name = k == i and "" or (type(k) == "string" and k or "[" .. tostring(k) .. "]")
            .. " = "
        parts[#parts + 1] = name .. (M.text(state, t[k], depth + 1):gsub("\n.*", ""))
    end
    if #parts == 0 then return "{}" end
    return "{ " .. table.concat(parts, ", ") .. " }"
end

-- ---------------------------------------------------------------- lines

local function compile(state, env, text)
    local chunk, as_value = state.C.compile("return " .. text, "=prompt", env)
    if chunk then return chunk end
    local message
    chunk, message = state.C.compile(text, "=prompt", env)
    -- An expression that goes on in the next line is no statement at all.
    if not chunk and as_value:find "<eof>" then message = as_value end
    return chunk, message
end

--- "ok", what to show | "incomplete" | "wrong", why
function M.eval(state, text)
    local session = session_of(state)
    local chunk, message = compile(state, session.env, text)
    if not chunk then
        if message:find "<eof>" then return "incomplete" end
        return "wrong", sentence(message)
    end
    session.out = {}
    local before = #state.diag.list
    local results = table.pack(pcall(chunk))
    local complaint = take_diagnostic(state, before)
    if not results[1] then return "wrong", sentence(results[2]) end
    if complaint then return "wrong", complaint end
    for i = 2, results.n do
        session.out[#session.out + 1] = M.text(state, results[i])
    end
    if results.n >= 2 and results[2] ~= nil then
        session.vars._1, session.vars._ = session.vars._, results[2]
    end
    return "ok", table.concat(session.out, "\n")
end

local function value_of(state, text, kinds, what)
    local session = session_of(state)
    local chunk, message = state.C.compile("return " .. text, "=prompt", session.env)
    if not chunk then error(sentence(message), 0) end
    local before = #state.diag.list
    local ok, v = pcall(chunk)
    local complaint = take_diagnostic(state, before)
    if not ok then error(sentence(v), 0) end
    if complaint then error(complaint, 0) end
    local h = handles.of(v)
    if not h or not kinds[h.kind] then
        error(("expected %s, got %s"):format(what, handles.describe(v)), 0)
    end
    return h
end

function M.matcher(state, text)
    local h = value_of(state, text, { matcher = true },
        'a condition such as web.errors.ratio:above "1%"')
    local m = build.matcher(state, state.C, h)
    if not m then error("that metric is not measured", 0) end
    return m
end

function M.metric(state, text)
    local h = value_of(state, text, { metric = true }, "a metric such as web.latency.p99")
    local id = build.metric(state.C, h)
    if not id or id == 0 then error(h.text .. " is not measured", 0) end
    return id
end

--- The scenario's text with a field changed; nothing if the line does not mean that.
function M.edit(state, text)
    session_of(state)
    local source, why = edit.line(state, text)
    if why then error(why, 0) end
    return source
end

function M.duration(_, text)
    local ns, _, why, help = units.duration(text)
    if not ns then error(why .. (help and "\n  = help: " .. help or ""), 0) end
    return ns
end

-- ---------------------------------------------------------------- completion

local function names_in(state)
    local session = session_of(state)
    local names = {}
    for k in pairs(session.vars) do names[k] = true end
    for k in pairs(state.locals) do names[k] = true end
    for k in pairs(state.words or {}) do names[k] = true end
    for _, k in ipairs { "fault", "link", "dist", "shape", "now", "log", "mark", "print", "pairs",
        "ipairs", "math", "string", "table" } do names[k] = true end
    return names
end

--- The parts after the last dot of a component or metric.
local function parts_of(state, whole)
    local session = session_of(state)
    if whole == "fault" then
        local names = {}
        for name in pairs(state.fault_kinds) do names[name] = true end
        return names
    end
    local first, rest = whole:match "^([%a_][%w_]*)%.?(.*)$"
    local h = first and handles.of(session.vars[first] or state.locals[first])
    if not h or not state.metrics[h.kind] then return {} end
    local names, prefix = {}, rest ~= "" and rest .. "." or ""
    for name in pairs(state.metrics[h.kind]) do
        if name:sub(1, #prefix) == prefix then
            names[name:sub(#prefix + 1):match "^[%w_]+"] = true
        end
    end
    return names
end

function M.complete(state, text)
    local word = text:match "[%w_%.]*$"
    local before, last = word:match "^(.*)%.([%w_]*)$"
    local names = before and parts_of(state, before) or names_in(state)
    local start = before and before .. "." or ""
    local found = {}
    for name in pairs(names) do
        if type(name) == "string" and name:sub(1, #(last or word)) == (last or word) then
            found[#found + 1] = text:sub(1, #text - #word) .. start .. name
        end
    end
    table.sort(found)
    return table.concat(found, "\n")
end

return M
