--- Disks that lie, and the power that goes while they do: databases of rows and of SQL by every
--- replication, groups that agree, brokers. Beside what is drawn, each of these has nodes whose
--- disk loses, tears or misdirects what it was given, and then its host is off for a while.
local BACK = 'restart = "always", crash_backoff = { first = "200ms", max = "1s" }'
local LIES <const> = { "fsync_lie", "fsync_lie", "lost_write", "torn_write", "misdirected_write" }

-- A few nodes' disks lie, and some of those lose power meanwhile or soon after.
local function lying(w, name, nodes)
    for _ = 1, w:int(1, 3) do
        local node = ("%s.node[%d]"):format(name, w:int(1, nodes))
        local at, lasting = w:int(2000, 15000), w:int(100, 3000)
        local what = w:one(LIES)
        w:line('fault.%s { %s, at = "%dms", lasting = "%dms"%s } -- drawn', what, node, at, lasting,
            what:find "write" and what ~= "torn_write" and ', ratio = "' .. w:share() .. '"' or "")
        if w:chance(0.8) then
            local off = at + w:int(1, lasting + 500)
            w:line('fault.down { %s, at = "%dms", lasting = "%dms" } -- drawn',
                w:chance(0.85) and node or name, off, w:int(1, 19500 - off))
        end
    end
end

local function data(w)
    local how = w:one { "async", "sync", "sync", "raft", "raft" }
    local nodes = how == "raft" and w:one { 3, 3, 4, 5 } or w:int(how == "async" and 1 or 2, 4)
    local is_sql = w:chance(0.5)
    w:line('local db = database "db" { nodes = %d, spread = eu, %s, query_time = %s, '
        .. 'replication = "%s", %s%s%s%s%s}', nodes, BACK, w:dist(0, 3), how,
        how ~= "raft" and nodes > 1 and w:maybe(0.8,
            'failover = { detect = "%s", promote = "%s" }', w:time(300, 4000), w:time(0, 2000))
            or "",
        is_sql and 'schema = "create table t(id integer primary key, n int not null)", '
            .. 'seed = "insert into t values (1, 0), (2, 0), (3, 0)", ' or "",
        w:maybe(0.6, 'disk = { latency = %s, %s%s}', w:dist(0, 8),
            w:maybe(0.4, "checksums = %s", w:one { "true", "false" }),
            w:maybe(0.3, "iops = %d", w:int(100, 3000))),
        w:maybe(0.3, 'reads = "replicas"'), w:maybe(0.3, "max_connections = %d", w:int(2, 60)))
    w:line('local app = service "app" { replicas = 2, spread = eu, handle = { ["POST /"] = '
        .. "function(req)")
    if is_sql then
        w:line '    return req:sql { db, "update t set n = n + 1 where id = ?",'
        w:line "        { req.key % 3 + 1 },"
        w:line('        timeout = "%s" }.ok and 200 or 503', w:time(100, 3000))
    else
        w:line('    return req:call { db, req.key %% 3 == 0 and "read" or "write", key = req.key, '
            .. 'timeout = "%s", %s}.ok and 200 or 503', w:time(100, 3000),
            w:maybe(0.5, "retries = %d", w:int(1, 3)))
    end
    w:line "end } }"
    local parts = { "db.primary" }
    for i = 1, nodes do parts[#parts + 1] = ("db.node[%d]"):format(i) end
    w:has("database", "db", parts)
    w:has("service", "app", { "app.replica[1]" })
    w:line('local users = traffic "users" { to = app, op = "POST /", rate = %s, timeout = "%s", '
        .. "keys = dist.zipf { n = %d, skew = 1 } }", w:load(1, 60), w:time(500, 5000),
        w:one { 3, 30, 1000 })
    w:watch "db"
    w:watch "app"
    w:watch("users", true)
    w:metric("db.lost_acks", tostring(w:int(0, 20)))
    w:metric("db.lag.records", tostring(w:int(0, 20)))
    if how == "raft" then w:settled("one leads", "db.primaries:equals(1)") end
    lying(w, "db", nodes)
end

local function group(w)
    local nodes = w:one { 1, 3, 3, 5 }
    w:line('local etcd = consensus "etcd" { nodes = %d, spread = eu, %s, %s%s}', nodes, BACK,
        w:maybe(0.5, "snapshot = { every = %d, keep = %d }", w:int(1, 100), w:int(1, 30)),
        w:maybe(0.5, "disk = { latency = %s }", w:dist(0, 10)))
    w:line('local keeper = service "keeper" { replicas = 2, spread = eu, handle = { ["POST /"] = '
        .. "function(req)")
    w:line('    return req:call { etcd, req.key %% 2 == 0 and "get" or "put", key = req.key, '
        .. 'value = req.key, timeout = "%s" }.ok and 200 or 503 end } }', w:time(100, 3000))
    local parts = { "etcd.leader" }
    for i = 1, nodes do parts[#parts + 1] = ("etcd.node[%d]"):format(i) end
    w:has("consensus", "etcd", parts)
    w:has("service", "keeper", { "keeper.replica[1]" })
    w:line('local keys = traffic "keys" { to = keeper, op = "POST /", rate = %s, timeout = "%s", '
        .. "keys = dist.zipf { n = 20, skew = 1 } }", w:load(1, 60), w:time(500, 5000))
    w:watch "etcd"
    w:watch("keys", true)
    w:settled("etcd has a leader", "etcd.has_leader:equals(1)")
    w:history "linearizable = etcd"
    lying(w, "etcd", nodes)
end

local function log(w)
    local nodes = w:one { 1, 3, 3, 4 }
    w:line('local kafka = broker "kafka" { nodes = %d, spread = eu, %s, %s%s}', nodes, BACK,
        w:maybe(0.5, 'flush = "%s"', w:time(0, 3000)),
        w:maybe(0.5, "disk = { latency = %s }", w:dist(0, 8)))
    w:line('local orders = topic "orders" { on = kafka, partitions = %d, replication = %d, %s}',
        w:int(1, 4), w:int(1, nodes), w:maybe(0.4, "unclean = true"))
    w:line('local shop = traffic "shop" { to = orders, rate = %s, timeout = "%s", %s%s}',
        w:load(1, 80), w:time(300, 3000), w:one { 'acks = "all", ', 'acks = "leader", ' },
        w:maybe(0.5, "retries = %d", w:int(1, 9)))
    w:line('local billing = consumers "billing" { of = orders, members = %d, session = "%s", %s }',
        w:int(1, 3), w:time(1000, 6000), BACK)
    local parts = {}
    for i = 1, nodes do parts[i] = ("kafka.node[%d]"):format(i) end
    w:has("broker", "kafka", parts)
    w:has("topic", "orders")
    w:has("consumers", "billing", { "billing.member[1]" })
    w:watch("shop", true)
    w:metric("orders.lost_acks", tostring(w:int(0, 20)))
    w:settled("all nodes are there", ("kafka.nodes.up:equals(%d)"):format(nodes))
    w:settled("no partition is without a leader", "kafka.partitions.offline:equals(0)")
    w:settled("each ISR is whole", "kafka.partitions.under_replicated:equals(0)")
    w:history "log_intact = orders"
    lying(w, "kafka", nodes)
end

return function(w)
    w.settle = 200
    w:line 'local eu = region "eu" { zones = { "a", "b", "c" }, latency = "1ms" }'
    w:has("place", "eu")
    w:has("place", "eu.zone.a")
    local first = w:one { data, data, group, log }
    first(w)
    if w:chance(0.3) then (first == data and w:one { group, log } or data)(w) end
end
