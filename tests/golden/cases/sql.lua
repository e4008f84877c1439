-- A database that speaks SQL: what handlers are told, transactions that wait for each other, a
-- failover, and a disk under SQLite that tears what it was writing when the power went.
scenario "SQL is asked and answered" { duration = "40s", warmup = "1s" }

local db = database "bank" {
    nodes = 3, replication = "sync", query_time = "30ms", deadlock_timeout = "200ms",
    failover = { detect = "2s", promote = "1s" },
    schema = [[
        create table accounts(id integer primary key, cents int not null check (cents >= 0));
        create table notes(what text);
    ]],
    seed = "insert into accounts values (1, 10000), (2, 10000), (3, 10000), (4, 10000)",
}
local lone = database "lone" {
    schema = "create table t(id integer primary key, n)", disk = { latency = "1ms" },
}
local web = service "web" { concurrency = 300, handle = {
    ["POST /move"] = function(req)
        local a, b = 1 + req.key % 4, 1 + req.key // 4 % 4
        if a == b then return 204 end
        local r = req:transaction({ db, retries = 3, timeout = "5s" }, function(tx)
            tx:sql("update accounts set cents = cents - 10 where id = ?", { a })
            tx:sql("update accounts set cents = cents + 10 where id = ?", { b })
            local s = tx:sql "select sum(cents) as n from accounts"
            if s.rows[1].n ~= 40000 then mark "money is made" end
        end)
        return r.ok and 200 or 503
    end,
    ["GET /once"] = function(req)
        local r = req:sql { db, "select id, cents, :nothing as x from accounts where id < ?2",
            { nil, 3 } }
        log("%d rows, x is %s", #r:must().rows, r.rows[1].x)
        r = req:sql { db, "select count(*) as n, datetime('now') as t from notes" }
        log("%d notes at %s", r.rows[1].n, r.rows[1].t)
        r = req:sql { db, "insert into accounts values (1, 5)" }
        log("%s %s %s: %s", r.ok, r.status, r.code, r.error)
        r = req:sql { db, "pragma writable_schema = on" }
        log("%s: %s", r.code, r.error)
        r = req:transaction({ db }, function(tx)
            tx:sql "insert into notes values ('never kept')"
            tx:sql "update accounts set cents = -1"
        end)
        log("%s: %s", r.code, r.error)
        -- Nobody looks how this one went: the request fails.
        req:sql { db, "insert into notes values (absent)" }
    end,
    ["GET /worse"] = function(req) return #req:sql({ db, "select * from nowhere" }).rows end,
} }
traffic "movers" { to = web, op = "POST /move", rate = "10/s" }
local once = traffic "once" { to = web, op = "GET /once", rate = "0.1/s", arrivals = "constant" }
local worse = traffic "worse" { to = web, op = "GET /worse", rate = "0.2/s", arrivals = "constant" }
traffic "writers" { to = lone, op = "insert into t(n) values (:key)", rate = "20/s" }
local crash = fault.kill { db.primary, at = "15s" }
fault.torn_write { lone, at = "18s", lasting = "3s" }
fault.down { lone, at = "20s", lasting = "5s" }

expect "none is made" { never = happened "money is made" }
expect "they have waited for each other" { at_end = db.deadlocks:above(0) }
expect "one write is lost with the power" { at_end = lone.lost_acks:equals(1) }
expect "what fails, fails" { at_end = worse.success.ratio:equals "0%" }
expect "and what nobody looked at" { at_end = once.success.ratio:equals "0%" }
