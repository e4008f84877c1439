-- Snapshots of SQL: audits that read every account twice, on the primary and on replicas, while
-- money moves; who writes what was written since begins again; a schema that changed under one.
local where = param("reads", { "primary", "replicas" })
scenario "Audits of SQL see one state" { duration = "20s" }

local db = database "bank" {
    nodes = 3, replication = "sync", query_time = "1ms", reads = where, wal_flush = "2ms",
    deadlock_timeout = "20ms",
    schema = "create table accounts(id integer primary key, cents int not null)",
    seed = "insert into accounts values (1, 100), (2, 100), (3, 100), (4, 100), (5, 0)",
}
local web = service "web" { concurrency = 300, handle = {
    ["POST /move"] = function(req)
        local a, b = 1 + req.key % 4, 1 + req.key // 4 % 4
        if a == b then return 204 end
        return req:transaction({ db, retries = 5, isolation = "repeatable read" }, function(tx)
            local had = tx:sql("select cents from accounts where id = ?", { a }).rows[1].cents
            req:sleep "5ms"
            tx:sql("update accounts set cents = ? where id = ?", { had - 1, a })
            tx:sql("update accounts set cents = cents + 1 where id = ?", { b })
        end).ok and 200 or 503
    end,
    ["GET /audit"] = function(req)
        for _, isolation in ipairs { "read committed", "repeatable read", "serializable" } do
            local r = req:transaction({ db, read_only = true, isolation = isolation }, function(tx)
                local first = tx:sql("select group_concat(cents) as all_of from accounts").rows[1]
                req:sleep "200ms"
                local sum = tx:sql("select sum(cents) as n from accounts").rows[1].n
                local second = tx:sql("select group_concat(cents) as all_of from accounts").rows[1]
                if sum ~= 400 then mark(isolation .. ": money is made") end
                if first.all_of ~= second.all_of then mark(isolation .. ": two states") end
            end)
            if not r.ok then mark("an audit fails: " .. r.code) end
        end
        return 200
    end,
    ["POST /alter"] = function(req)
        local r = req:transaction({ db, isolation = "repeatable read" }, function(tx)
            tx:sql "select count(*) as n from accounts"
            req:sql({ db, "create index by_cents on accounts(cents)" }):must()
            tx:sql "update accounts set cents = cents where id = 5"
        end)
        log("altered meanwhile: %s %s", r.code, r.error)
        return 200
    end,
} }
local moves = traffic "moves" { to = web, op = "POST /move", rate = "50/s" }
traffic "audits" { to = web, op = "GET /audit", rate = "2/s", arrivals = "constant" }
traffic "alters" { to = web, op = "POST /alter", rate = "0.1/s", arrivals = "constant" }

for _, isolation in ipairs { "read committed", "repeatable read", "serializable" } do
    expect(isolation .. ": none is made") { never = happened(isolation .. ": money is made") }
end
expect "statements of read committed see new states" {
    eventually = happened "read committed: two states", within = "20s",
}
expect "a snapshot is one" { never = happened "repeatable read: two states" }
expect "of a serializable transaction too" { never = happened "serializable: two states" }
expect "who is overtaken begins again" { at_end = db.serialization_failures:at_least(5) }
expect "and gets through" { at_end = moves.success.ratio:at_least "99%" }
expect "nothing is left open" { at_end = db.transactions:at_most(10) }
