--- What a scenario holds in its variables: components, their parts, metrics, matchers, anchors.
---
--- A handle is an empty table with a metatable; what it means is kept under a private key, so
--- that a scenario can look at it but not into it.
---
--- ```lua
--- web.latency.p99:below "300ms"     -- handle, metric path, metric, matcher
--- ```
local called = require "fields_wrong"
local diag = require "diag"
local durations = require "durations"
local members = require "members"
local units = require "units"

local M = {}
local KEY = {}

--- What a handle means, or nil if the value is none.
---@return table?
function M.of(v)
    if type(v) ~= "table" then return nil end
    return rawget(v, KEY)
end

function M.kind(v)
    local h = M.of(v)
    return h and h.kind
end

local function frozen(t, _)
    error(("%s cannot be changed once it is declared"):format(tostring(t)), 2)
end

--- A metatable for one kind of handle.
local function class(kind, index)
    return { lz_kind = kind, __index = index, __newindex = frozen, __metatable = kind,
             __tostring = function(t) return M.describe(t) end, __name = kind }
end

local function new(meta, facts)
    return setmetatable({ [KEY] = facts }, meta)
end

function M.describe(v)
    local h = M.of(v)
    if not h then return units.show(v) end
    if h.text then return h.text end
    if h.name then return ('%s "%s"'):format(h.kind, h.name) end
    return h.kind
end

--- Takes a diagnostic. At the top level all are told at its end, at the prompt after its line;
--- while the world runs nobody would read them, and the script ends at the first.
function M.complain(state)
    if not state.running or state.is_prompting then return state.diag.add end
    return function(d)
        error(("%s: %s%s"):format(d.code, d.text, d.help and ("; %s"):format(d.help) or ""), 0)
    end
end

-- ---------------------------------------------------------------- matchers

local COMPARE = { "below", "above", "at_least", "at_most", "equals", "between", "recovers_to" }

local matcher_meta = class("matcher", function(_, k)
    error(("a matcher has no field `%s`"):format(units.key(k)), 2)
end)

local function limit_of(metric, v)
    local unit = metric.unit
    if unit == "seconds" then
        local ns, code, text, help = units.duration(v)
        return ns and ns / 1e9, code, text, help
    elseif unit == "ratio" then
        return units.ratio(v)
    elseif unit == "rate" then
        return units.rate(v)
    elseif unit == "bytes" then
        return units.size(v)
    end
    if type(v) == "number" then return v + 0.0 end
    return nil, "LZ204", ("%s is a count: %s does not fit it"):format(metric.text, units.show(v)),
        "write a plain number"
end

--- The metrics of a group, by what comes after its name, sorted.
function M.within(state, group)
    local names, head = {}, group.path .. "."
    for name in pairs(state.metrics[group.component.kind]) do
        if name:sub(1, #head) == head then names[#names + 1] = name:sub(#head + 1) end
    end
    table.sort(names)
    return names
end

local FITS = { seconds = "a duration such as \"300ms\"", ratio = "a share such as \"1%\"",
               rate = "a rate such as \"400/s\"", count = "a plain number",
                   bytes = "a size such as \"1MiB\"" }

local function make_matcher(state, metric_handle, compare, a, b)
    local metric = M.of(metric_handle)
    local line = state.line()
    if not metric.is_metric then
        M.complain(state) { code = "LZ302", line = line, word = metric.path:match "[%w_]+$",
            text = ("%s is a group of metrics: name one of them"):format(metric.text),
            list = { "it has", M.within(state, metric) } }
        return diag.POISON
    end
    local m = { kind = "matcher", metric = metric, compare = compare, line = line }
    if a == diag.POISON or b == diag.POISON then return diag.POISON end
    local function read(v)
        if v == nil then
            M.complain(state) { code = "LZ402", line = line,
                text = ("%s:%s needs a value"):format(metric.text, compare),
                help = ("write %s"):format(FITS[metric.unit]) }
            return nil
        end
        local value, code, text, help
        if compare == "recovers_to" then value, code, text, help = units.ratio(v)
        else value, code, text, help = limit_of(metric, v) end
        if value then return value end
        if code ~= "LZ201" and code ~= "LZ202" then
            code, text = "LZ204", ("%s does not fit %s, which is %s"):format(units.show(v),
                metric.text, metric.unit == "seconds" and "a duration" or "a " .. metric.unit)
            help = "write " .. FITS[metric.unit]
        end
        M.complain(state) { code = code, line = line, text = ("`%s` of %s: %s"):format(compare,
            metric.text, text),
            word = type(v) == "string" and ('"%s"'):format(v) or nil, help = help }
        return nil
    end
    m.limit = read(a)
    m.limit_text = type(a) == "string" and a or units.show(a)
    if compare == "between" then
        m.limit_b = read(b)
        if m.limit and m.limit_b and m.limit > m.limit_b then
            M.complain(state) { code = "LZ206", line = line,
                text = ("between: %s is above %s"):format(units.show(a), units.show(b)) }
            return diag.POISON
        end
        if not m.limit_b then return diag.POISON end
        m.limit_text = m.limit_text .. " and " .. (type(b) == "string" and b or units.show(b))
    end
    if not m.limit then return diag.POISON end
    m.text = ("%s %s %s"):format(metric.text, compare, m.limit_text)
    return new(matcher_meta, m)
end

-- ---------------------------------------------------------------- metrics

local function metric_meta(state)
    local methods = {}
    for _, compare in ipairs(COMPARE) do
        methods[compare] = function(self, a, b)
            if not M.of(self) then
                error(("write metric:%s, with a colon"):format(compare), 2)
            end
            return make_matcher(state, self, compare, a, b)
        end
    end
    function methods.value(self)
        local m = M.of(self)
        if not m or m.kind ~= "metric" then error("write metric:value(), with a colon", 2) end
        if not state.running then
            return M.complain(state) { code = "LZ503", line = state.line(), word = "value",
                text = "`value` looks at a run, and the top level only declares",
                help = 'use it inside drive("name", function() ... end) or a handler' }
        end
        if not m.is_metric then
            error(("%s is a group of metrics: name one of them"):format(m.text), 2)
        end
        local value = state.metric_value(m) -- no tail call: errors count levels
        return value
    end
    local meta = class("metric", nil)
    meta.__index = function(t, k)
        if methods[k] then return methods[k] end
        local m = M.of(t)
        return M.metric(state, m.component, (m.path == "" and "" or m.path .. ".") .. units.key(k),
            m.replica)
    end
    local function compared()
        local line = state.line()
        state.compared = line -- what comes of it is no second mistake
        M.complain(state) { code = "LZ401", line = line,
            text = "a metric cannot be compared with < or >",
            help = "write metric:below \"300ms\", :above, :at_least or :at_most" }
        return false
    end
    meta.__lt, meta.__le = compared, compared
    meta.__tostring = function(t) return state.metric_text(M.of(t)) end
    return meta
end

--- What metrics begin with, by kind of component: `latency` and `a.b` of `a.b.c`.
function M.metric_heads(metrics)
    local all = {}
    for kind, list in pairs(metrics) do
        local heads = {}
        for name in pairs(list) do
            for at in name:gmatch "()%." do heads[name:sub(1, at - 1)] = true end
        end
        all[kind] = heads
    end
    return all
end

--- The metric of that path, complete (`latency.p99`) or the beginning of one (`latency`).
function M.metric(state, component, path, replica)
    state.metric_meta = state.metric_meta or metric_meta(state)
    local facts = { kind = "metric", component = component, path = path, replica = replica }
    local who = component.name .. (replica and ("[%d]"):format(replica) or "")
    facts.text = who .. "." .. path
    local info = state.metrics[component.kind][path]
    if info then
        facts.unit = info.unit
        facts.is_metric = true
        if info.later then state.not_yet(state.line(), facts.text, path:match "[%w_]+$") end
    elseif path ~= "" then
        if not state.metric_heads[component.kind][path] then
            local names = {}
            for name in pairs(state.metrics[component.kind]) do
                if not name:find("^failed%.") then names[#names + 1] = name end
            end
            table.sort(names)
            local near = diag.nearest(path, names)
            return M.complain(state) { code = "LZ302", line = state.line(),
                word = path:match "[%w_]+$",
                text = ('%s has no metric `%s`'):format(component.text
                    or ('%s "%s"'):format(component.kind, component.name), path),
                help = near and ("a metric with a similar name exists: `%s`"):format(near),
                list = not near and { "its metrics are", names } or nil }
        end
    end
    return new(state.metric_meta, facts)
end

-- ---------------------------------------------------------------- components and parts

local target_meta = class("target", function(t, k)
    error(("%s has no field `%s`"):format(M.describe(t), units.key(k)), 2)
end)

--- A target for faults: facts are what the model needs.
function M.target(facts)
    facts.kind = "target"
    return new(target_meta, facts)
end

local function ordinal_parts(state, component, part, count, replica_metrics)
    local name = component.name .. "." .. part
    local meta = class("part", function(_, i)
        if math.type(i) ~= "integer" or i < 1 or i > count then
            return M.complain(state) { code = "LZ303", line = state.line(),
                text = ("%s[%s] does not exist: there are %d"):format(name, units.key(i), count),
                help = ("write %s[1] to %s[%d]"):format(name, name, count) }
        end
        local is_role = part == "replica" and (component.kind == "database"
            or component.kind == "cache")
        local behind = part == "sentinel" and (component.fields.nodes or 1) or 0
        local facts = { target = is_role and "replica" or "instance", component = component,
            ordinal = i + behind,
            text = ("%s[%d]"):format(name, i) }
        if not replica_metrics then return M.target(facts) end
        facts.kind = "target"
        return new(class("target", function(_, k) return M.metric(state, component, k, i) end),
            facts)
    end)
    if part == "sentinel" then -- no target means all of them, and none of the nodes
        return new(meta, { kind = "part", text = name .. ", which needs a number" })
    end
    local whole = (component.kind == "database" or component.kind == "cache")
        and part == "replica" and "replica" or "component"
    return new(meta, { kind = "target", target = whole, component = component, ordinal = 0,
        text = name })
end

--- Parts that are counted, by kind: the part, the field that says how many, and its default.
local COUNTED = {
    balancer = { "replica", "replicas", 1, measured = true },
    service = { "replica", "replicas", 1, measured = true },
    gateway = { "replica", "replicas", 1, measured = true },
    cache = { "node", "nodes", 1 },
    consensus = { "node", "nodes", 3 },
    store = { "node", "nodes", 3 },
    broker = { "node", "nodes", 1 },
    topic = { "partition", "partitions", 1 },
    consumers = { "member", "members", 1 },
}

--- `api:version("v2")`: the service as far as that build serves it.
local function version_part(state, service)
    return function(self, name)
        local line = state.line()
        if M.of(self) ~= service then
            error(('write %s:version("v2"), with a colon'):format(service.name), 2)
        end
        local versions = service.fields.versions
        if name == diag.POISON or service.broken then return diag.POISON end
        if not versions or not versions[name] then
            local names = {}
            for known in pairs(versions or {}) do names[#names + 1] = known end
            table.sort(names)
            return M.complain(state) { code = "LZ303", line = line, word = ('"%s"'):format(
                units.key(name)),
                text = ("%s has no version %s"):format(service.text, units.show(name)),
                help = #names > 0 and "its versions are " .. table.concat(names, " ")
                    or "its versions are declared in `versions`" }
        end
        local facts = { kind = "version", name = ('%s:version("%s")'):format(service.name, name),
            service = service, version = name, fields = {} }
        facts.text = facts.name
        return M.measured(state, facts)
    end
end

--- What an act gives back. Not by a tail call: the errors of acts count levels, and the one that
--- stands for the component's word is this one.
local function acted(state, word, component, options)
    local ok, why = state.actions[word](component, options)
    return ok, why
end

local IN_DRIVE = 'use it inside drive("name", function() ... end)'

--- What a component is told to do, in drive: `db:restore { at = "3h" }`. `example` may have the
--- component's name in it.
local function act_part(word, example, help)
    return function(state, c)
        return function(self, options)
            if M.of(self) ~= c then
                error(("write %s:%s %s, with a colon"):format(c.name, word,
                    example:format(c.name)), 2)
            end
            if state.running then return acted(state, word, c, options) end
            return M.complain(state) { code = "LZ503", line = state.line(), word = word,
                text = ("`%s` acts, and the top level only declares"):format(word),
                help = help or IN_DRIVE }
        end
    end
end

local route_part = act_part("route", '{ v2 = "5%%" }')
-- `db.failovers` is a metric.
local failover_part = act_part("failover", "{ to = %s.node[2] }", IN_DRIVE .. ", or fault.failover")
local restore_part = act_part("restore", '{ at = "3h" }')
local reshard_part = act_part("reshard", "{ slots = 4096, from = 1, to = 3 }")
local fix_part = act_part("fix", "()")
local versioning_part = act_part("versioning", '"suspended"',
    'say versioning = "enabled" in the store, or ' .. IN_DRIVE)
local scale_part = act_part("scale", "(20)", IN_DRIVE .. ", or give it an `autoscale`")
local deploy_part = act_part("deploy", '"v2"', IN_DRIVE .. ", or fault.bad_deploy")

--- `redis:slot("{user1000}.cart")`: which slot has a key, anywhere.
local function slot_part(state, cache)
    return function(self, key)
        if M.of(self) ~= cache then
            error(('write %s:slot("key"), with a colon'):format(cache.name), 2)
        end
        if type(key) ~= "string" and math.type(key) ~= "integer" then
            error(("slot: a key is a text or an integer, got %s"):format(units.show(key)), 2)
        end
        return state.C.slot(key)
    end
end

--- `redis.shard[2]`: whoever leads that shard of a cluster when it is needed.
local function shard_part(state, c)
    local f = c.fields
    local count = f.mode == "cluster"
        and (f.nodes or 1) // ((f.cluster and f.cluster.replicas or 0) + 1) or 0
    local name = c.name .. ".shard"
    return new(class("part", function(_, i)
        if math.type(i) ~= "integer" or i < 1 or i > count then
            return M.complain(state) { code = "LZ303", line = state.line(),
                text = ("%s[%s] does not exist: there are %d"):format(name, units.key(i), count),
                help = count > 0 and ("write %s[1] to %s[%d]"):format(name, name, count)
                    or 'shards are of mode = "cluster"' }
        end
        return M.target { target = "primary", component = c, ordinal = i,
            text = ("%s[%d]"):format(name, i) }
    end), { kind = "target", target = "primary", component = c, ordinal = 0, text = name })
end

--- `page.notified`: the times that somebody was told, as `happened` of a mark.
local function mark_part(what)
    return function(_, alert)
        local mark = ("%s %s"):format(alert.name, what)
        return M.plain { kind = "mark", mark = mark, alert = alert,
            text = ("%s.%s"):format(alert.name, what) }
    end
end

--- Parts of a component, by kind: name -> function that makes it.
local PARTS = {
    service = { version = version_part, route = route_part, deploy = deploy_part,
        scale = scale_part },
    database = {
        failover = failover_part,
        restore = restore_part,
        primary = function(_, c)
            return M.target { target = "primary", component = c, text = c.name .. ".primary" }
        end,
        replica = function(state, c)
            return ordinal_parts(state, c, "replica", math.max(0, (c.fields.nodes or 1) - 1), false)
        end,
        node = function(state, c) return ordinal_parts(state, c, "node", c.fields.nodes or 1,
            false) end,
    },
    store = { versioning = versioning_part },
    cache = {
        reshard = reshard_part,
        fix = fix_part,
        slot = slot_part,
        shard = shard_part,
        primary = function(_, c)
            return M.target { target = "primary", component = c, text = c.name .. ".primary" }
        end,
        replica = function(state, c)
            return ordinal_parts(state, c, "replica", math.max(0, (c.fields.nodes or 1) - 1), false)
        end,
        sentinel = function(state, c)
            local watch = c.fields.sentinel or {}
            return ordinal_parts(state, c, "sentinel",
                c.fields.mode == "sentinel" and (watch.count or 3) or 0, false)
        end,
    },
    consensus = {
        leader = function(_, c)
            return M.target { target = "primary", component = c, text = c.name .. ".leader" }
        end,
    },
    alert = {},
    rule = {},
    traffic = {},
    dns = {},
    process = {},
    endpoint = {},
    probe = {},
    prometheus = {},
}

--- What an alert marks by itself: "P fired" of an alert P.
M.ALERT_MARKS = { "fired", "notified", "resolved" }
for _, what in ipairs(M.ALERT_MARKS) do PARTS.alert[what] = mark_part(what) end
--- What a service marks by itself where it is rolled out.
M.ROLLOUT_MARKS = { "deployed", "stalled" }

local function rollout_mark_part(what)
    return function(state, service)
        if service.fields.rollout or service.broken then
            return mark_part(what)(state, service)
        end
        return M.complain(state) { code = "LZ301", line = state.line(), word = what,
            text = ('service "%s" is not rolled out, and nothing of it is %s'):format(service.name,
                what),
            help = "give it rollout = {}" }
    end
end
for _, what in ipairs(M.ROLLOUT_MARKS) do PARTS.service[what] = rollout_mark_part(what) end
for _, word in ipairs(members.order) do
    -- `etcd:member_add { node = etcd.node[4] }` and its neighbours
    local part = act_part(word, members.words[word].example)
    PARTS.consensus[word], PARTS.database[word] = part, part
end
for kind, counted in pairs(COUNTED) do
    PARTS[kind] = PARTS[kind] or {}
    PARTS[kind][counted[1]] = function(state, c)
        local scale = c.fields.autoscale
        local count = math.max(c.fields[counted[2]] or counted[3], scale and scale.max or 0)
        return ordinal_parts(state, c, counted[1], count, counted.measured)
    end
end

--- The names of a kind's parts: replica, primary, ...
function M.parts(kind) return PARTS[kind] or {} end

--- Whether these facts are of something that can be called, measured and hit as a whole.
function M.is_component(facts)
    return facts ~= nil and PARTS[facts.kind] ~= nil
end

local function component_index(state, facts)
    return function(_, k)
        local parts = PARTS[facts.kind]
        if parts[k] then return parts[k](state, facts) end
        if type(k) ~= "string" then
            error(("%s has no part [%s]"):format(facts.text, units.key(k)), 2)
        end
        local metrics = state.metrics[facts.kind]
        if metrics[k] or state.metric_heads[facts.kind][k] then
            return M.metric(state, facts, k)
        end
        local names = {}
        for name in pairs(parts) do names[#names + 1] = name end
        for name in pairs(metrics) do
            local first = name:match "^[%w_]+"
            if first ~= "failed" then names[#names + 1] = first end
        end
        table.sort(names)
        local list = {}
        for i, name in ipairs(names) do
            if names[i - 1] ~= name then list[#list + 1] = name end
        end
        local near, is_certain = diag.nearest(k, list)
        return M.complain(state) { code = "LZ301", line = state.line(), word = k,
            fix = near and is_certain and { with = near } or nil,
            text = ('%s "%s" has no part `%s`'):format(facts.kind, facts.name, k),
            help = near and ("a part with a similar name exists: `%s`"):format(near)
                or metrics[called.METRICS[k]] and ("what it means is called `%s`"):format(
                    called.METRICS[k]),
            list = not near and { "it has", list } or nil }
    end
end

--- A host, a link or a version: metrics, but no parts.
function M.measured(state, facts)
    return new(class(facts.kind, function(_, k)
        return M.metric(state, facts, units.key(k))
    end), facts)
end

--- A service, database, balancer or traffic.
function M.component(state, facts)
    facts.text = ('%s "%s"'):format(facts.kind, facts.name)
    return new(class(facts.kind, component_index(state, facts)), facts)
end

--- The zone of that number of a region.
function M.zone(region, i)
    return new(class("zone", nil), { kind = "zone", region = region, zone = i,
        name = region.zones[i], text = region.name .. "." .. region.zones[i] })
end

--- A region or a cloud, with its zones.
function M.region(state, facts)
    facts.text = ('%s "%s"'):format(facts.kind, facts.name)
    local zones = new(class("zones", function(_, k)
        for i, name in ipairs(facts.zones) do
            if k == i or k == name then
                return M.zone(facts, i)
            end
        end
        if facts.broken then return diag.POISON end
        return M.complain(state) { code = "LZ301", line = state.line(), word = units.key(k),
            text = ('%s has no zone `%s`'):format(facts.text, units.key(k)),
            help = "its zones are " .. table.concat(facts.zones, " ") }
    end), { kind = "zones", text = facts.name .. ".zone" })
    return new(class("region", function(_, k)
        if k == "zone" then return zones end
        return M.complain(state) { code = "LZ301", line = state.line(), word = units.key(k),
            text = ('%s has no part `%s`'):format(facts.text, units.key(k)),
            help = 'a zone is written region.zone.a or region.zone["a"]' }
    end), facts)
end

--- Anything without parts: host, link, dist, duration, call, mark.
function M.plain(facts, index)
    return new(class(facts.kind, index or function(t, k)
        error(("%s has no field `%s`"):format(M.describe(t), units.key(k)), 2)
    end), facts)
end

-- `outage:stop()`: it ends now. One of a group that comes by chance has no end of its own.
local function stop_part(state, facts)
    return function(self)
        if M.of(self) ~= facts then error("write outage:stop(), with a colon", 2) end
        if not state.running then
            return M.complain(state) { code = "LZ503", line = state.line(), word = "stop",
                text = "`stop` acts, and the top level only declares",
                help = "say how long it is `lasting`, or " .. IN_DRIVE }
        elseif not facts.id then
            error(("%s comes by chance, again and again: there is no one to stop"):format(
                facts.text), 2)
        end
        return state.actions.stop_fault(facts)
    end
end

--- A fault, whose `.ends` is an anchor.
function M.fault(state, facts)
    return new(class("fault", function(t, k)
        if k == "ends" then return M.plain { kind = "anchor", fault = facts, ends = true,
            text = facts.text .. ".ends" } end
        if k == "stop" then return stop_part(state, facts) end
        return M.complain(state) { code = "LZ301", line = state.line(), word = units.key(k),
            text = ("%s has no part `%s`"):format(M.describe(t), units.key(k)),
                help = "a fault has `.ends`, and `:stop()` in drive" }
    end), facts)
end

M.dur, M.dur_meta = durations.new, durations.meta

return M
