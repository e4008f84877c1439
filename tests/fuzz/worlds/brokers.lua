--- Brokers: topics of all settings, producers and groups of consumers, which may call a service, or
--- write to another topic in transactions.
local BACK = 'restart = "always", crash_backoff = { first = "200ms", max = "1s" }'

-- What groups write in transactions, and who reads it, with batches of a few and of many.
local function ledger(w, nodes)
    w:line('local ledger = topic "ledger" { on = kafka, partitions = %d, replication = %d }',
        w:one { 1, 2, 5 }, w:int(1, nodes))
    w:has("topic", "ledger")
    w:settled("ledger has nothing under way", "ledger.in_flight:equals(0)")
    for r = 1, w:int(1, 2) do
        local name = "audit" .. r
        w:line('local %s = consumers "%s" { of = ledger, members = %d, isolation = "%s", %s%s%s}',
            name, name, w:int(1, 3), r == 1 and "read_committed" or "read_uncommitted",
            w:maybe(0.5, "batch = %d", w:int(1, 5)), w:maybe(0.5, "work = %s", w:dist(0, 3)), BACK)
        w:has("consumers", name, { name .. ".member[1]" })
        w:settled(name .. " is up to date", name .. ".lag.records:equals(0)")
    end
end

local function in_transactions(w)
    return ('transactions = true, %shandle = function(record) return record:call({ ledger, '
        .. '"produce", timeout = "300ms", retries = 1, value = record.offset }).ok end, '):format(
        w:maybe(0.7, 'transaction_timeout = "%s"', w:time(5000, 20000)))
end

-- When all is over a group's number of rebalances is found out, and then must not grow. What is
-- asked is judged once a second.
local function watch_rebalances(w, name)
    w:line('drive("watches %s", function()', name)
    w:line('    sleep "%ds"', w.quiet + w.settle - 60)
    w:line("    local low, high = 0, 4096")
    w:line("    while low < high do")
    w:line("        local mid = (low + high) // 2")
    w:line('        local grew = wait_until(%s.rebalances:above(mid), { timeout = "2s" })', name)
    w:line("        if grew then low = mid + 1 else high = mid end")
    w:line("    end")
    w:line('    if wait_until(%s.rebalances:above(low), { timeout = "20s" }) then', name)
    w:line('        mark "%s rebalances on"', name)
    w:line("    end")
    w:line("end)")
    table.insert(w.rest, ('expect "settled: %s no longer rebalances" { '
        .. 'never = happened "%s rebalances on" }'):format(name, name))
end

return function(w)
    local nodes = w:one { 1, 2, 3, 3, 3, 4, 5 }
    w.settle = 120
    w:line 'local eu = region "eu" { zones = { "a", "b", "c" }, latency = "1ms" }'
    w:line('local kafka = broker "kafka" { nodes = %d, spread = eu, %s, %s%s%s%s%s}', nodes, BACK,
        w:maybe(0.7, 'election = "%s"', w:time(200, 6000)),
        w:maybe(0.5, "disk_write = %s", w:dist(0, 20)),
        w:maybe(0.5, 'replica_lag_time = "%s"', w:time(500, 10000)),
        w:maybe(0.3, 'flush = "%s"', w:time(0, 3000)),
        w:maybe(0.2, 'disk = { latency = %s, bandwidth = "%dMB/s" }', w:dist(0, 8), w:int(1, 50)))
    local parts = {}
    for i = 1, nodes do parts[i] = ("kafka.node[%d]"):format(i) end
    w:has("broker", "kafka", parts)
    w:has("place", "eu")
    w:has("place", "eu.zone.a")
    w:has("place", "eu.zone.b")
    w:metric("kafka.partitions.offline", tostring(w:int(0, 4)))
    w:metric("kafka.partitions.under_replicated", tostring(w:int(0, 8)))
    w:metric("kafka.elections", tostring(w:int(0, 20)))
    w:settled("all nodes are there", ("kafka.nodes.up:equals(%d)"):format(nodes))
    w:settled("no partition is without a leader", "kafka.partitions.offline:equals(0)")
    w:settled("each ISR is whole", "kafka.partitions.under_replicated:equals(0)")
    w:line('local sink = service "sink" { service_time = "1ms", replicas = 2 }')
    w:has("service", "sink", { "sink.replica[1]" })
    local has_ledger, groups = w:chance(0.4), {}
    local most = has_ledger and 10 or 120 -- a record of a transaction waits for the one before
    if has_ledger then ledger(w, nodes) end
    local has_second, most_topics = false, w:int(1, 2)
    for t = 1, most_topics do
        has_second = t == 2
        local copies, partitions = w:int(1, nodes), w:one { 1, 2, 3, 6, 12 }
        local topic = "topic" .. t
        w:line('local %s = topic "%s" { on = kafka, partitions = %d, replication = %d, %s%s%s%s}',
            topic, topic, partitions, copies, w:maybe(0.6, "min_isr = %d", w:int(1, copies)),
            w:maybe(0.4, "unclean = %s", w:one { "true", "false" }),
            w:maybe(0.2, 'retention = "%ds"', w:int(1, 20)),
            w:maybe(0.2, 'retention_bytes = "%dKiB"', w:int(1, 100)))
        w:has("topic", topic)
        w:has("partition", ("%s.partition[%d]"):format(topic, w:int(1, partitions)))
        w:metric(topic .. ".lost_acks", tostring(w:int(0, 50)))
        w:metric(topic .. ".isr", tostring(w:int(0, copies)))
        w:settled(topic .. " has nothing under way", topic .. ".in_flight:equals(0)")
        w:settled(topic .. " has all copies", ("%s.isr:equals(%d)"):format(topic, copies))
        w:history(("log_intact = %s"):format(topic))
        for p = 1, w:int(1, 2) do
            local name = ("shop%d%d"):format(t, p)
            local acks = w:one { "all", "all", "all", "leader", "none" }
            local retries = acks ~= "none" and w:maybe(0.5, "retries = %d", w:int(1, 20)) or ""
            w:line('local %s = traffic "%s" { to = %s, rate = %s, timeout = "%s", '
                .. '%s%s%s%s%s%s%s%s%s}', name, name, topic, w:load(1, most), w:time(100, 3000),
                ('acks = "%s", '):format(acks),
                retries,
                w:maybe(0.2, 'overall_timeout = "%s"', w:time(500, 9000)),
                acks == "all" and #retries > 0
                    and w:maybe(0.3, "idempotent = %s", w:one { "true", "false" }) or "",
                w:maybe(0.4, 'linger = "%s"', w:time(0, 200)),
                w:maybe(0.2, 'batch_size = "%dB"', w:int(600, 9000)),
                w:maybe(0.3, "max_in_flight = %d", w:int(1, 5)),
                w:maybe(0.2, 'buffer = "%dKiB"', w:int(1, 64)),
                w:maybe(0.4, "keys = dist.zipf { n = %d, skew = 1 }", w:int(1, 50)))
            w:watch(name, true)
        end
        for g = 1, w:int(0, 2) do
            local name, members = ("readers%d%d"):format(t, g), w:int(1, 5)
            local calls = w:chance(0.3)
            local writes = has_ledger and not calls and w:chance(0.7)
            -- What does not fit into its time is tried again for ever, here as there. Nobody tells
            -- who joins that the coordinator is gone without a word: it waits for all of its time.
            local poll = w:maybe(0.5, 'max_poll_interval = "%s"', w:time(8000, 20000))
            if poll == "" then w.settle = 700 end
            local batch = writes and ("batch = %d, "):format(w:int(1, 5))
            local commit = not writes and w:maybe(0.5, "commit = { %s }", w:one { 'every = "700ms"',
                'after = "batch"', 'delivery = "at_most_once"' }) or ""
            w:line('local %s = consumers "%s" { of = %s, members = %d, %s%s%s%s%s%s%s%s%s%s%s}',
                name, name, topic, members,
                writes and batch or w:maybe(0.5, "batch = %d", w:int(1, 100)),
                writes and in_transactions(w) or w:maybe(0.6, "work = %s", w:dist(0, 6)),
                w:maybe(0.6, 'session = "%s"', w:time(1000, 20000)),
                w:maybe(0.3, 'heartbeat = "%s"', w:time(2, 300)),
                poll .. w:maybe(0.3, "static = true"),
                w:maybe(0.7, "%s", w:one { 'assignment = "sticky"',
                    writes and 'assignment = "range"' or 'protocol = "cooperative"',
                    'assignment = "range"', 'assignment = "round_robin"' }),
                commit,
                w:maybe(0.5, 'reset = "%s"', w:one { "latest", "earliest" }),
                w:maybe(0.3, 'on_error = "%s"', w:one { "retry", "skip", "crash" }),
                calls and 'calls = { call { sink, timeout = "300ms", retries = 1 } }, ' or "",
                BACK)
            groups[#groups + 1] = name
            local one = {}
            for i = 1, members do one[i] = ("%s.member[%d]"):format(name, i) end
            w:has("consumers", name, one)
            w:has("member", one[1])
            w:metric(name .. ".lag.records", tostring(w:int(0, 200)))
            w:metric(name .. ".lag.time", ('"%s"'):format(w:time(1, 9000)))
            -- Who commits by batches commits no position that was reset, until the next batch.
            if commit == "" or commit:find "every" then
                w:settled(name .. " is up to date", name .. ".lag.records:equals(0)")
            end
            w:settled(name .. " shares out the partitions",
                ("%s.members.assigned:equals(%d)"):format(name, math.min(members, partitions)))
        end
    end
    for _, name in ipairs(groups) do watch_rebalances(w, name) end
    for n = 1, w:chance(0.3) and 2 or 0 do -- the second is the zombie of the first, or beside it
        local name = "checkout" .. n
        w:line('local %s = traffic "%s" { to = topic1, transactional_id = "t%d", rate = %s, '
            .. '%s%s%s%s}', name, name, w:int(1, n), w:load(1, most),
            has_second and "also_to = { topic2 }, " or "",
            w:maybe(0.5, 'aborts = "%d%%"', w:int(1, 50)),
            w:maybe(0.5, 'transaction_timeout = "%s"', w:time(500, 9000)),
            w:maybe(0.5, "keys = dist.zipf { n = %d, skew = 1 }", w:int(1, 50)))
        w:watch(name, true)
    end
end
