--- The words of a scenario: what its environment holds.
---
--- The top level of a scenario declares and does not act. Each word checks what it is given,
--- adds a block to the plan, and returns a handle; the plan is built into a world later
--- (build.lua). Words that act (`sleep`, `mark`, a fault without `at`) work inside `drive`
--- and handlers only.
local diag = require "diag"
local fields = require "fields"
local handles = require "handles"
local schema = require "schema"
local units = require "units"

local M = {}
local POISON = diag.POISON

local function context(state, what, line)
    return { state = state, what = what, line = line, later = { codel = true } }
end

--- Two blocks of one namespace must not share a name.
local function claim(state, kind, name, line)
    local space = kind == "region" and "region" or kind == "host" and "host" or "component"
    if kind == "expect" or kind == "slo" then space = "expectation" end
    if kind == "param" then space = "param" end
    local names = state.names[space] or {}
    state.names[space] = names
    local other = names[name]
    if other then
        state.diag.add { code = "LZ104", line = line, word = ('"%s"'):format(name),
            text = ('the name "%s" is used twice'):format(name),
            also = { line = other.line, text = ("first by this %s"):format(other.kind) } }
        return false
    end
    names[name] = { kind = kind, line = line }
    return true
end

--- A word of the form `kind "name" { ... }`: first the name, then the body.
local function named(state, kind, make)
    return function(name)
        local line = state.line()
        if type(name) == "table" and not getmetatable(name) then
            return state.diag.add { code = "LZ103", line = line,
                text = ("a %s needs a name"):format(kind),
                help = ('write %s "name" { ... }'):format(kind) }
        end
        if name == POISON then return function() return POISON end end
        if type(name) ~= "string" or name == "" then
            state.diag.add { code = "LZ103", line = line,
                text = ("the name of a %s is a text, got %s"):format(kind, units.kind_of(name)) }
            return function() return POISON end
        end
        local pending = { kind = kind, name = name, line = line }
        state.pending[#state.pending + 1] = pending
        return setmetatable({}, {
            lz_kind = kind .. " without a body",
            __metatable = "block",
            __call = function(_, body)
                pending.done = true
                if body == POISON then return POISON end
                if type(body) ~= "table" or getmetatable(body) then
                    return state.diag.add { code = "LZ110", line = line,
                        text = ('%s "%s" needs a body in braces'):format(kind, name) }
                end
                if not claim(state, kind, name, line) then return POISON end
                return make(name, body, line)
            end,
            __index = function()
                return POISON -- said once, by the check for bodies
            end,
        })
    end
end

local function component_word(state, kind)
    return named(state, kind, function(name, body, line)
        local ctx = context(state, ('%s "%s"'):format(kind, name), line)
        local f = fields.read(ctx, schema[kind], body)
        for i, v in ipairs(body) do
            if v ~= POISON then
                state.diag.add { code = "LZ102", line = line,
                    text = ("%s: entry %d has no field name"):format(ctx.what, i) }
            end
        end
        local facts = { kind = kind, name = name, line = line, fields = f, broken = f.broken }
        state.plan.components[#state.plan.components + 1] = facts
        if kind == "service" and f.calls and f.handle then
            state.diag.add { code = "LZ111", line = line, path = { "handle" }, at = "field",
                text = ("%s has both `calls` and `handle`"):format(ctx.what),
                help = "a handler makes its calls itself: req:call { ... }" }
        end
        return handles.component(state, facts)
    end)
end

local function scenario_word(state)
    return function(name)
        local line = state.line()
        return function(body)
            if state.plan.scenario then
                return state.diag.add { code = "LZ104", line = line,
                    text = "a file has one scenario",
                    also = { line = state.plan.scenario.line, text = "the first is here" } }
            end
            local f = fields.read(context(state, "scenario", line), schema.scenario, body)
            state.plan.scenario = { name = name, line = line, fields = f }
            if f.warmup and f.warmup % 1000000000 ~= 0 then
                state.diag.add { code = "LZ206", line = line, path = { "warmup" },
                    text = "`warmup` must be whole seconds, as windows are" }
            elseif f.duration and f.warmup and f.warmup >= f.duration then
                state.diag.add { code = "LZ206", line = line, path = { "warmup" },
                    text = "`warmup` must be shorter than `duration`: nothing would be judged" }
            end
            if f.duration and f.duration < 1000000000 then
                state.diag.add { code = "LZ206", line = line, path = { "duration" },
                    text = "`duration` must be at least 1s, one window" }
            end
        end
    end
end

-- ---------------------------------------------------------------- calls, links, dists

local function call_word(state)
    return function(body)
        local line = state.line()
        if body == POISON then return POISON end
        local to = handles.of(body[1])
        local op = body[2]
        local what = "call"
        if body[1] == POISON then return POISON end
        if not to or not (to.kind == "service" or to.kind == "balancer"
            or to.kind == "database") then
            return state.diag.add { code = "LZ304", line = line,
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

--- The end of a link or the target of a fault: facts that build.lua can resolve.
local function as_target(v)
    local h = handles.of(v)
    if not h then return nil end
    if h.kind == "target" or h.kind == "region" or h.kind == "zone" or h.kind == "host"
        or h.kind == "link" then
        return h
    end
    if h.kind == "service" or h.kind == "balancer" or h.kind == "database"
        or h.kind == "traffic" then
        return { kind = "target", target = "component", component = h, text = h.name }
    end
    return nil
end

local function link_word(state)
    return function(a, b)
        local line = state.line()
        local body = type(a) == "table" and not getmetatable(a) and a or nil
        local from, to = body and body[1] or a, body and body[2] or b
        if from == POISON or to == POISON then return POISON end
        local x, y = as_target(from), as_target(to)
        if not x or not y or x.kind == "link" or y.kind == "link" then
            return state.diag.add { code = "LZ304", line = line,
                text = ("link: expected two components, zones or regions, got %s and %s")
                    :format(handles.describe(from), handles.describe(to)) }
        end
        local facts = { kind = "link", a = x, b = y, line = line,
            text = ("link(%s, %s)"):format(x.text or x.name, y.text or y.name) }
        if body then
            facts.fields = fields.read(context(state, "link", line), schema.link, body)
            state.plan.links[#state.plan.links + 1] = facts
        end
        return handles.plain(facts)
    end
end

local function dist_number(state, line, name, param, v)
    if v == nil then
        state.diag.add { code = "LZ102", line = line, text = ("dist.%s needs `%s`"):format(name,
            param) }
        return nil
    end
    if schema.dist_plain[param] or (name == "zipf") then
        if type(v) == "number" then return v + 0.0 end
        state.diag.add { code = "LZ205", line = line,
            text = ("`%s` of dist.%s: expected a number, got %s"):format(param, name,
                units.kind_of(v)) }
        return nil
    end
    local ns, code, text, help = units.duration(v)
    if ns then return ns + 0.0 end
    state.diag.add { code = code, line = line, path = { param },
        text = ("`%s` of dist.%s: %s"):format(param, name, text), help = help }
    return nil
end

local function pairs_dist(state, name, body, line)
    local points = {}
    for i, p in ipairs(body) do
        local at = type(p) == "table" and units.ratio(p[1])
        local value = type(p) == "table" and units.duration(p[2])
        if not at or not value then
            return state.diag.add { code = "LZ205", line = line,
                text = ("dist.%s: entry %d must be a share and a duration"):format(name, i),
                help = 'write { 0.5, "2ms" }' }
        end
        points[i] = { at, value + 0.0 }
    end
    return handles.plain { kind = "dist", dist = name, points = points, line = line,
        text = "dist." .. name }
end

local function dist_word(state)
    local words = {}
    for name, params in pairs(schema.dist) do
        words[name] = function(body)
            local line = state.line()
            if body == POISON then return POISON end
            if name == "constant" then body = { value = body } end
            if type(body) ~= "table" then
                return state.diag.add { code = "LZ205", line = line,
                    text = ("dist.%s takes { %s }"):format(name, table.concat(params, ", ")) }
            end
            local known = {}
            for _, p in ipairs(params) do known[p] = true end
            local keys = {}
            for key in pairs(body) do keys[#keys + 1] = tostring(key) end
            table.sort(keys)
            for _, key in ipairs(keys) do
                if not known[key] then
                    return state.diag.add { code = "LZ101", line = line, path = { tostring(key) },
                        at = "field",
                        text = ("dist.%s has no parameter `%s`"):format(name, tostring(key)),
                        help = "its parameters are " .. table.concat(params, " ") }
                end
            end
            local a = dist_number(state, line, name, params[1], body[params[1]])
            local b = params[2] and dist_number(state, line, name, params[2], body[params[2]]) or 0
            if not a or not b then return POISON end
            local facts = { kind = "dist", dist = name, a = a, b = b, line = line, text = "dist."
                .. name }
            local ok, message = state.C.check_dist(facts)
            if not ok then
                return state.diag.add { code = "LZ206", line = line,
                    text = ("dist.%s: %s"):format(name, message) }
            end
            return handles.plain(facts)
        end
    end
    for _, name in ipairs { "hyperexponential", "empirical" } do
        words[name] = function(body) return pairs_dist(state, name, body, state.line()) end
    end
    return state.strict("dist", words, "LZ105", "distribution")
end

-- ---------------------------------------------------------------- faults

local function fault_fields(state, kind)
    local list = {}
    for _, f in ipairs(schema.fault) do list[#list + 1] = f end
    for _, p in ipairs(state.fault_kinds[kind].params) do
        local f = { p.name, p.type, p.doc, required = p.required }
        if p.choices then
            f.choices = {}
            for c in p.choices:gmatch "[^|]+" do f.choices[#f.choices + 1] = c end
        end
        list[#list + 1] = f
    end
    return list
end

local function fault_times(state, ctx, f)
    local duration = state.plan.scenario and state.plan.scenario.fields.duration
    if not state.running and f.at == nil and not f.broken then
        state.diag.add { code = "LZ106", line = ctx.line, text = ctx.what
            .. " has no time: it needs `at`",
            help = 'write at = "2m"; only inside drive does a fault without `at` act at once' }
        f.broken = true
    elseif f.at and duration and f.at > duration then
        state.diag.add { code = "LZ107", line = ctx.line, path = { "at" },
            text = ctx.what .. " would come after the end of the run",
            help = ("the scenario lasts %gs"):format(duration / 1e9) }
        f.broken = true
    end
    if f.pick and f.pick[1] == "random" and f.pick[2] == 0 then f.broken = true end
end

local function make_fault(state, kind, body)
    local line = state.line()
    if body == POISON then return POISON end
    local ctx = context(state, "fault." .. kind, line)
    if type(body) ~= "table" or getmetatable(body) then
        return state.diag.add { code = "LZ110", line = line, text = ctx.what
            .. " needs a body in braces",
            help = ('write fault.%s { target, at = "2m" }'):format(kind) }
    end
    local f = fields.read(ctx, fault_fields(state, kind), body)
    fault_times(state, ctx, f)
    local targets = {}
    for i = 1, 2 do
        local v = body[i]
        if v == POISON then f.broken = true
        elseif v ~= nil then
            targets[i] = as_target(v)
            if not targets[i] then
                state.diag.add { code = "LZ304", line = line,
                    text = ("%s cannot target %s"):format(ctx.what, handles.describe(v)) }
                f.broken = true
            end
        end
    end
    if body[1] == nil then
        state.diag.add { code = "LZ102", line = line, text = ctx.what .. " needs a target",
            help = ("write fault.%s { web, ... }"):format(kind) }
        f.broken = true
    end
    local facts = { kind = "fault", fault = kind, line = line, fields = f, a = targets[1],
        b = targets[2],
        text = "fault." .. kind, broken = f.broken }
    if f.broken then
        if state.running then error(ctx.what .. " is wrong", 3) end
        return handles.fault(state, facts)
    end
    if state.running then
        state.act_fault(facts)
    else
        state.plan.faults[#state.plan.faults + 1] = facts
    end
    return handles.fault(state, facts)
end

local function fault_word(state)
    local words = {}
    for kind in pairs(state.fault_kinds) do
        words[kind] = function(body) return make_fault(state, kind, body) end
    end
    return state.strict("fault", words, "LZ105", "fault", schema.fault_words)
end

-- ---------------------------------------------------------------- expectations

local OPERATORS = { "always", "never", "eventually", "at_end", "sometimes" }

local function expect_word(state)
    return named(state, "expect", function(name, body, line)
        local ctx = context(state, "expect", line)
        local f = fields.read(ctx, schema.expect, body)
        local found
        for _, op in ipairs(OPERATORS) do
            if body[op] ~= nil then
                if found then
                    state.diag.add { code = "LZ403", line = line, path = { op }, at = "field",
                        text = ("expect has both `%s` and `%s`"):format(found, op),
                            help = "write two expectations" }
                    f.broken = true
                end
                found = op
            end
        end
        if not found and not f.broken then
            state.diag.add { code = "LZ403", line = line,
                text = "expect says nothing that must hold",
                help = "it needs one of always never eventually at_end sometimes" }
            f.broken = true
        end
        if found == "eventually" and body.within == nil then
            state.diag.add { code = "LZ404", line = line, path = { "eventually" }, at = "field",
                text = "`eventually` needs a deadline",
                    help = 'write within = "30s", counted from `after`' }
            f.broken = true
        end
        local facts = { kind = "expect", name = name, line = line, operator = found, fields = f,
            broken = f.broken }
        state.plan.expectations[#state.plan.expectations + 1] = facts
    end)
end

local function slo_word(state)
    return named(state, "slo", function(name, body, line)
        local f = fields.read(context(state, "slo", line), schema.slo, body)
        state.plan.expectations[#state.plan.expectations + 1] =
            { kind = "slo", name = name, line = line, operator = "slo", fields = f,
                broken = f.broken }
    end)
end

local function amplification_word(state)
    return function(a, b)
        local line = state.line()
        if a == POISON or b == POISON then return POISON end
        local x, y = handles.of(a), handles.of(b)
        if not x or not y or not x.fields or not y.fields then
            return state.diag.add { code = "LZ304", line = line,
                text = "amplification takes two components" }
        end
        local path = "amplification." .. y.name
        state.metrics.amplification[path] = { unit = "count" }
        local facts = { kind = "amplification", name = x.name, from = x, to = y }
        return handles.metric(state, facts, path)
    end
end

-- ---------------------------------------------------------------- params

local function as_text(v)
    if type(v) == "number" and math.type(v) == "float" and v == math.floor(v)
        and math.abs(v) < 1e15 then
        return ("%.1f"):format(v)
    end
    return tostring(v)
end

--- A value from the command line, in the type of the list's items.
local function convert(text, items)
    for _, item in ipairs(items) do
        if as_text(item) == text then return item end
    end
    local like = items[1]
    if type(like) == "number" then return tonumber(text) end
    if type(like) == "boolean" then
        if text == "true" then return true elseif text == "false" then return false end
        return nil
    end
    return text
end

local function param_word(state)
    return function(name, values)
        local line = state.line()
        local is_list = type(values) == "table" and not getmetatable(values)
        local items = is_list and values or { values }
        if type(name) ~= "string" or #items == 0 then
            return state.diag.add { code = "LZ112", line = line,
                text = "param takes a name and a list of values",
                help = 'write param("retries", { 0, 3, 10 })' }
        end
        if not claim(state, "param", name, line) then return POISON end
        for i, v in ipairs(items) do
            if type(v) ~= type(items[1]) or type(v) == "table" or type(v) == "function" then
                return state.diag.add { code = "LZ112", line = line,
                    text = ('param "%s": values must be numbers, texts or booleans, all alike; '
                        .. 'entry %d is %s')
                        :format(name, i, units.kind_of(v)) }
            end
        end
        local facts = { name = name, line = line, items = items, texts = {} }
        for i, v in ipairs(items) do facts.texts[i] = as_text(v) end
        state.plan.params[#state.plan.params + 1] = facts
        local pin = state.pins[name]
        if pin ~= nil then
            state.used_pins[name] = true
            local value = convert(pin, items)
            if value == nil then
                return state.diag.add { code = "LZ113", line = line,
                    text = ('param "%s" takes %s values, got %s'):format(name, type(items[1]), pin),
                    help = "its values are " .. table.concat(facts.texts, " ") }
            end
            facts.texts, facts.items = { as_text(value) }, { value }
        end
        return facts.items[1]
    end
end

-- ---------------------------------------------------------------- the environment

--- A table of words that complains about one it does not have.
local function strict_maker(state)
    return function(name, words, code, what, synonyms)
        local names = {}
        for word in pairs(words) do names[#names + 1] = word end
        table.sort(names)
        return setmetatable({}, {
            lz_kind = name, __metatable = name, __newindex = function() error(name
                .. " cannot be changed", 2) end,
            __index = function(_, k)
                if words[k] then return words[k] end
                local line = state.line()
                local known = synonyms and synonyms[k]
                local near = diag.nearest(tostring(k), names)
                local help = known and ("other tools' `%s` is `%s.%s` here"):format(k, name, known)
                    or near and ("a %s with a similar name exists: `%s`"):format(what, near)
                    or ("the %ss are "):format(what) .. table.concat(names, " ")
                return state.diag.add { code = code, line = line, word = tostring(k),
                    text = ("there is no %s `%s`"):format(what, tostring(k)), help = help }
            end,
        })
    end
end

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
    state.strict = strict_maker(state)
    local env = {}
    for k, v in pairs(base) do env[k] = v end
    env.scenario = scenario_word(state)
    env.region = named(state, "region", function(name, body, line)
        local f = fields.read(context(state, ('region "%s"'):format(name), line), schema.region,
            body)
        local facts = { kind = "region", name = name, line = line, fields = f, zones = f.zones or {
            "a" } }
        for _, z in ipairs(facts.zones) do
            if type(z) ~= "string" then
                return state.diag.add { code = "LZ205", line = line, path = { "zones" },
                    text = "zones are named by texts" }
            end
        end
        state.plan.regions[#state.plan.regions + 1] = facts
        return handles.region(state, facts)
    end)
    env.host = named(state, "host", function(name, body, line)
        local f = fields.read(context(state, ('host "%s"'):format(name), line), schema.host, body)
        local facts = { kind = "host", name = name, line = line, fields = f, text = name }
        state.plan.hosts[#state.plan.hosts + 1] = facts
        return handles.plain(facts)
    end)
    for _, kind in ipairs { "service", "balancer", "database", "traffic" } do
        env[kind] = component_word(state, kind)
    end
    env.call = call_word(state)
    env.link = link_word(state)
    env.dist = dist_word(state)
    env.fault = fault_word(state)
    env.expect = expect_word(state)
    env.slo = slo_word(state)
    env.amplification = amplification_word(state)
    env.param = param_word(state)
    env.happened = function(name)
        return handles.plain { kind = "mark", mark = tostring(name),
            text = ('happened "%s"'):format(tostring(name)) }
    end
    env.dur = function(v)
        local ns, code, text, help = units.duration(v)
        if not ns then return state.diag.add { code = code, line = state.line(), text = "dur: "
            .. text, help = help } end
        return handles.dur(ns)
    end
    env.drive = function(name, fn)
        if type(name) ~= "string" or type(fn) ~= "function" then
            return state.diag.add { code = "LZ115", line = state.line(),
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
