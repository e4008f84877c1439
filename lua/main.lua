--- The private Lua half: what C calls. One state is one scenario file, loaded for one case.
local actions = require "actions"
local build = require "build"
local build_live = require "build_live"
local diag = require "diag"
local chaos = require "chaos"
local faults = require "faults"
local fields = require "fields"
local handles = require "handles"
local lints = require "lints"
local places = require "places"
local schema = require "schema"
local sql = require "sql"
local syntax = require "syntax"
local trace = require "trace"
local units = require "units"
local vocab = require "vocab"

local M = {}

local function new_plan()
    return { regions = {}, hosts = {}, components = {}, links = {}, faults = {}, chaos = {},
             drawn = {},
             expectations = {}, params = {}, drives = {}, not_yet = {}, monitorings = {} }
end

local function sorted_keys(t)
    local names = {}
    for k in pairs(t) do names[#names + 1] = k end
    table.sort(names)
    return names
end

-- What other languages call these.
local ELSEWHERE = { null = "nil", None = "nil", undefined = "nil", True = "true", False = "false" }

--- `400/s` without quotes is arithmetic with an unknown `s`.
local function as_quantity(state, line, name)
    local file, n = state.files.get(line)
    local text = places.text(file, n) or ""
    local col, number = text:match("()%f[%w](%d[%w%.]*)/" .. name .. "%f[^%w_]")
    if not number then return nil end
    local quantity = ("%s/%s"):format(number, name)
    return { code = "LZ001", line = line, col = col, marked = quantity,
        text = ("`%s` needs quotes"):format(quantity), help = ('write "%s"'):format(quantity),
        fix = { with = ('"%s"'):format(quantity), len = #quantity } }
end

--- The names of a file's own locals, from its source.
local function local_names(source)
    local names = {}
    source = source:sub(1, 100000) -- enough for a scenario; a pattern has no budget
    for list in source:gmatch "local%s+([%a_][%w_,%s]*)=" do
        for name in list:gmatch "[%a_][%w_]*" do names[#names + 1] = name end
    end
    for name in source:gmatch "local%s+function%s+([%a_][%w_]*)" do names[#names + 1] = name end
    return names
end

local function unknown_name(state, names, k)
    local name, line = units.key(k), state.line()
    local quantity = name:find "^[%a_]+$" and line and as_quantity(state, line, name)
    if quantity then return state.diag.add(quantity) end
    local near, is_certain = diag.nearest(name, local_names(state.files.get(line).source))
    if not near then near, is_certain = diag.nearest(name, names) end
    local elsewhere = ELSEWHERE[name]
    if elsewhere then near = elsewhere end
    local is_toxic = name == "toxic" or name == "toxics"
    if is_toxic then near, is_certain = nil, false end
    local ours = not near and require "tools".word(name)
    return state.diag.add { code = "LZ108", line = line, word = name,
        text = ("nothing is called `%s`"):format(name),
        help = elsewhere and ("Lua writes `%s`"):format(elsewhere)
            or is_toxic and "a toxic is a fault of a link here: "
                .. 'fault.latency { link(a, b), add = "100ms" }; see lorenz explain toxiproxy'
            or near and ("a similar name exists: `%s`"):format(near)
            or ours and ("other tools' `%s` is %s here; a variable is made with `local`")
                :format(name, ours)
            or "a variable is made with `local`",
        fix = near and (elsewhere or is_certain and #name > 2) and { with = near } or nil }
end

--- A name of Lua's that a scenario does not have.
local function refused_name(state, name)
    local reason, help = state.refused[name]:match "^(.-); (.*)$"
    local text = ("`%s` is not available in a scenario: %s"):format(name,
        reason or state.refused[name])
    if state.running or trace.is_caught(state) then error(("LZ501: %s"):format(text), 3) end
    return state.diag.add { code = "LZ501", line = state.line(), word = name, text = text,
        help = help }
end

--- Whether a file assigns this name once, at the margin: then `local` there is what is meant.
local function is_only_assignment(state, name)
    if type(name) ~= "string" or not name:find "^[%a_][%w_]*$" then return false end
    local source = "\n" .. state.files.get(state.line()).source
    local _, count = source:gsub("%f[%w_]" .. name .. "%s*=%f[^=]", "")
    return count == 1 and source:find("\n" .. name .. "%s*=%f[^=]") ~= nil
end

--- The environment: names that are not there give one message, and the top level goes on.
local function guard(state, env)
    local names = sorted_keys(env)
    -- A table that stays empty before the one with the names: every assignment is seen, and a
    -- name that is there is found without a call.
    return setmetatable({}, {
        __metatable = "environment",
        __index = setmetatable(env, { __index = function(_, k)
            if state.refused[k] then return refused_name(state, k) end
            if state.running then
                error(("LZ108: nothing is called `%s`"):format(units.key(k)), 2)
            end
            return unknown_name(state, names, k)
        end }),
        __newindex = function(_, k)
            if state.running then
                error(("LZ109: `%s` is a global: write local %s = ..."):format(units.key(k),
                    units.key(k)), 2)
            end
            state.diag.add { code = "LZ109", line = state.line(), word = units.key(k),
                text = ("`%s` is a global: other files could change it"):format(units.key(k)),
                help = type(k) == "string" and k:find "^[%a_][%w_]*$"
                    and ("write local %s = ..."):format(units.key(k)) or nil,
                fix = is_only_assignment(state, k) and { with = "local ", before = true } or nil }
            env[k] = diag.POISON
        end,
    })
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
    faults.check_whole(state)
    chaos.check_whole(state)
    check_pins(state)
    if #state.diag.list == 0 then sql.check_whole(state) end
end

--- Lua's message without the place it begins with, and the code it may carry.
local function split_message(message, frame)
    local text = tostring(message):gsub("^lz%.[%w_]+:%d+: ", "", 1)
    if frame and frame.prefix and text:sub(1, #frame.prefix) == frame.prefix then
        text = text:sub(#frame.prefix + 1)
    end
    local code, after = text:match "^(LZ%d+): (.*)$"
    return code, after or text
end

--- A raised error, as a diagnostic: `thread` is the coroutine that it ended, `where` says when and
--- in what part of the system.
local function script_error(state, message, where, thread)
    local frame = thread and trace.capture(state, thread, tostring(message))
    local code, text = split_message(message, frame)
    if frame and frame.is_poisoned and #state.diag.list > 0 then return end -- follows from those
    local d = { code = code or "LZ502", text = text, notes = {} }
    if text:find("stack overflow", 1, true) then
        d.code = "LZ510"
        d.text = "the stack is full: a function calls itself without end"
        d.help = "functions may be called 200 000 deep"
    elseif frame and not code then
        d.text, d.col, d.marked = trace.subject(state.files.files[frame.file], frame.line, text)
    end
    d.line = frame and frame.place
    if frame and #frame.values > 0 and d.code ~= "LZ510" then
        d.notes[1] = "here " .. table.concat(frame.values, ", ")
    end
    if where then d.notes[#d.notes + 1] = where end
    state.diag.add(d)
end

--- A source file as a chunk in the sandbox, or nil and the diagnostics.
local function compile(state, file)
    local chunk, message = state.C.compile(file.source, file.chunk, state.env)
    if chunk then return chunk end
    if file.source:find("^\27") then message = "binary code is not read" end
    for _, d in ipairs(syntax.explain(file.source, message)) do
        local index = state.files.by_chunk[file.chunk]
        d.line = state.files.here(index, d.line, file.outer)
        state.diag.add(d)
    end
end

--- What is the same for every scenario: the state, its words. Nothing here may depend on a
--- scenario or an option: universes are copied from here on.
---@param world { C: table, base: table, refused: table<string, string>, fault_kinds: table,
---              metrics: table }
function M.prepare(world)
    local state = {
        C = world.C, used_pins = {}, refused = world.refused, running = false,
        fault_kinds = world.fault_kinds, metrics = world.metrics, plan = new_plan(), names = {},
        pending = {}, edges = {}, of_records = {},
        transactions = {}, flights = {}, version_names = {}, pcall = world.base.pcall,
        tostring = world.base.tostring,
    }
    state.line = function() return trace.here(state) end
    schema.add_metrics(state.metrics)
    state.metrics.amplification = {}
    state.metric_heads = handles.metric_heads(state.metrics)
    fields.prepare()
    state.not_yet = function(line, what, word, path)
        local list = state.plan.not_yet
        list[#list + 1] = { line = line, what = what, word = word, path = path }
    end
    actions.install(state)
    local names = vocab.environment(state, world.base)
    names.sleep = world.C.sleeper(names.sleep, handles.dur_meta) -- said most often, so in C
    state.env = guard(state, names)
    state.compile = function(file) return compile(state, file) end
    return state
end

---@param opts { source: string, path: string, pins: table<string, string> }
function M.load(state, opts)
    -- What editors and shells put first and Lua's own loader skips; columns stay what they were.
    local source = opts.source:gsub("^\239\187\191", "   ", 1):gsub("^(%s*)#!", "%1--", 1)
    local files = places.new(opts.path, source, "@" .. opts.path)
    state.pins, state.files, state.diag = opts.pins, files, diag.new(files)
    state.live = opts.live
    if opts.live then actions.only_real(state) end
    state.chunk = compile(state, files.files[1])
end

--- After the chunk has run, in whatever way it ended.
function M.loaded(state, ok, message, thread)
    if ok then
        check_whole(state)
    else
        script_error(state, message, nil, thread) -- what was begun then is not worth a word
    end
end

--- Whether a text does no more with a word than to call it, as a global. Mostly it is not there.
local function only_calls(source, word)
    local from, to = source:find(word, 1, true)
    if not from then return true end
    if source:find("_ENV", 1, true) or source:find "function%s*%-%-" then return false end
    while from do
        local before = source:sub(from > 20 and from - 20 or 1, from - 1)
        local is_word = not before:find "[%w_]$" and not source:find("^[%w_]", to + 1)
        local is_called = source:find("^%s*[%w_(\"'{]", to + 1) and not before:find "function%s*$"
        if is_word and not is_called then return false end
        from, to = source:find(word, to + 1, true)
    end
    return true
end

--- `sleep` is looked up each time that a coroutine sleeps: in a text that cannot assign it, it lies
--- in the environment itself, which is empty so that each assignment is seen.
local function quicken(state)
    for _, file in ipairs(state.files.files) do
        if not only_calls(file.source, "sleep") then return end
    end
    rawset(state.env, "sleep", state.env.sleep)
end

M.script_error = script_error
M.render = function(state, colour) return diag.render(state.diag, colour) end
function M.build(state)
    quicken(state)
    return build.world(state)
end
M.lint = lints.run
M.lint_built = lints.run_built

local function title_of(code)
    local page = require "docs_codes"[code]
    return page and page.title
end

function M.findings(state, colour) return diag.findings(state.diag, colour, title_of) end

--- Whether all that is declared can be run by this version.
function M.is_runnable(state) return #state.plan.not_yet == 0 end
M.server = actions.server

--- Whether it is about real things that no model stands for: then it can only be run live.
function M.is_real(state) return build_live.is_only_real(state) end

--- Facts for C.
function M.summary(state)
    local s = state.plan.scenario
    local f = s.fields
    return { name = s.name, about = f.about, tags = f.tags or {}, duration = f.duration,
             warmup = f.warmup or 0, seeds = f.seeds or 0 }
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
