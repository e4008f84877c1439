--- From a plan to a world: each block becomes one call into C with base units and ids.
---
--- C's functions return an id, or nil and a sentence when the model refuses; a refusal is a
--- diagnostic at its block.
local broker = require "build_broker"
local cache = require "build_cache"
local chaos = require "chaos"
local store = require "build_store"
local alert = require "build_alert"
local consensus = require "consensus"
local live = require "build_live"
local node = require "build_node"
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

local function spread(place)
    if not place then return nil end
    local out = {}
    if place.kind == "region" or place.kind == "cloud" then out.region = place.id
    elseif place.kind == "zone" then out.zone = place.region.zone_ids[place.zone]
    else out.host = place.id end
    return out
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

local function hedging(f)
    if not f then return nil end
    return { after = f.after.after, quantile = f.after.quantile, attempts = f.attempts,
        tied = f.tied, leave = f.leave }
end

--- The options of a way to call.
local function edge(f, from, to, op)
    local health, tcp, pool = f.health or {}, f.tcp or {}, f.pool or {}
    local keepalive = tcp.keepalive or {}
    return {
        from = from, to = to, op = op, fresh = f.fresh, timeout = f.timeout,
        overall_timeout = f.overall_timeout,
        retries = f.retries, retry_on = f.retry_on, retry_budget = f.retry_budget,
        backoff = f.backoff, backoff_max = f.backoff_max, jitter = f.jitter, cancel = f.cancel,
        stream = f.stream,
        priority = f.priority,
        breaker = f.breaker, throttle = f.throttle, hedge = hedging(f.hedge),
        fan_out = f.fan_out, enough = f.enough, bulkhead = f.bulkhead,
        single_flight = f.single_flight,
        balance = f.balance or f.policy or "round_robin",
        health_every = health.every, health_timeout = health.timeout,
        health_fails = health.fails, health_passes = health.passes,
        by_endpoints = health.by == "endpoints",
        choices = f.choices, replacement = f.replacement, weights = f.weights,
        virtual_nodes = f.virtual_nodes, load_bound = f.load_bound, table_size = f.table_size,
        zone_aware = f.zone_aware, overprovisioning = f.overprovisioning, panic = f.panic,
        subset = f.subset, slow_start = f.slow_start, outliers = f.outliers,
        size = f.size, response_size = f.response_size, window = tcp.window,
        syn_retries = tcp.syn_retries, syn_linear = tcp.syn_linear_timeouts,
        tcp_retries = tcp.retries2, keepalive = tcp.keepalive ~= nil,
        keepalive_time = keepalive.time, keepalive_interval = keepalive.interval,
        keepalive_probes = keepalive.probes, pool = f.pool ~= nil,
        pool_max = pool.max, pool_idle = pool.idle_timeout, pool_age = pool.max_age,
        pool_cold = pool.warm == false, ttl = f.ttl, value_size = f.value_size,
        beta = f.beta, consistent = f.consistent,
        is_session = f.transaction ~= nil, reads = f.transaction and f.transaction.reads,
        writes = f.transaction and f.transaction.writes,
        isolation = f.transaction and f.transaction.isolation,
    }
end
M.edge = edge

--- Make a way to call, and the way to the cache it looks into first; nil and a sentence if the
--- model refuses.
function M.make_edge(C, f, from, to, op)
    local e = edge(f, from, to, op)
    if f.through then
        local id, message = C.edge(edge(f.through.fields, from, f.through.to.id, "get"))
        if not id then return nil, message end
        e.through = id
    end
    return C.edge(e)
end

local create = {}

-- One direction of an autoscaler's behavior.
local function scaling(f)
    return f and { window = f.stabilization_window, select = f.select_policy,
        tolerance = f.tolerance, policies = f.policies }
end

local PART = { share = 0.25 } -- Kubernetes' defaults of both

local function rollout(f)
    return f and { recreate = f.strategy == "recreate", max_surge = f.max_surge or PART,
        max_unavailable = f.max_unavailable or PART, min_ready = f.min_ready,
        deadline = f.progress_deadline }
end

local function disruption(f)
    return f and { is_min = f.min_available ~= nil,
        amount = f.min_available or f.max_unavailable }
end

function create.service(C, c)
    local f = c.fields
    local queue, scale = f.queue or {}, f.autoscale or {}
    local shed, limit, adaptive = f.shed or {}, f.rate_limit or {}, f.adaptive_limit
    local io = f.io or {}
    return C.service {
        name = c.name, line = c.row, replicas = f.replicas, spread = spread(f.on or f.spread),
        concurrency = f.concurrency, queue_max = queue.max or 1024,
        queue_policy = queue.policy, queue_timeout = queue.timeout, queue_target = queue.target,
        queue_interval = queue.interval, queue_preemptive = queue.preemptive,
        deadlines = f.deadlines == "propagate",
        parallel = f.parallel, adaptive_initial = adaptive and adaptive.initial,
        adaptive_max = adaptive and (adaptive.max or 1000),
        shed_in_flight = shed.in_flight, shed_cpu = shed.cpu, shed_queue_age = shed.queue_age,
        limit_rate = limit.rate, limit_burst = limit.burst, limit_status = limit.status,
        service_time = f.service_time, cpu_time = f.cpu_time, cpu = f.cpu,
            error_ratio = f.error_ratio,
        io_reads = io.reads, io_writes = io.writes, io_flush = io.flush,
        port = f.listen, scale_min = scale.min, scale_max = scale.max,
        scale_target_cpu = scale.target_cpu, scale_target_rate = scale.target_rate,
        scale_target_in_flight = scale.target_in_flight,
        scale_startup = scale.startup or 30000000000, scale_cooldown = scale.cooldown,
        scale_period = scale.period, scale_up = scaling(scale.scale_up),
        scale_down = scaling(scale.scale_down),
        rollout = rollout(f.rollout), disruption = disruption(f.disruption_budget),
    }
end

function create.balancer(C, c)
    local f = c.fields
    return C.service {
        name = c.name, line = c.row, is_balancer = true, replicas = f.replicas,
        spread = spread(f.on or f.spread), concurrency = 65535, queue_max = 1024,
        service_time = f.service_time or { dist = "constant", a = 50000, b = 0 }, port = f.listen,
    }
end

--- A balancer with something at its door; nothing said, it is one.
function create.gateway(C, c)
    local f = c.fields
    local waf, edge_cache = f.waf or {}, f.cache or {}
    local id, message = C.service {
        name = c.name, line = c.row, is_balancer = true, is_gateway = true, replicas = f.replicas,
        spread = spread(f.on or f.spread), concurrency = 65535, queue_max = 1024,
        service_time = f.service_time or { dist = "constant", a = 100000, b = 0 }, port = f.listen,
    }
    if not id then return nil, message end
    return C.gateway(id, {
        limit = f.limit, burst = f.burst, leaky = f.algorithm == "leaky_bucket",
        delay = f.delay, limit_status = f.limit_status, waf_blocked = waf.blocked,
        waf_delay = waf.latency,
        has_cache = f.cache ~= nil, hit_ratio = edge_cache.hit_ratio,
        entries = edge_cache.entries, ttl = edge_cache.ttl,
        is_sliding = edge_cache.refresh == "sliding",
    })
end

function create.dns(C, c)
    local f = c.fields
    local health, resolvers = f.health or {}, f.resolvers or {}
    local answers = {}
    for i, to in ipairs(f.answers) do answers[i] = to.id end
    return C.dns {
        name = c.name, line = c.row, answers = answers, weights = f.weights, policy = f.policy,
        ttl = f.ttl, negative_ttl = f.negative_ttl, lookup_time = f.lookup_time,
        is_checked = f.health ~= nil, health_every = health.every,
        health_timeout = health.timeout, health_fails = health.fails,
        health_passes = health.passes, resolvers = resolvers.count,
        convergence = f.convergence, honour_ttl = resolvers.honour_ttl,
        stale_at_most = resolvers.stale_at_most,
    }
end

function create.database(C, c)
    local f = c.fields
    local times = f.failover or {}
    return C.database {
        name = c.name, line = c.row, engine = f.engine, nodes = f.nodes,
        spread = spread(f.on or f.spread), sync = f.replication == "sync",
        read_replicas = f.reads == "replicas", query_time = f.query_time,
        cpu = f.cpu, max_connections = f.max_connections,
        failover = f.failover ~= false, detect = times.detect, promote = times.promote,
    }
end

create.process, create.endpoint = live.create, live.create
create.probe, create.prometheus = live.create, live.create

function create.broker(C, c)
    return broker.broker(C, c, spread(c.fields.on or c.fields.spread))
end

function create.topic(C, c) return broker.topic(C, c) end

function create.consumers(C, c, state)
    local id, message = broker.consumers(C, c, spread(c.fields.on or c.fields.spread))
    if id then state.of_records[id] = true end
    return id, message
end

function create.cache(C, c)
    return cache.create(C, c, spread(c.fields.on or c.fields.spread))
end

create.consensus = consensus.create(spread)

function create.store(C, c)
    return store.create(C, c, spread(c.fields.on or c.fields.spread))
end

function create.traffic(C, c)
    local f = c.fields
    local to = f.to
    local e = edge(f, 0, to.id, f.op)
    e.name, e.line, e.rate, e.constant, e.keys = c.name, c.row, f.rate, f.arrivals == "constant",
        f.keys
    e.gaps, e.batch, e.users, e.think = f.gaps, f.batch, f.users, f.think
    if f.session then e.session, e.leave = f.session.requests, f.session.leave end
    e["local"] = f.beside
    e.produce = to.kind == "topic" and broker.producer(f) or nil
    e.near = f.near and f.near.id
    return C.traffic(e)
end

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
                local id, message = create[c.kind](C, c, state)
                if not id then refused(state, c, message) return end
                c.id = id
                if live.is_real(c.kind) then goto next end
                local ok, why = C.transport(id, c.fields.tls, c.fields.transport,
                    c.fields.early_data)
                if not ok then refused(state, c, why) return end
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
            local id, message = M.make_edge(C, call.fields, c.id, call.to.id, call.op)
            if not id then refused(state, call, message) return end
            local fallback, spare = call.fields.fallback, nil
            if fallback then
                spare, message = M.make_edge(C, fallback.fields, c.id, fallback.to.id, fallback.op)
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
        pick = pick[1], pick_amount = pick[2], params = f }
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
    local id = measured or M.metric(C, m.metric)
    if id == 0 then
        local of = m.metric.component
        local why = of.kind ~= "amplification"
            and ("%s is not measured%s"):format(m.metric.text, node.why_not(m.metric))
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

local function anchor(a)
    if not a then return nil end
    return { kind = a.kind, at = a.at, fault = a.fault and a.fault.id, mark = a.mark }
end

local function scopes(list)
    local out = {}
    for i, w in ipairs(list or {}) do
        out[i] = { after = anchor(w.after), lasting = w.lasting }
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
                after = anchor(f.after), within = f.within, holding = f.holding,
                during = scopes(f.during), except = scopes(f.except), warn = f.severity == "warn",
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
