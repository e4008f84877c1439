--- Services behind names, gateways and balancers: queues, limits, retries, hedges, breakers,
--- tokens, probes, scaling, versions, TLS, two clouds.
local BALANCE = { "round_robin", "random", "least_requests", "power_of_two", "join_shortest_queue",
    "ring_hash", "maglev" }

-- A policy for it; who begins slowly needs one that heeds weights.
local function balancing(w, how)
    return ('balance = "%s", '):format(how:find "slow_start" and "round_robin" or w:one(BALANCE))
end

-- What any caller may say.
local function calling(w, replicas)
    local is_hedged = w:chance(0.2)
    local text = ('timeout = "%s", '):format(w:time(50, 4000))
        .. w:maybe(0.5, 'retries = %d, backoff = "%s"', w:int(1, 4), w:time(1, 500))
        .. w:maybe(0.2, 'overall_timeout = "%s"', w:time(100, 6000))
        .. w:maybe(0.2, 'jitter = "%s"', w:one { "full", "none", "equal", "decorrelated" })
        .. w:maybe(0.2, "retry_budget = %s", w:one { '"10%"',
            "{ tokens = 5, per_success = 0.1, cost = 1 }", "{ of_active = 0.2, at_least = 1 }" })
        .. w:maybe(0.2, "breaker = %s", w:one { "{}", '{ consecutive = 3, open = "1s" }',
            '{ ratio = "20%", volume = 5, over = "2s", open = "500ms", probes = 3 }' })
        .. w:maybe(0.15, "throttle = %s", w:one { "{}", '{ k = 1.5, over = "5s" }' })
        .. w:maybe(is_hedged and 1 or 0, 'hedge = { after = "%s", attempts = %d, %s%s}',
            w:one { "p95", "5ms", "49ms" }, w:int(2, 4), w:maybe(0.3, "tied = true"),
            w:maybe(0.2, "leave = true"))
        .. w:maybe(0.2, "cancel = true")
        .. w:maybe(0.4, "priority = %d", w:int(0, 7))
        .. w:maybe(0.3, 'pool = { max = %s, %s%s%s}', w:one { "1", "3", "20", '"unbounded"' },
            w:maybe(0.3, 'idle_timeout = "%s"', w:time(50, 3000)),
            w:maybe(0.3, 'max_age = "%s"', w:time(50, 3000)), w:maybe(0.3, "warm = false"))
        .. (w:chance(0.1) and 'health = { by = "endpoints" }, '
            or w:maybe(0.3, 'health = { every = "%s", timeout = "%s", fails = %d, passes = %d }',
                w:time(100, 2000), w:time(1, 90), w:int(1, 3), w:int(1, 3)))
        .. w:maybe(0.15, 'size = "%dKiB"', w:int(1, 40))
        .. w:maybe(0.15, 'response_size = "%dKiB"', w:int(1, 400))
        .. w:maybe(0.1, 'tcp = { window = "64KiB", syn_retries = 1, retries2 = 3 }')
    text = text .. w:maybe(0.2, 'outliers = { failures = 2, every = "500ms", ejection = "1s", '
        .. 'share_max = "50%" }')
    if replicas > 1 then
        local goes_by_endpoints = text:find('by = "endpoints"', 1, true)
        text = text .. w:maybe(0.15, 'slow_start = { window = "%s" }', w:time(500, 5000))
            .. w:maybe(0.15, "zone_aware = true")
            .. w:maybe(goes_by_endpoints and 0 or 0.1, 'panic = "50%"')
            .. w:maybe(0.1, "subset = %d", w:int(1, replicas))
    end
    return text, is_hedged
end

-- Who swaps takes a hundred times as long for what has piled up: a thousand requests of 30 ms are
-- 3000 s on one core, and longer with less of it.
local function memory(w, is_limited)
    local each, oom = w:int(0, 20), w:one { "kill", "swap" }
    local text = w:maybe(0.25, 'memory = { limit = "200MiB", base = "50MiB", '
        .. 'per_request = "%dMiB", oom = "%s" }', each, oom)
    if text ~= "" and oom == "swap" then
        w.settle = math.max(w.settle, is_limited and 20000 or 6000)
    end
    return text
end

-- Before its first liveness probe it has started: else it is killed at each start, for ever.
local function running(w)
    local text = w:maybe(0.3, "startup = %s", w:dist(1, 3000))
        .. ('restart = "always", crash_backoff = { first = "%s", max = "2s" }, '):format(
            w:time(10, 1000))
        .. w:maybe(0.3, 'grace_period = "%s"', w:time(0, 3000))
        .. w:maybe(0.2, 'pre_stop = "%s"', w:time(0, 2000))
        .. w:maybe(0.2, 'endpoint_delay = %s', w:dist(0, 1500))
        .. w:maybe(0.25, 'liveness = { initial_delay = "3100ms", period = "%s", timeout = "%s", '
            .. 'failure_threshold = %d, %s}',
            w:time(200, 2000), w:time(10, 500), w:int(1, 3), w:maybe(0.3, 'work = "5ms"'))
        .. w:maybe(0.25, 'readiness = { period = "%s", failure_threshold = %d, '
            .. 'success_threshold = %d }',
            w:time(200, 2000), w:int(1, 3), w:int(1, 2))
    local limit = w:maybe(0.2, 'cpu_limit = %s, cpu_period = "%s"', w:one { "0.2", "0.5", "1" },
        w:time(10, 200))
    return text .. limit .. memory(w, limit ~= "")
        .. w:maybe(0.15, "limits = { %s = %d }", w:one { "fds", "threads", "pids", "ports" },
            w:int(1, 40))
end

local function serving(w)
    return w:maybe(0.5, "concurrency = %d", w:int(1, 32))
        .. w:maybe(0.6, "service_time = %s", w:dist(0, 30))
        .. w:maybe(0.3, "cpu = %d", w:int(1, 4))
        .. w:maybe(0.4, "queue = { max = %s, %s }", w:one { "0", "3", "50", '"unbounded"' },
            w:one { 'policy = "codel"', 'policy = "adaptive_lifo"', 'policy = "lifo"',
                "preemptive = true", "preemptive = true, timeout = " .. w:dist(10, 900),
                "timeout = " .. w:dist(10, 900) })
        .. w:maybe(0.2, "shed = { %s }", w:one { "in_flight = 9", 'cpu = "80%"',
            'queue_age = "100ms"' })
        .. w:maybe(0.15, "adaptive_limit = {}")
        .. w:maybe(0.15, 'rate_limit = { rate = "%d/s", burst = %d }', w:int(5, 100), w:int(1, 20))
        .. w:maybe(0.2, 'deadlines = "propagate"') .. w:maybe(0.2, "parallel = true")
        .. w:maybe(0.2, 'error_ratio = "%d%%"', w:int(1, 30))
        .. (w:chance(0.1) and 'transport = "quic", ' -- TLS 1.3 is in it
            or w:maybe(0.2, 'tls = "%s"', w:one { "1.2", "1.3" }))
        .. w:maybe(0.2, "io = { reads = 0.5, writes = 1, flush = true }, "
            .. 'disk = { latency = "%s" }', w:time(0, 9))
        .. w:maybe(0.15, 'image = { pull_policy = "%s", pull_time = "%s" }', w:one { "always",
            "if_not_present" }, w:time(1, 3000))
end

return function(w)
    w.settle = 400 -- what was let in is done, however much it is
    w:line('local eu = region "eu" { zones = { "a", "b", "c" }, latency = "1ms", %s}',
        w:maybe(0.4, 'node_lifecycle = { lease_renew = "%s", monitor_period = "1s", '
            .. 'monitor_grace = "%s", toleration = "%s", eviction_rate = "%s/s", room = %d }',
            w:one { "0s", "1s" }, w:time(2000, 4000), w:time(0, 4000), w:one { "0.5", "10" },
            w:int(0, 9)))
    w:line 'local other = cloud "other" { region = "west", zones = { "a", "b" } }'
    w:line('local box = host "box" { %s%s%s}', w:maybe(0.5, "zone = eu.zone.a"),
        w:maybe(0.4, 'cores = 4, memory = "900MiB"'),
        w:maybe(0.3, 'clock = { offset = "2s", ppm = 50 }'))
    for _, place in ipairs { "eu", "eu.zone.a", "eu.zone.b", "other" } do w:has("place", place) end
    w:has("host", "box")
    local function place()
        return w:one { "spread = eu", "spread = eu", "on = other", "on = box" }
    end
    local has_tokens = w:chance(0.3)
    if has_tokens then
        w:line('local idp = service "idp" { replicas = %d, %s }', w:int(1, 2), place())
        w:has("service", "idp", { "idp.replica[1]" })
        w:has("issuer", "idp")
    end
    -- From the back to the front: each tier asks some of those behind it.
    local tiers = w:int(2, 4)
    local replicas_of = {}
    for t = 1, tiers do
        local name, replicas = "tier" .. t, w:int(1, 5)
        local calls = {}
        for c = 1, t > 1 and w:int(1, 2) or 0 do
            local to = "tier" .. w:int(1, t - 1)
            local how, is_hedged = calling(w, replicas_of[to])
            local also = not is_hedged and w:one { "", "", "fan_out = 3, ", "stream = true, ",
                "single_flight = true, " } or ""
            calls[c] = ('call { %s, "GET /%d", %s%s%s%s%s}'):format(to, c, balancing(w, how), how,
                also, w:maybe(0.15, "optional = true"), w:maybe(0.15, "bulkhead = %d", w:int(1, 9)))
        end
        local is_scaled = w:chance(0.25)
        w:line('local %s = service "%s" { replicas = %d, %s, %s%s%s%s%s%s}', name, name, replicas,
            place(), serving(w), running(w),
            (#calls > 0 and "calls = { " .. table.concat(calls, ", ") .. " }, " or ""),
            is_scaled and ('autoscale = { min = 1, max = %d, target_cpu = "50%%", startup = "%s", '
                .. 'cooldown = "%s", period = "%s" }, '):format(replicas + w:int(0, 3),
                w:time(0, 3000), w:time(100, 5000), w:time(200, 3000)) or "",
            w:maybe(0.4, 'versions = { next = { error_ratio = "%d%%", service_time = "%s" } }',
                w:int(0, 60), w:time(0, 30)),
            has_tokens and w:maybe(0.3, 'auth = { issuer = idp, lifetime = "%s", renew = "100ms", '
                .. 'holders = %d, refresh = "2s", retry = "300ms", timeout = "500ms" }',
                w:time(1000, 9000), w:int(1, 30)) or "")
        local parts = {}
        for i = 1, replicas do parts[i] = ("%s.replica[%d]"):format(name, i) end
        w:has("service", name, parts)
        if is_scaled then w:has("scaled", name) end
        replicas_of[name] = replicas
        w:watch(name)
        w:settled(name .. " has nobody waiting", name .. ".queue.length:equals(0)")
        w:settled(name .. " has all it wants", is_scaled
            and name .. ".replicas.ready:at_least(1)"
            or ("%s.replicas.ready:equals(%d)"):format(name, replicas))
        w:metric(name .. ".replicas.ready", tostring(w:int(0, replicas)))
        w:metric(name .. ".shed.ratio", ('"%s"'):format(w:share()))
        w:act('%s:route { next = "%s" }', name, w:share())
    end
    local front = "tier" .. tiers
    local doors = { front, front }
    if w:chance(0.5) then
        local how = calling(w, replicas_of[front])
        w:line('local lb = balancer "lb" { to = %s, %s, replicas = %d, %s, %s%s}', front,
            balancing(w, how):gsub("balance", "policy"):sub(1, -3), w:int(1, 3), place(), how,
            running(w))
        w:has("balancer", "lb", { "lb.replica[1]" })
        w:watch "lb"
        doors[#doors + 1] = "lb"
    end
    if w:chance(0.4) then
        w:line('local gate = gateway "gate" { to = %s, %s, %s%s%s%s%s}', front, place(),
            calling(w, replicas_of[front]),
            w:maybe(0.6, 'limit = "%d/s", burst = %d, algorithm = %s', w:int(5, 90), w:int(5, 20),
                w:one { '"token_bucket"', '"leaky_bucket"', '"leaky_bucket", delay = 0',
                    '"leaky_bucket", delay = 5' }),
            w:maybe(0.4, 'waf = { blocked = "3%", latency = "1ms" }'),
            w:maybe(0.4, 'cache = { ttl = "%s", entries = %d }', w:time(100, 5000), w:int(1, 50)),
            running(w))
        w:has("gateway", "gate", { "gate.replica[1]" })
        w:watch "gate"
        doors[#doors + 1] = "gate"
    end
    if w:chance(0.4) then
        w:line('local name = dns "name" { answers = { %s%s }, ttl = "%s", policy = "%s", %s%s%s%s}',
            front, w:chance(0.5) and ", tier1" or "", w:time(100, 5000),
            w:one { "failover", "weighted", "geo", "anycast" },
            w:maybe(0.5, 'health = { every = "%s", timeout = "%s" }', w:time(100, 2000),
                w:time(10, 200)),
            w:maybe(0.5, 'negative_ttl = "%s"', w:time(100, 5000)),
            w:maybe(0.3, "lookup_time = %s", w:dist(0, 50)),
            w:maybe(0.5, 'resolvers = { count = %d, honour_ttl = "80%%", stale_at_most = "9s" }',
                w:int(1, 50)))
        w:has("dns", "name")
        doors[#doors + 1] = "name"
    end
    for i = 1, w:int(1, 3) do
        local name, door, how = "users" .. i, w:one(doors), calling(w, 1)
        local arrives = w:one { "rate", "rate", "rate", "session", "batch" }
        w:line('local %s = traffic "%s" { to = %s, op = "GET /", %srate = %s, %s%s%s%s%s}', name,
            name, door, balancing(w, how), w:load(1, arrives == "rate" and 80 or 20), how,
            arrives == "session" and w:one { "session = { requests = 3 }, ",
                'session = { leave = "40%" }, think = "300ms", ' } or "",
            arrives == "batch" and "batch = 5, " or "",
            w:maybe(0.3, 'fresh = "20%"'), w:maybe(0.5, "keys = dist.zipf { n = 30, skew = 1 }"))
        w:watch(name, true)
    end
end
