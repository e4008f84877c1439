-- Files of any kind, on a disk that may be slow; one in two has none. Who cannot write them may end
-- himself: somebody starts him again.
local function files(w)
    if w:chance(0.5) then return "" end
    local appends = w:chance(0.7)
    local saves = not appends or w:chance(0.3)
    return ('persistence = { %s%s%s%s}, restart = "always", '
        .. 'crash_backoff = { first = "200ms", max = "1s" }, %s'):format(
        appends and "appendonly = true, " or "",
        appends and w:maybe(0.7, 'appendfsync = "%s"', w:one { "always", "everysec", "no" }) or "",
        saves and ('save = "%s", %s'):format(w:time(500, 8000),
            w:maybe(0.4, "save_changes = %d", w:int(1, 40))) or "",
        w:maybe(0.5, 'load_rate = "%dKiB/s"', w:int(1, 900)),
        w:maybe(0.6, "disk = { latency = %s, %s}", w:dist(0, 40),
            w:maybe(0.3, "iops = %d", w:int(5, 3000))))
end

--- Caches: alone, with sentinels, as a cluster; before a database, with locks, sets and counters.
return function(w)
    local mode = w:one { "single", "single", "sentinel", "sentinel", "cluster", "cluster" }
    local shards, copies = w:int(1, 4), w:int(0, 2)
    local nodes = mode == "cluster" and math.max(3, shards) * (copies + 1) or w:int(1, 4)
    w.settle = 200
    w:line 'local eu = region "eu" { zones = { "a", "b", "c" }, latency = "1ms" }'
    local more = ""
    if mode == "cluster" then
        more = ('mode = "cluster", cluster = { replicas = %d, node_timeout = "%s", %s%s%s%s%s}, ')
            :format(copies, w:time(500, 5000), w:maybe(0.3, "require_full_coverage = false"),
                w:maybe(0.3, "replica_validity_factor = %d", w:int(0, 3)),
                w:maybe(0.3, "migration_barrier = %d", w:int(0, 2)),
                w:maybe(0.2, "allow_replica_migration = false"),
                w:maybe(0.2, "allow_reads_when_down = true"))
    elseif mode == "sentinel" and nodes > 1 then
        more = ('mode = "sentinel", sentinel = { count = %d, down_after = "%s", %s%s%s}, '):format(
            w:one { 1, 3, 3, 5 }, w:time(200, 5000), w:maybe(0.3, "quorum = 1"),
            w:maybe(0.4, 'failover_timeout = "%s"', w:time(1000, 20000)),
            w:maybe(0.3, "parallel_syncs = %d", w:int(1, 3)))
    end
    local eviction = w:maybe(0.5, 'eviction = "%s"',
        w:one { "lru", "lfu", "fifo", "random", "noeviction", "volatile-lru", "volatile-lfu",
            "volatile-random", "volatile-ttl" })
    local draws = eviction == "" or eviction:find "l[rf]u" or eviction:find "ttl" -- the others none
    w:line('local redis = cache "redis" { nodes = %d, spread = eu, entries = %d, '
        .. '%s%s%s%s%s%s%s%s%s%s%s}', nodes, w:one { 3, 50, 1000 }, more,
        w:maybe(0.3, 'max_memory = "%dKiB"', w:int(4, 200)),
        w:maybe(0.4, 'ttl = "%s"', w:time(100, 9000)),
        eviction,
        draws and w:maybe(0.3, "samples = %d", w:int(1, 8)) or "",
        w:maybe(0.3, "get_time = %s", w:dist(0, 4)),
        w:maybe(0.2, "max_connections = %d", w:int(2, 60)),
        w:maybe(0.3, 'reads = "replicas"'),
        nodes > 1 and w:maybe(0.2, 'min_replicas_to_write = 1, min_replicas_max_lag = "%s"',
            w:time(1000, 9000)) or "",
        w:maybe(0.2, 'memory = { limit = "64MiB" }'), files(w))
    local parts = {}
    for i = 1, nodes do parts[i] = ("redis.node[%d]"):format(i) end
    if nodes > 1 and mode ~= "cluster" then parts[#parts + 1] = "redis.primary" end
    w:has("cache", "redis", parts)
    if mode == "cluster" then
        for i = 1, nodes // (copies + 1) do w:has("shard", ("redis.shard[%d]"):format(i)) end
        w:settled("all slots are served", 'redis.slots.covered:equals "100%"')
        w:metric("redis.slots.covered", '"99%"')
        w:act("redis:reshard { slots = %d, from = %d, to = %d, batch = %d }", w:int(1, 4000),
            w:int(1, 3), w:int(1, 3), w:int(1, 100))
        w:act('redis:reshard { slots = %d, from = 1, to = 2, timeout = "%s" }', w:int(1, 9000),
            w:time(10, 2000))
        -- A failover may leave a slot open for good: as with Redis, somebody comes to fix it.
        w:line('drive("mender", function() sleep "%ds" repeat sleep "5s" until redis:fix() end)',
            w.quiet + 20)
    end
    w:has("place", "eu")
    w:has("place", "eu.zone.a")
    w:has("place", "eu.zone.b")
    w:settled("no replica is behind", "redis.lag.records:equals(0)")
    w:metric("redis.lost_acks", tostring(w:int(0, 20)))
    w:metric("redis.hit_ratio", ('"%s"'):format(w:share()))
    w:line('local db = database "db" { query_time = "%s", failover = false }', w:time(1, 30))
    w:has("database", "db", { "db.node[1]" })
    w:line('local shelf = service "shelf" { replicas = %d, spread = eu, %s', w:int(1, 4),
        w:maybe(0.4, 'crash_backoff = { first = "200ms", max = "1s" }, restart = "always"'))
    w:line '  handle = {'
    local patience = w:time(20, 900)
    w:line('    ["GET /"] = function(req)')
    w:line('      local hit = req:call { redis, "get", key = req.key, timeout = "%s", '
        .. 'retries = %d }', patience, w:int(0, 2))
    w:line '      if hit.ok then return 200 end'
    local is_once = w:chance(0.5)
    w:line(is_once and '      local row = req:once(req.key, function()'
        or '      local row = (function()')
    w:line '        local r = req:call { db, "select x", key = req.key, timeout = "1s" }'
    w:line('        req:call { redis, "set", key = req.key, value = "x", timeout = "%s", %s}',
        patience, w:maybe(0.5, 'ttl = "%s"', w:time(50, 5000)))
    w:line '        return r'
    w:line(is_once and '      end)' or '      end)()')
    w:line '      return row.ok and 200 or 503'
    w:line '    end,'
    w:line '    ["POST /"] = function(req)'
    for _ = 1, w:int(1, 5) do
        local op = w:one { "set", "setnx", "del", "incr", "decr", "expire", "sadd", "smembers",
            "exists", "mget", "mset" }
        local keys = (op == "mget" or op == "mset")
            and 'keys = { "{" .. req.key .. "}a", "{" .. req.key .. "}b" }'
            or ("key = %s + req.key"):format(w:one { "0", "100000", "200000" })
        local value = op == "mset" and ", values = { 1, 2 }"
            or (op == "set" or op == "sadd" or op == "incr") and ", value = 3"
            or op == "expire" and ', ttl = "1s"' or ""
        w:line('      req:call { redis, "%s", %s%s, timeout = "%s"%s }', op, keys, value, patience,
            w:chance(0.2) and ', value_size = "9KiB"' or "")
    end
    w:line '      return 200'
    w:line '    end,'
    w:line '    ["POST /lock"] = function(req)'
    w:line('      local lock = req:call { redis, "setnx", key = 7, value = req.key, ttl = "%s", '
        .. 'timeout = "%s" }', w:time(100, 3000), patience)
    w:line '      if not lock.ok then return 409 end'
    w:line('      req:sleep "%s"', w:time(1, 500))
    w:line('      req:call { redis, "del", key = 7, value = req.key, timeout = "%s" }', patience)
    w:line '      return 200'
    w:line '    end,'
    w:line '  },'
    w:line '}'
    w:has("service", "shelf", { "shelf.replica[1]" })
    w:line('local web = service "web" { calls = { call { db, "select y", timeout = "1s", %s'
        .. 'through = call { redis, ttl = "2s", timeout = "%s", %s} } } }',
        w:maybe(0.5, "single_flight = true"), patience, w:maybe(0.3, "beta = 1"))
    w:has("service", "web", { "web.replica[1]" })
    for _, t in ipairs { { "readers", "shelf", "GET /" }, { "writers", "shelf", "POST /" },
        { "lockers", "shelf", "POST /lock" }, { "visitors", "web", "GET /" } } do
        w:line('local %s = traffic "%s" { to = %s, op = "%s", rate = %s, timeout = "%s", '
            .. 'keys = dist.zipf { n = %d, skew = %s } }', t[1], t[1], t[2], t[3], w:load(1, 60),
            w:time(300, 3000), w:one { 3, 60, 2000 }, w:one { "0.5", "1", "1.2" })
        w:watch(t[1], true)
    end
    w:watch "redis"
    w:watch "shelf"
    w:watch "web"
    w:history "counter = redis"
    w:history "set = redis"
    w:history "mutual_exclusion = redis"
    w:history "linearizable = redis"
    w:history "converges = redis"
    w:history "monotonic_reads = redis"
end
