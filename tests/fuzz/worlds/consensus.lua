--- Groups that agree: a store of keys and leases, and a database whose log is a Raft group, or
--- whose leader holds a lease of the first.
local BACK = 'restart = "always", crash_backoff = { first = "200ms", max = "1s" }'

return function(w)
    w.settle = 150
    w:line 'local eu = region "eu" { zones = { "a", "b", "c" }, latency = "1ms" }'
    for _, place in ipairs { "eu", "eu.zone.a", "eu.zone.b" } do w:has("place", place) end
    local nodes = w:one { 1, 2, 3, 3, 3, 4, 5 }
    w:line('local etcd = consensus "etcd" { nodes = %d, spread = eu, %s, '
        .. '%s%s%s%s%s%s%s%s%s%s}', nodes,
        BACK,
        w:maybe(0.6, 'heartbeat = "%s"', w:time(20, 150)),
        w:maybe(0.6, 'election = "%s"', w:time(300, 2000)),
        w:maybe(0.3, "pre_vote = false"), w:maybe(0.7, "%s", w:one { 'reads = "lease"',
            'reads = "stale"', "check_quorum = false",
            'reads = "stale", check_quorum = false' }), "",
        w:maybe(0.4, "request_time = %s, cpu = %d", w:dist(0, 3), w:int(1, 2)),
        w:maybe(0.4, 'request_timeout = "%s"', w:time(500, 5000)),
        w:maybe(0.5, 'lease = "%s"', w:time(500, 9000)),
        w:maybe(0.6, "snapshot = { every = %d, keep = %d }", w:int(1, 200), w:int(1, 50)),
        w:maybe(0.4, 'disk = { latency = %s, size = "%dMiB" }', w:dist(0, 10), w:int(300, 900)))
    local parts = { "etcd.leader" }
    for i = 1, nodes do parts[#parts + 1] = ("etcd.node[%d]"):format(i) end
    w:has("consensus", "etcd", parts)
    w:watch "etcd"
    w:metric("etcd.has_leader", "0.5")
    w:metric("etcd.leader_changes", tostring(w:int(0, 9)))
    w:settled("etcd has a leader", "etcd.has_leader:equals(1)")
    local form = w:one { "none", "lease", "raft", "raft", "sql" }
    local is_raft = form == "raft" or form == "sql"
    if form ~= "none" then
        local of = w:int(is_raft and 3 or 2, 5)
        w:line('local db = database "db" { nodes = %d, spread = eu, %s, query_time = %s, %s%s%s%s}',
            of, BACK,
            w:dist(0, 4),
            is_raft and ('replication = "raft", raft = { reads = "%s", %s%s}, '):format(
                w:one { "index", "lease" },
                w:maybe(0.4, "snapshot = { every = %d, keep = %d }", w:int(1, 200), w:int(1, 40)),
                w:maybe(0.4, "pre_vote = false"))
            or 'replication = "sync", failover = { store = etcd, ttl = "6s", loop_wait = "2s", '
                .. 'retry_timeout = "2s", promote = "500ms" }, ',
            form == "sql" and 'schema = "create table t(id integer primary key, n int not null)", '
                .. 'seed = "insert into t values (1, 0), (2, 0), (3, 0)", ' or "",
            w:maybe(0.3, 'reads = "replicas"'), w:maybe(0.3, "max_connections = %d", w:int(2, 40)))
        parts = { "db.primary" }
        for i = 1, of do parts[#parts + 1] = ("db.node[%d]"):format(i) end
        w:has("database", "db", parts)
        w:watch "db"
        w:settled("no copy is behind", "db.lag.records:equals(0)")
        w:settled("one leads", "db.primaries:equals(1)")
        if form ~= "sql" then w:history "linearizable = db" end
        if form == "raft" then w:history "serializable = db" end
        w:act("db:failover { to = db.node[%d] }", w:int(1, of))
        w:act "db:failover()"
    end
    w:line('local app = service "app" { replicas = %d, spread = eu, handle = {', w:int(1, 4))
    w:line '  ["POST /"] = function(req)'
    for _ = 1, w:int(1, 5) do
        local op = w:one { "get", "get", "put", "cas", "delete" }
        w:line('    req:call { etcd, "%s", key = req.key%s, timeout = "%s", %s}', op,
            op == "put" and ", value = req.key" or op == "cas" and ", value = req.key" or "",
            w:time(50, 3000), w:maybe(0.3, "retries = %d", w:int(1, 3)))
    end
    w:line '    return 200'
    w:line '  end,'
    w:line '  ["POST /lock"] = function(req)'
    local patience = w:time(100, 2000)
    w:line('    local got = req:call { etcd, "acquire", key = req.key, timeout = "%s" }', patience)
    w:line '    if not got.ok then return 409 end'
    w:line('    req:sleep "%s"', w:time(1, 1500))
    if w:chance(0.5) then
        w:line('    req:call { etcd, "renew", key = req.key, timeout = "%s" }', patience)
    end
    w:line('    req:call { etcd, "release", key = req.key, timeout = "%s" }', patience)
    w:line '    return 200'
    w:line '  end,'
    w:line '  ["GET /watch"] = function(req)'
    w:line('    return req:call { etcd, "watch", key = req.key, timeout = "%s" }.ok',
        w:time(100, 4000))
    w:line '      and 200 or 503'
    w:line '  end,'
    w:line '  ["POST /db"] = function(req)'
    if form == "sql" then
        w:line '    return req:sql { db, "update t set n = n + 1 where id = ?",'
        w:line '      { req.key % 3 + 1 },'
        w:line('      timeout = "%s" }.ok and 200 or 503', patience)
    elseif form == "none" then
        w:line '    return 200'
    else
        if w:chance(0.5) then
            w:line('    req:transaction({ db, timeout = "%s", retries = 1 }, function(tx)',
                patience)
            w:line '      tx:write(req.key + 10, (tx:read(req.key + 10) or 0) + 1)'
            w:line '      tx:write(req.key + 20, 1)'
            w:line '    end)'
        end
        w:line('    return req:call { db, req.key %% 2 == 0 and "write" or "read", key = req.key, '
            .. 'timeout = "%s" }.ok and 200 or 503', patience)
    end
    w:line '  end } }'
    w:has("service", "app", { "app.replica[1]" })
    w:watch "app"
    for i, op in ipairs { "POST /", "POST /lock", "GET /watch", "POST /db" } do
        local name = "users" .. i
        w:line('local %s = traffic "%s" { to = app, op = "%s", rate = %s, timeout = "%s", '
            .. 'keys = dist.zipf { n = %d, skew = 1 } }', name, name, op, w:load(1, 40),
            w:time(500, 5000), w:one { 1, 5, 100 })
        w:watch(name, true)
    end
    w:history "mutual_exclusion = etcd"
    w:history "linearizable = etcd"
    w:history "read_your_writes = etcd"
    w:history "monotonic_reads = etcd"
end
