--- The words of a scenario: what its environment holds.
---
--- The top level of a scenario declares and does not act. Each word checks what it is given,
--- adds a block to the plan, and returns a handle; the plan is built into a world later
--- (build.lua). Words that act (`sleep`, `mark`, a fault without `at`) work inside `drive`
--- and handlers only.
local diag = require "diag"
local chaos = require "chaos"
local dists = require "dists"
local expectations = require "expectations"
local faults = require "faults"
local fields = require "fields"
local handles = require "handles"
local params = require "params"
local rules = require "rules"
local schema = require "schema"
local shapes = require "shapes"
local units = require "units"
local use = require "use"
local words = require "words"

local M = {}
local POISON = diag.POISON
local context, named = words.context, words.named

-- Fields that a rule finds inside a block.
local IN_BLOCK = { stale_at_most = { "resolvers", "stale_at_most" },
    count = { "resolvers", "count" }, hit_ratio = { "cache", "hit_ratio" },
    entries = { "cache", "entries" }, every = { "commit", "every" } }

local function component_word(state, kind)
    return named(state, kind, function(name, body, line)
        local ctx = context(state, ('%s "%s"'):format(kind, name), line)
        local f = fields.read(ctx, schema[kind], body)
        for i, v in ipairs(body) do
            if v ~= POISON then
                state.diag.add { code = "LZ102", line = line, word = ('"%s"'):format(name),
                    text = ("%s: entry %d has no field name"):format(ctx.what, i) }
            end
        end
        local facts = { kind = kind, name = name, line = line, fields = f, broken = f.broken }
        state.plan.components[#state.plan.components + 1] = facts
        if rules[kind] and not f.broken then
            rules[kind](function(code, field, text, help)
                state.diag.add { code = code, line = line, path = IN_BLOCK[field] or { field },
                    at = "field", text = text:format(ctx.what), help = help }
            end, f, name)
        end
        for _, q in ipairs(kind == "prometheus" and f.queries or {}) do
            state.metrics.prometheus[q[1]] = { unit = "count" }
        end
        if schema.not_run[kind] then state.not_yet(line, ctx.what, kind) end
        return handles.component(state, facts)
    end)
end

--- How alerts are looked after: one for all of a file.
local function monitoring_word(state)
    return named(state, "monitoring", function(name, body, line)
        local f = fields.read(context(state, ('monitoring "%s"'):format(name), line),
            schema.monitoring, body)
        local list = state.plan.monitorings
        if #list > 0 then
            return state.diag.add { code = "LZ104", line = line, word = "monitoring",
                text = "a scenario has one monitoring, which looks after all alerts",
                also = { line = list[1].line, text = "the first is here" } }
        end
        list[1] = { kind = "monitoring", name = name, line = line, fields = f, broken = f.broken }
    end)
end

--- A region or a cloud: a place with zones.
local function place_word(state, kind)
    return named(state, kind, function(name, body, line)
        local f = fields.read(context(state, ('%s "%s"'):format(kind, name), line), schema[kind],
            body)
        local facts = { kind = kind, name = name, line = line, fields = f,
            zones = {}, broken = f.broken }
        for i, z in ipairs(f.zones or { "a" }) do
            if type(z) ~= "string" then
                return state.diag.add { code = "LZ205", line = line, path = { "zones" },
                    text = "zones are named by texts, got " .. units.kind_of(z),
                    help = 'write zones = { "a", "b", "c" }' }
            end
            facts.zones[i] = z
        end
        if #facts.zones == 0 then
            return state.diag.add { code = "LZ206", line = line, path = { "zones" },
                text = ('%s "%s" has no zone'):format(kind, name),
                help = "leave `zones` out, or name one" }
        end
        state.plan.regions[#state.plan.regions + 1] = facts
        return handles.region(state, facts)
    end)
end

local function host_word(state)
    return named(state, "host", function(name, body, line)
        local f = fields.read(context(state, ('host "%s"'):format(name), line), schema.host, body)
        local facts = { kind = "host", name = name, line = line, fields = f, text = name,
            broken = f.broken }
        state.plan.hosts[#state.plan.hosts + 1] = facts
        return handles.measured(state, facts)
    end)
end

--- The region of what is put nowhere, with the zones that are declared for it and no others.
local function default_region(state, line)
    for _, r in ipairs(state.plan.regions) do
        if r.name == "default" then return r end
    end
    local facts = { kind = "region", name = "default", line = line, fields = {}, zones = {},
        text = 'region "default"' }
    words.claim(state, "region", "default", line)
    state.plan.regions[#state.plan.regions + 1] = facts
    return facts
end

--- A zone by itself: one more of its region's.
local function zone_word(state)
    return named(state, "zone", function(name, body, line)
        local f = fields.read(context(state, ('zone "%s"'):format(name), line), schema.zone, body)
        if f.broken then return POISON end
        local of = f.region or default_region(state, line)
        for _, other in ipairs(of.zones) do
            if other == name then
                return state.diag.add { code = "LZ104", line = line, word = ('"%s"'):format(name),
                    text = ('%s has a zone "%s" already'):format(of.text, name),
                    help = ("it is written region.zone[\"%s\"]"):format(name) }
            end
        end
        of.zones[#of.zones + 1] = name
        return handles.zone(of, #of.zones)
    end)
end

local function scenario_word(state)
    return named(state, "scenario", function(name, body, line)
        if state.files.rank(line) > 1 then
            return state.diag.add { code = "LZ104", line = line, word = "scenario",
                text = "a module declares no scenario: the file that uses it does" }
        elseif state.plan.scenario then
            return state.diag.add { code = "LZ104", line = line, word = "scenario",
                text = "a file has one scenario",
                also = { line = state.plan.scenario.line, text = "the first is here" } }
        end
        local f = fields.read(context(state, "scenario", line), schema.scenario, body)
        state.plan.scenario = { name = name, line = line, fields = f, broken = f.broken }
        local function wrong(field, text)
            state.diag.add { code = "LZ206", line = line, path = { field }, text = text }
        end
        if f.warmup and f.warmup % 1000000000 ~= 0 then
            wrong("warmup", "`warmup` must be whole seconds, as windows are")
        elseif f.duration and f.warmup and f.warmup >= f.duration then
            wrong("warmup", "`warmup` must be shorter than `duration`: nothing would be judged")
        end
        if f.duration and f.duration < 1000000000 then
            wrong("duration", "`duration` must be at least 1s, one window")
        end
    end)
end

-- ---------------------------------------------------------------- calls, links

local CALLED = { service = true, balancer = true, database = true, consensus = true,
    gateway = true, cache = true,
    store = true, topic = true, dns = true }

local function call_word(state)
    return function(body)
        local line = state.line()
        if body == POISON then return POISON end
        if type(body) ~= "table" or getmetatable(body) then
            return state.diag.add { code = "LZ110", line = line, word = "call",
                text = "call needs a body in braces, got " .. units.kind_of(body),
                help = 'write call { db, "select item", timeout = "1s" }' }
        end
        local to = handles.of(body[1])
        local op = body[2]
        local what = "call"
        if body[1] == POISON then return POISON end
        if not to or not CALLED[to.kind] then
            return state.diag.add { code = "LZ304", line = line, word = "call",
                text = "call: the first entry is what is called, got " .. handles.describe(body[1]),
                help = 'write call { db, "select item", timeout = "1s" }' }
        end
        if op ~= nil and type(op) ~= "string" then
            return state.diag.add { code = "LZ205", line = line,
                text = "call: the second entry is the operation's name, got " .. units.kind_of(op) }
        end
        local f = fields.read(context(state, what, line), schema.call, body)
        return handles.plain { kind = "call", to = to, op = op, fields = f, line = line,
            text = "a call" }
    end
end

local function link_word(state)
    return function(a, b, more)
        local line = state.line()
        local body = type(a) == "table" and not getmetatable(a) and a or nil
        if more ~= nil or body and b ~= nil then -- it would be ignored, and nothing tested
            return state.diag.add { code = "LZ304", line = line, word = "link",
                text = ("link(a, b) measures what is there and takes nothing else, got %s too")
                    :format(handles.describe(body and b or more)),
                help = "give a link its fields in one table: link { api, db, latency = \"3ms\" }" }
        end
        if body and body[3] ~= nil then
            return state.diag.add { code = "LZ304", line = line, word = "link",
                text = "link: a link has two ends, got a third: " .. handles.describe(body[3]),
                help = "write a link for each pair" }
        end
        local from, to = body and body[1] or a, body and body[2] or b
        if from == POISON or to == POISON then return POISON end
        local x, y = words.as_target(from), words.as_target(to)
        if not words.is_somewhere(x) or not words.is_somewhere(y)
            or x.kind == "link" or y.kind == "link" then
            return state.diag.add { code = "LZ304", line = line, word = "link",
                text = ("link: expected two components or places, got %s and %s")
                    :format(handles.describe(from), handles.describe(to)),
                help = "write link(api, db) or link { api, db, latency = \"3ms\" }" }
        end
        local facts = { kind = "link", a = x, b = y, line = line, name = "link",
            text = ("link(%s, %s)"):format(x.text or x.name, y.text or y.name) }
        if body then
            facts.fields = fields.read(context(state, "link", line), schema.link, body)
            state.plan.links[#state.plan.links + 1] = facts
        end
        return handles.measured(state, facts)
    end
end

-- ---------------------------------------------------------------- the environment

local function add_later(state, env)
    for _, word in ipairs(schema.later) do
        local function say()
            state.diag.add { code = "LZ114", line = state.line(), word = word,
                text = ("`%s` is not part of this version"):format(word) }
            return POISON
        end
        env[word] = setmetatable({}, { __call = say, __index = say, lz_kind = word,
            __metatable = word })
    end
end

local function runtime_word(state, name)
    return function(...)
        local act = state.actions[name]
        if not state.running then
            return state.diag.add { code = "LZ503", line = state.line(), word = name,
                text = ("`%s` acts, and the top level only declares"):format(name),
                help = ("use it inside drive(\"name\", function() ... end)") }
        end
        return act(...)
    end
end

--- The names a scenario sees; `base` has what the sandbox gives of Lua itself.
function M.environment(state, base)
    local env = {}
    for k, v in pairs(base) do env[k] = v end
    env.scenario = scenario_word(state)
    for _, kind in ipairs { "region", "cloud" } do env[kind] = place_word(state, kind) end
    env.host, env.zone = host_word(state), zone_word(state)
    for _, kind in ipairs(schema.components) do env[kind] = component_word(state, kind) end
    env.monitoring = monitoring_word(state)
    env.call = call_word(state)
    env.link = link_word(state)
    env.dist = dists.word(state)
    env.shape = shapes.word(state)
    env.fault = faults.word(state)
    env.chaos = chaos.word(state)
    env.expect = expectations.expect_word(state)
    env.slo = expectations.slo_word(state)
    env.check = expectations.check_word(state)
    env.amplification = expectations.amplification_word(state)
    env.param = params.word(state)
    env.use = use.word(state)
    env.sorted = function(t) return base.pairs(t) end
    env.happened = function(name)
        if name == POISON then return POISON end
        if type(name) ~= "string" or name == "" then
            return handles.complain(state) { code = "LZ205", line = state.line(), word = "happened",
                text = "happened takes the text of a mark, got " .. units.kind_of(name),
                help = 'write happened "rolled back"' }
        end
        return handles.plain { kind = "mark", mark = name, text = ('happened "%s"'):format(name) }
    end
    env.dur = function(v)
        if v == POISON then return POISON end
        local ns, code, text, help = units.duration(v)
        if ns then return handles.dur(ns) end
        return handles.complain(state) { code = code, line = state.line(), word = "dur",
            text = "dur: " .. text, help = help }
    end
    env.drive = function(name, fn)
        words.declares(state, "drive")
        if name == POISON or fn == POISON then return end
        if type(name) ~= "string" or type(fn) ~= "function" then
            return state.diag.add { code = "LZ115", line = state.line(), word = "drive",
                text = "drive takes a name and a function",
                help = 'write drive("operator", function() ... end)' }
        end
        state.plan.drives[#state.plan.drives + 1] = { name = name, fn = fn, line = state.line() }
    end
    for _, name in ipairs { "sleep", "wait_until", "mark", "log", "now", "rand" } do
        env[name] = runtime_word(state, name)
    end
    add_later(state, env)
    return env
end

return M
