--- A group that agrees, of its own or a database's, whose leader asks before it answers a read:
--- it is linearizable and loses nothing, whatever happens to its nodes, network and clocks. Only
--- disks that do not keep what they said they had could have it otherwise; none does here.
return function(w)
    w.settle = 150
    w:spare("fsync_lie", "lost_write", "torn_write", "misdirected_write")
    local latency = w:one { '"1ms"', '"4ms"', w:dist(0, 20), w:dist(1, 60) }
    w:line('local eu = region "eu" { zones = { "a", "b", "c" }, latency = %s }', latency)
    for _, place in ipairs { "eu", "eu.zone.a", "eu.zone.b" } do w:has("place", place) end
    local nodes = w:one { 1, 3, 3, 3, 4, 5 }
    local is_database = nodes > 1 and w:chance(0.4)
    local raft = w:maybe(0.4, 'heartbeat = "%s"', w:time(20, 150))
        .. w:maybe(0.4, "pre_vote = false") .. w:maybe(0.3, "check_quorum = false")
        .. w:maybe(0.6, "snapshot = { every = %d, keep = %d }", w:int(1, 100), w:int(1, 40))
        .. 'reads = "index", '
    local rest = 'restart = "always", crash_backoff = { first = "200ms", max = "1s" }, '
        .. w:maybe(0.5, 'disk = { latency = %s }', w:dist(0, 10))
    if is_database then
        w:line('local g = database "g" { nodes = %d, spread = eu, query_time = "200us", %s',
            nodes, rest)
        w:line('  replication = "raft", raft = { %s} }', raft)
    else
        w:line('local g = consensus "g" { nodes = %d, spread = eu, %s%s }', nodes, raft, rest)
    end
    local parts = { is_database and "g.primary" or "g.leader" }
    for i = 1, nodes do parts[#parts + 1] = ("g.node[%d]"):format(i) end
    w:has(is_database and "database" or "consensus", "g", parts)
    w:watch "g"
    local keys = w:one { 3, 10, 30 }
    for _, op in ipairs(is_database and { "read", "write" } or { "get", "put", "cas" }) do
        w:line('local %ss = traffic "%ss" { to = g, op = "%s", rate = %s, timeout = "%s", '
            .. 'keys = dist.zipf { n = %d, skew = 0 } }', op, op, op, w:load(1, 25),
            w:time(300, 4000), keys)
        w:watch(op .. "s", true)
    end
    w:holds("it is linearizable", "linearizable = g")
    w:settled("no read was stale", "g.stale_reads:equals(0)")
    w:settled("nothing that was acknowledged is lost", "g.lost_acks:equals(0)")
end
