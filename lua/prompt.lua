--- Lua at a prompt: lines in the scenario's own words (prompt_show.lua has what they show).
---
--- A name is first one that was assigned here, then one of the scenario's top-level locals, then a
--- word of the language.
local build = require "build"
local docs = require "docs"
local edit = require "edit"
local handles = require "handles"
local node = require "build_node"
local schema = require "schema"
local show = require "prompt_show"
local top = require "prompt_top"
local units = require "units"

local M = {}

--- Words of a scenario that need time to pass, or that only a scenario's top level can say.
local REFUSED = {
    sleep = "time passes by .run: write .run to 5m",
    wait_until = "time passes by .run: write .break when MATCHER and .continue",
    drive = "type what it should do; time passes by .run",
}

--- Words that declare: the world that runs has what it has.
local DECLARES = { "scenario", "region", "zone", "cloud", "host", "service", "database", "cache",
    "broker", "topic", "consumers", "store", "consensus", "dns", "balancer", "gateway", "traffic",
    "process", "endpoint", "probe", "prometheus", "alert", "rule", "monitoring", "call", "expect",
    "slo", "check", "param", "use", "data" }
for _, name in ipairs(DECLARES) do
    REFUSED[name] = "a world that runs has what its scenario declares: change the file"
end

local function session_of(state)
    if state.prompt then return state.prompt end
    local session = { vars = {}, out = {} }
    local env = { print = function(...)
        local parts = table.pack(...)
        for i = 1, parts.n do parts[i] = show.text(state, parts[i]) end
        session.out[#session.out + 1] = table.concat(parts, "  ")
    end }
    for name, why in pairs(REFUSED) do
        env[name] = function() error(("%s is not for the prompt: %s"):format(name, why), 2) end
    end
    env.top = show.top(state)
    state.width, state.ascii = state.width or 80, state.ascii or false
    session.own = env
    session.env = setmetatable({}, {
        __index = function(_, k)
            local v = session.vars[k]
            if v ~= nil then return v end
            if k == "requests" and state.locals[k] == nil then return show.requests(state) end
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
    text = text:gsub("^prompt:%d+: ", "", 1):gsub("^%?:%-1: ", "", 1)
    text = text:gsub("^lz%.[%w_]+:%d+: ", "", 1)
    return (text:gsub("^LZ%d+: ", "", 1))
end

--- What a line of a declaration-like word left behind instead of raising: the prompt says it.
local function take_diagnostic(state, before)
    local list = state.diag.list
    if #list <= before then return nil end
    local d = list[before + 1]
    for i = #list, before + 1, -1 do list[i] = nil end
    return d.text .. (d.help and "\n  = help: " .. d.help or "")
end

-- ---------------------------------------------------------------- lines

local function compile(state, env, text)
    local chunk, as_value = state.C.compile("return " .. text, "=prompt", env)
    if chunk then return chunk end
    local message
    chunk, message = state.C.compile(text, "=prompt", env)
    -- An expression that goes on in the next line is no statement at all.
    if not chunk and as_value:find "near '?<eof>" then message = as_value end
    return chunk, message
end

--- "ok", what to show | "incomplete" | "wrong", why
function M.eval(state, text)
    local session = session_of(state)
    local chunk, message = compile(state, session.env, text)
    if not chunk then
        if message:find "near '?<eof>" then return "incomplete" end
        return "wrong", sentence(message)
    end
    session.out = {}
    local before = #state.diag.list
    state.is_prompting = true
    local results = table.pack(pcall(chunk))
    state.is_prompting = false
    local complaint = take_diagnostic(state, before)
    if not results[1] then return "wrong", sentence(results[2]) end
    if complaint then return "wrong", complaint end
    for i = 2, results.n do
        session.out[#session.out + 1] = show.text(state, results[i])
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
    state.is_prompting = true
    local ok, v = pcall(chunk)
    state.is_prompting = false
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
    local m, why = build.matcher(state, state.C, h)
    if not m then error(why or "that metric is not measured", 0) end
    return m
end

function M.metric(state, text)
    local h = value_of(state, text, { metric = true }, "a metric such as web.latency.p99")
    local id = build.metric(state.C, h)
    if not id or id == 0 then error(h.text .. " is not measured" .. node.why_not(h, true), 0) end
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
        "ipairs", "math", "string", "table", "requests", "top" } do names[k] = true end
    return names
end

--- Where `{` of the block that `text` ends in stands, if it ends in one: what is before it.
local function block_before(text)
    local depth = 0
    for i = #text, 1, -1 do
        local c = text:sub(i, i)
        if c == "}" then depth = depth + 1 end
        if c == "{" then
            if depth == 0 then return text:sub(1, i - 1) end
            depth = depth - 1
        end
    end
    return nil
end

--- The parameters of a fault that is being typed; nil if none is.
local function params_in(state, text)
    local name = (block_before(text) or ""):match "fault%.([%w_]+)%s*$"
    local kind = name and state.fault_kinds[name]
    if not kind then return nil end
    local names = {}
    for _, f in ipairs(docs.fault_params(kind)) do names[f[1]] = true end
    for _, common in ipairs { "at", "lasting", "every", "pick", "ramp" } do names[common] = true end
    return names
end

--- Fields of a kind of component below a path: `failover.` has detect, promote, ...
local function add_fields(names, kind, rest)
    local fields = schema[kind]
    for part in rest:gmatch "[^%.]+" do
        local inner
        for _, f in ipairs(fields or {}) do if f[1] == part then inner = f.fields end end
        fields = inner
    end
    for _, f in ipairs(fields or {}) do names[f[1]] = true end
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
        if name:sub(1, #prefix) == prefix and not name:find "^failed%." then
            names[name:sub(#prefix + 1):match "^[%w_]+"] = true
        end
    end
    if rest == "" then
        for name in pairs(handles.parts(h.kind)) do names[name] = true end
    end
    add_fields(names, h.kind, rest)
    return names
end

function M.complete(state, text)
    local word = text:match "[%w_%.]*$"
    local before, last = word:match "^(.*)%.([%w_]*)$"
    local names = before and parts_of(state, before) or params_in(state, text)
        or names_in(state)
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

-- ---------------------------------------------------------------- screens and topics

--- `.top` as text.
function M.top(state)
    session_of(state)
    return top(state)
end

--- Words that are the prompt's own: what ?NAME says of them.
local OWN = {
    requests = [[
requests

  The requests whose way was kept: the slowest and the failed ones up to a bound,
  and a sample. A row has traffic, ordinal, at, latency, outcome, status,
  attempts, kept_as, its phases connect, queue, work, network and retry_wait in
  seconds, and spans, one for each attempt of a call.

Example

    for _, r in ipairs(top(requests, 3, "latency")) do print(r) end]],
    top = [[
top(list, n, by)

  The n rows of a list that are greatest by a field or a function of a row; n is 10
  and the field `latency` unless they are given.

Example

    top(requests, 5, "queue")]],
    _ = "_\n\n  The last value that was shown; _1 is the one before.",
    print = "print(...)\n\n  Values as a line that is only an expression would show them.",
}
OWN._1 = OWN._

--- The text of a page, or topics to look up in turn: "=" and the page, or one topic a line.
function M.topic(state, text)
    local session = session_of(state)
    if OWN[text] then return "=" .. OWN[text] end
    local first, rest = text:match "^([%a_][%w_]*)%.?(.*)$"
    if not first then return nil end
    local v = session.vars[first]
    if v == nil then v = (state.locals or {})[first] end
    local h = handles.of(v)
    if not h then return nil end
    local topics = { ("%s is %s"):format(first, h.text or h.name or h.kind) }
    if rest == "" then
        topics[2] = h.kind
        return table.concat(topics, "\n")
    end
    rest = rest:gsub("%[%d+%]", "")
    topics[1] = topics[1] .. "; " .. rest .. " is of a " .. h.kind
    topics[#topics + 1] = h.kind .. "." .. rest
    topics[#topics + 1] = rest
    while rest:find "%." do -- a field's own name is documented, wherever it stands
        rest = rest:match "^[^%.]+%.(.*)$"
        topics[#topics + 1] = rest
    end
    return table.concat(topics, "\n")
end

return M
