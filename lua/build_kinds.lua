--- Components, by kind: each block becomes one call into C (build.lua).
local broker = require "build_broker"
local cache = require "build_cache"
local consensus = require "consensus"
local live = require "build_live"
local store = require "build_store"
local M = {}

local function spread(place)
    if not place then return nil end
    local out = {}
    if place.kind == "region" or place.kind == "cloud" then out.region = place.id
    elseif place.kind == "zone" then out.zone = place.region.zone_ids[place.zone]
    else out.host = place.id end
    return out
end


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
        scale_by_hand = scale.by_hand,
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

M.create = create

return M
