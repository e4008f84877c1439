--- The private Lua half: what C calls. One state is one scenario file, loaded for one case.
local actions = require "actions"
local build = require "build"
local diag = require "diag"
local schema = require "schema"
local syntax = require "syntax"
local vocab = require "vocab"

local M = {}

local function new_plan()
    return { regions = {}, hosts = {}, components = {}, links = {}, faults = {},
             expectations = {}, params = {}, drives = {}, not_yet = {} }
end

--- Metrics that are known but not measured yet, beside C's. A version has its service's.
local function add_metrics(metrics)
    for kind, list in pairs(schema.metrics_later) do
        metrics[kind] = metrics[kind] or {}
        for name, info in pairs(list) do metrics[kind][name] = metrics[kind][name] or info end
    end
    for name, info in pairs(metrics.service) do metrics.version[name] = info end
end

--- The line of the scenario that is being run, for messages.
local function line_finder(chunk_name)
    return function()
        for level = 2, 40 do
            local info = debug.getinfo(level, "Sl")
            if not info then return nil end
            if info.source == chunk_name then return info.currentline end
        end
        return nil
    end
end

local function sorted_keys(t)
    local names = {}
    for k in pairs(t) do names[#names + 1] = k end
    table.sort(names)
    return names
end

local function unknown_name(state, names, k)
    local name = tostring(k)
    local near = diag.nearest(name, state.locals()) or diag.nearest(name, names)
    return state.diag.add { code = "LZ108", line = state.line(), word = name,
        text = ("nothing is called `%s`"):format(name),
        help = near and ("a similar name exists: `%s`"):format(near)
            or "a variable is made with `local`" }
end

--- The environment: names that are not there give one message, and the top level goes on.
local function guard(state, env)
    local names = sorted_keys(env)
    -- A table that stays empty before the one with the names: every assignment is seen, and a
    -- name that is there is found without a call.
    return setmetatable({}, {
        __metatable = "environment",
        __index = setmetatable(env, { __index = function(_, k)
            local reason = state.refused[k]
            if reason then
                error(("LZ501: `%s` is not available in a scenario: %s"):format(k, reason), 2)
            end
            return unknown_name(state, names, k)
        end }),
        __newindex = function(_, k)
            state.diag.add { code = "LZ109", line = state.line(), word = tostring(k),
                text = ("`%s` is a global: other files could change it"):format(tostring(k)),
                help = ("write local %s = ..."):format(tostring(k)) }
            env[k] = diag.POISON
        end,
    })
end

--- The names of the scenario's own locals, from its source.
local function local_names(source)
    return function()
        local names = {}
        for list in source:gmatch "local%s+([%a_][%w_,%s]*)=" do
            for name in list:gmatch "[%a_][%w_]*" do names[#names + 1] = name end
        end
        return names
    end
end

local function check_bodies(state)
    for _, p in ipairs(state.pending) do
        if not p.done then
            state.diag.add { code = "LZ110", line = p.line, word = ('"%s"'):format(p.name),
                text = ('%s "%s" has no body'):format(p.kind, p.name),
                help = ('write %s "%s" { ... }'):format(p.kind, p.name) }
        end
    end
end

local function check_pins(state)
    local names = {}
    for _, p in ipairs(state.plan.params) do names[#names + 1] = p.name end
    table.sort(names)
    for _, name in ipairs(sorted_keys(state.pins)) do
        if not state.used_pins[name] then
            state.diag.add { code = "LZ113", line = state.plan.scenario.line,
                text = ('there is no param "%s" to set'):format(name),
                help = #names > 0 and "its params are " .. table.concat(names, " ")
                    or "the scenario has no params" }
        end
    end
end

local function check_whole(state)
    check_bodies(state)
    if #state.diag.list > 0 then return end
    if not state.plan.scenario then
        state.diag.add { code = "LZ116", line = 1, text = "the file declares no scenario",
            help = 'begin it with scenario "what must hold" { duration = "10m" }' }
        return
    end
    check_pins(state)
end

--- A raised error, as a diagnostic.
local function script_error(state, message, where)
    local text = tostring(message)
    local line, rest = text:match "^[^\n]-:(%d+): (.*)$"
    rest = rest or text
    local code = rest:match "^(LZ%d+): "
    state.diag.add { code = code or "LZ502", line = tonumber(line), help = where,
        text = (rest:gsub("^LZ%d+: ", "")) }
end

---@param opts { source: string, path: string, pins: table<string, string>, C: table, base: table,
---             refused: table<string, string>, fault_kinds: table, metrics: table }
function M.load(opts)
    local chunk_name = "@" .. opts.path
    local state = {
        C = opts.C, pins = opts.pins, used_pins = {}, refused = opts.refused, running = false,
        fault_kinds = opts.fault_kinds, metrics = opts.metrics, plan = new_plan(), names = {},
        pending = {}, edges = {}, flights = {},
        diag = diag.new(opts.path, opts.source),
        line = line_finder(chunk_name),
        locals = local_names(opts.source),
    }
    state.metrics.amplification = {}
    add_metrics(state.metrics)
    state.not_yet = function(line, what, word, path)
        local list = state.plan.not_yet
        list[#list + 1] = { line = line, what = what, word = word, path = path }
    end
    actions.install(state)
    local env = guard(state, vocab.environment(state, opts.base))
    local chunk, message = opts.C.compile(opts.source, chunk_name, env)
    if chunk then
        state.chunk = chunk
    else
        state.diag.add(syntax.explain(opts.source, message))
    end
    return state
end

--- After the chunk has run, in whatever way it ended.
function M.loaded(state, ok, message)
    if ok then
        check_whole(state)
    else
        script_error(state, message) -- what was begun then is not worth a word
    end
end

M.script_error = script_error
M.render = function(state, colour) return diag.render(state.diag, colour) end
M.build = build.world

--- Whether all that is declared can be run by this version.
function M.is_runnable(state) return #state.plan.not_yet == 0 end
M.server = actions.server

--- Facts for C.
function M.summary(state)
    local s = state.plan.scenario
    local f = s.fields
    return { name = s.name, about = f.about, tags = f.tags or {}, duration = f.duration,
             warmup = f.warmup or 0 }
end

local function is_among(value, wanted)
    for _, w in ipairs(type(wanted) == "table" and wanted or { wanted }) do
        if value == w or tostring(value) == tostring(w) then return true end
    end
    return false
end

local function is_xfail(state, values)
    local wanted = state.plan.scenario.fields.xfail
    if not wanted or next(wanted) == nil then return false end
    for name, list in pairs(wanted) do
        if not is_among(values[name], list) then return false end
    end
    return true
end

local function extend(case, param, i)
    local new = { names = { table.unpack(case.names) }, texts = { table.unpack(case.texts) },
                  values = {} }
    for k, v in pairs(case.values) do new.values[k] = v end
    new.names[#new.names + 1] = param.name
    new.texts[#new.texts + 1] = param.texts[i]
    new.values[param.name] = param.items[i]
    return new
end

--- The matrix of cases, the last param fastest.
function M.cases(state)
    local cases = { { names = {}, texts = {}, values = {} } }
    for _, p in ipairs(state.plan.params) do
        local wider = {}
        for _, c in ipairs(cases) do
            for i = 1, #p.items do wider[#wider + 1] = extend(c, p, i) end
        end
        cases = wider
    end
    for _, c in ipairs(cases) do c.xfail = is_xfail(state, c.values) end
    return cases
end

return M
