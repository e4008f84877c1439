--- From a plan to a world: each block becomes one call into C with base units and ids.
---
--- C's functions return an id, or nil and a sentence when the model refuses; a refusal is a
--- diagnostic at its block.
local chaos = require "chaos"
local alert = require "build_alert"
local kinds = require "build_kinds"
local live = require "build_live"
local node = require "build_node"
local places = require "places"
local replication = require "build_replication"
local sessions = require "build_sessions"
local backup = require "build_backup"
local schema = require "schema"
local sql = require "sql"
local witness = require "witness"

local M = {}

local function refused(state, facts, message)
    state.diag.add { code = "LZ208", line = facts.line, text = message }
end

local function sorted_keys(t)
    local names = {}
    for k in pairs(t) do names[#names + 1] = k end
    table.sort(names)
    return names
end

--- A target as C takes it.
local function target(t)
    if t.kind == "link" then
        return { kind = "link", id = 0, ordinal = 0, a = target(t.a), b = target(t.b) }
    elseif t.kind == "region" or t.kind == "host" then
        return { kind = t.kind, id = t.id, ordinal = 0 }
    elseif t.kind == "cloud" then
        return { kind = "cloud", id = t.cloud_id, ordinal = 0 }
    elseif t.kind == "zone" then
        return { kind = "zone", id = t.region.zone_ids[t.zone], ordinal = 0 }
    end
    local of = t.component.of -- a real thing stands for an instance, and is hit as that
    if of then return { kind = "instance", id = of.id, ordinal = t.component.ordinal } end
    return { kind = t.target, id = t.component.id, ordinal = t.ordinal or 0 }
end
M.target = target
M.make_edge = kinds.make_edge

--- A cloud is a provider and its own region in one block; clouds come first, since other regions
--- may be theirs.
local function build_clouds(state, C)
    for _, r in ipairs(state.plan.regions) do
        if r.kind == "cloud" then
            local id, message = C.cloud(r.name)
            if not id then refused(state, r, message) return end
            r.cloud_id = id
        end
    end
end

local function build_places(state, C)
    for _, r in ipairs(state.plan.regions) do
        local owner = r.kind == "cloud" and r or r.fields.cloud
        local id, message = C.region { name = r.name, zones = r.zones, latency = r.fields.latency,
            cloud = owner and owner.cloud_id }
        if not id then refused(state, r, message) return end
        r.id, r.zone_ids = id, {}
        for i = 1, #r.zones do r.zone_ids[i] = C.zone(id, i - 1) end
    end
    for _, h in ipairs(state.plan.hosts) do
        local z = h.fields.zone
        local id, message = C.host { name = h.name, zone = z and z.region.zone_ids[z.zone] }
        if not id then refused(state, h, message) return end
        h.id, h.row = id, state.files.outer(h.line)
        local measured, why = node.host(C, h)
        if not measured then refused(state, h, why) return end
    end
end

--- Components in the order they are declared; traffic last, since it calls the others.
local function build_components(state, C)
    for pass = 1, 2 do
        for _, c in ipairs(state.plan.components) do
            if (c.kind == "traffic") == (pass == 2) and not alert.BUILT[c.kind] then
                c.row = state.files.outer(c.line)
                local id, message = kinds.create[c.kind](C, c, state)
                if not id then refused(state, c, message) return end
                c.id = id
                if live.is_real(c.kind) then goto next end
                local ok, why = C.transport(id, c.fields.tls, c.fields.transport,
                    c.fields.early_data)
                if not ok then refused(state, c, why) return end
                if c.fields.checks_tokens == false then C.ignore_tokens(id) end
                ok, why = sql.declare(C, c)
                if not ok then refused(state, c, why) return end
                ok, why = node.declare(C, c)
                if not ok then refused(state, c, why) return end
                ok, why = replication.declare(C, c)
                if not ok then refused(state, c, why) return end
                ok, why = sessions.declare(C, c)
                if not ok then refused(state, c, why) return end
            end
            ::next::
        end
    end
end

--- Regions that look after their nodes, and the service that hears of them, if one says so.
local function build_lifecycles(state, C)
    local planes = {}
    for _, c in ipairs(state.plan.components) do
        local region = c.kind == "service" and c.fields.control_plane_of
        if region then
            if not region.fields.node_lifecycle then
                refused(state, c, ('control_plane_of: %s "%s" does not look after its nodes: give '
                    .. "it node_lifecycle = {}"):format(region.kind, region.name))
                return
            elseif planes[region] then
                refused(state, c, ('control_plane_of: %s is the control plane of %s "%s" already')
                    :format(planes[region].name, region.kind, region.name))
                return
            end
            planes[region] = c
        end
    end
    for _, r in ipairs(state.plan.regions) do
        if r.fields.node_lifecycle then
            local ok, message = node.lifecycle(C, r, planes[r])
            if not ok then refused(state, r, "node_lifecycle: " .. message) return end
        end
    end
end

--- What keeps them may be declared later.
local function build_backups(state, C)
    for _, c in ipairs(state.plan.components) do
        local ok, why = backup.declare(C, c)
        if not ok then refused(state, c, why) return end
    end
end

--- The builds of a service, in the order of their names.
local function build_versions(state, C)
    for _, c in ipairs(state.plan.components) do
        local f = c.fields
        c.version_numbers, c.version_count = {}, 0
        for _, name in ipairs(sorted_keys(f.versions or {})) do
            local v = f.versions[name]
            local number, message = C.version { service = c.id, name = name,
                error_ratio = v.error_ratio, service_time = v.service_time, cpu_time = v.cpu_time,
                fails = v.fails }
            if not number then refused(state, c, message) return end
            c.version_numbers[name], c.version_count = number, number
            state.version_names[c.id] = state.version_names[c.id] or {}
            state.version_names[c.id][number] = name
        end
        if f.version then C.first_version(c.id, c.version_numbers[f.version]) end
    end
end

local function build_calls(state, C)
    for _, c in ipairs(state.plan.components) do
        local list = c.fields.calls
        if c.kind == "balancer" or c.kind == "gateway" then
            list = { { to = c.fields.to, fields = c.fields, line = c.line } }
        end
        for _, call in ipairs(list or {}) do
            local ok, why = sessions.check(call)
            if not ok then refused(state, call, why) return end
            local id, message = kinds.make_edge(C, call.fields, c.id, call.to.id, call.op)
            if not id then refused(state, call, message) return end
            local fallback, spare = call.fields.fallback, nil
            if fallback then
                spare, message = kinds.make_edge(C, fallback.fields, c.id, fallback.to.id,
                    fallback.op)
                if not spare then refused(state, fallback, message) return end
            end
            id, message = C.add_call(c.id, id, spare, call.fields.optional)
            if not id then refused(state, call, message) return end
        end
        for _, h in ipairs(c.fields.handle or {}) do
            local fn = state.of_records[c.id] and state.record_handler(h.fn) or h.fn
            local id, message = C.handle(c.id, h.op, fn)
            if not id then refused(state, c, message) return end
        end
    end
end

--- Who asks for tokens, once all calls are known.
local function build_auth(state, C)
    for _, c in ipairs(state.plan.components) do
        local a = c.fields.auth
        if a then
            local ok, message = C.auth(c.id, { issuer = a.issuer.id, lifetime = a.lifetime,
                renew = a.renew, holders = a.holders, refresh = a.refresh,
                refresh_on_unknown = a.refresh_on_unknown, cooldown = a.cooldown,
                timeout = a.timeout, retry = a.retry })
            if not ok then refused(state, c, message) return end
        end
    end
end

local function build_links(state, C)
    for _, l in ipairs(state.plan.links) do
        local f = l.fields
        local opts = { from = target(l.a), to = target(l.b), one_way = f.direction == "to" }
        for _, row in ipairs(schema.link) do
            local name = row[1]
            if name ~= "direction" then opts[name] = f[name] end
        end
        local ok, message = C.link(opts)
        if not ok then refused(state, l, message) return end
    end
end

--- A fault as C takes it.
function M.fault(state, facts)
    local f = facts.fields
    local pick = f.pick or { "all", 0 }
    local out = { kind = facts.fault, line = state.files.outer(facts.line),
        target = target(facts.a), target_b = facts.b and target(facts.b), at = f.at or -1,
        spread = facts.spread,
        lasting = f.lasting, every = f.every, ramp = f.ramp,
        pick = pick[1], pick_amount = pick[2], params = f, family = facts.family }
    return out
end

local function build_faults(state, C)
    chaos.expand(state)
    chaos.note_absent(state)
    for _, facts in ipairs(state.plan.faults) do
        local id, message = C.fault(M.fault(state, facts))
        if not id and state.live then
            state.diag.add { code = "LZ703", line = facts.line, text = message }
            return
        end
        if not id then refused(state, facts, message) return end
        facts.id = id
    end
end

--- The id of a metric in the world.
function M.metric(C, m)
    local c = m.component
    if c.kind == "amplification" then return C.amplification(c.from.id, c.to.id) end
    if c.kind == "version" then
        return C.version_metric(c.service.id, c.service.version_numbers[c.version], m.path)
    end
    if c.kind == "link" then
        local id
        id, c.id = C.link_metric(target(c.a), target(c.b), m.path)
        return id
    end
    if c.kind == "host" then return c.component_id and C.metric(c.component_id, m.path) or 0 end
    if m.path == "memory" and not c.fields.memory then return 0 end
    if m.replica then return C.replica_metric(c.id, m.replica, m.path) end
    return C.metric(c.id, m.path)
end

--- A matcher as C takes it; nil if its metric does not exist.
function M.matcher(state, C, m)
    if m.kind == "mark" then return { mark = m.mark, comes_again = m.alert ~= nil } end
    local measured, by = live.stand_in(state, C, m.metric)
    if not measured and not live.check_source(state, C, m.metric, m.line) then return nil end
    local id = measured or not node.never_counts(m.metric) and M.metric(C, m.metric) or 0
    if id == 0 then
        local of = m.metric.component
        local why = of.kind ~= "amplification"
            and m.metric.text .. " is not measured" .. node.why_not(m.metric, state.running)
            or (state.running and "amplification(%s, %s) is counted from the beginning of a run, "
                .. "and only where an expectation names it: write one beside this"
                or "%s never calls %s: amplification is about calls"):format(of.from.name,
                of.to.name)
        if not state.running then refused(state, m, why) end
        return nil, why
    end
    local c = m.metric.component
    local owner = by or c.component_id or c.id or (c.service or c.from).id
    return { metric = id, component = owner, compare = m.compare,
             limit = m.limit, limit_b = m.limit_b, limit_text = m.limit_text }
end

local function anchor(state, a)
    if not a then return nil end
    local is_endless = a.kind == "fault_ends" and not (a.fault.fields or {}).lasting
    return { kind = a.kind, at = a.at, fault = a.fault and a.fault.id, mark = a.mark,
             may_stop = is_endless and places.says(state, "stop") }
end

--- A fault that comes again and again is a window each time that it begins within the run.
local function scopes(state, list)
    local duration = state.plan.scenario.fields.duration
    local out = {}
    for _, w in ipairs(list or {}) do
        local of = w.of and w.of.id
        out[#out + 1] = { after = anchor(state, w.after), lasting = w.lasting, of = of }
        local at = w.after.at
        while w.every and at + w.every < duration do
            at = at + w.every
            out[#out + 1] = { after = { kind = "time", at = at }, lasting = w.lasting, of = of }
        end
    end
    return out
end

local function build_history(state, C, e, model)
    local f = e.fields
    if not live.may_record(state, e) then return end
    local id, message = C.expect_history { name = e.name, line = state.files.outer(e.line),
        of = f[e.operator].id, model = model, word = e.operator:gsub("_", " "),
        consistency = f.consistency, column = f.column,
        tolerates = f.tolerates and table.concat(f.tolerates, " ") or nil,
        adds = f.adds and table.concat(f.adds, "\n"),
        reads = f.reads and table.concat(f.reads, "\n"),
        generates = f.generates and table.concat(f.generates, "\n"),
        per_key = f.per_key, steps = f.steps, warn = f.severity == "warn", because = f.because }
    if id then live.check_history(state, C, e) else refused(state, e, message) end
end

--- An expectation in code: see witness.lua.
local function build_check(state, C, e)
    local id, message = C.expect_script({ name = e.name, line = state.files.outer(e.line),
        warn = e.fields.severity == "warn", because = e.fields.because }, e.fn,
        witness.new(C, function(_, m)
            local measured = live.stand_in(state, C, m)
            if measured then return measured end
            local why = live.why_unobserved(state, C, m)
            return why and 0 or M.metric(C, m), why
        end))
    if not id then refused(state, e, message) end
end

local function build_expectations(state, C)
    for _, e in ipairs(state.plan.expectations) do
        local f = e.fields
        local m
        local model = schema.histories[e.operator]
        if model then
            build_history(state, C, e, model)
        elseif e.kind == "check" then
            build_check(state, C, e)
        elseif e.kind == "slo" then
            local errors = { component = f.of, path = "errors.ratio",
                text = f.of.name .. ".errors.ratio" }
            m = live.check_source(state, C, errors, e.line)
                and { metric = C.metric(f.of.id, "errors.ratio"), component = f.of.id }
        else
            m = M.matcher(state, C, f[e.operator])
        end
        if m then
            local id, message = C.expect {
                name = e.name, line = state.files.outer(e.line), temporal = e.operator,
                matcher = m, over = f.over,
                after = anchor(state, f.after), within = f.within, holding = f.holding,
                during = scopes(state, f.during), except = scopes(state, f.except),
                warn = f.severity == "warn",
                because = f.because, objective = f.objective,
            }
            if not id then refused(state, e, message) end
        end
    end
end

--- What rules look at must be there.
local function build_alerts(state, C) alert.build(state, C, M.matcher, refused) end

local function build_reality(state, C) live.build(state, C) end

local function build_aborts(state, C) live.build_aborts(state, C, M.matcher) end

--- What is declared and checked, but cannot be run: said once, with what else there is.
local function refuse_not_yet(state)
    local first = state.plan.not_yet[1]
    for _, other in ipairs(state.plan.not_yet) do
        local file, line = state.files.rank(other.line)
        local first_file, first_line = state.files.rank(first.line)
        if file < first_file or file == first_file and line < first_line then first = other end
    end
    local others = #state.plan.not_yet - 1
    state.diag.add { code = "LZ114", line = first.line, word = first.word, path = first.path,
        at = "field", text = first.what .. " cannot be run by this version",
        help = (others > 0 and ("nor can %d more; "):format(others) or "")
            .. "`lorenz check` checks what it says" }
end

--- Build everything. False if there are diagnostics.
function M.world(state)
    local C = state.C
    if #state.plan.not_yet > 0 then
        refuse_not_yet(state)
        return false
    end
    live.attach(state)
    if not state.live and #state.diag.list == 0 then live.check_simulated(state) end
    if #state.diag.list > 0 then return false end
    local steps = { build_clouds, build_places, build_components, build_lifecycles, build_backups,
        build_versions, build_calls, build_auth, build_links, build_reality,
        build_alerts, build_faults,
        build_expectations, build_aborts }
    for _, step in ipairs(steps) do
        step(state, C)
        if #state.diag.list > 0 then return false end
    end
    for _, d in ipairs(state.plan.drives) do C.drive(d.name, d.fn) end
    return true
end

return M
