-- What SQL deletes is brought back as of an instant; a drill finds a backup that cannot be read, and
-- what was restored is still there after the primary has died twice.
scenario "A table is brought back" { duration = "60s" }

local db = database "db" {
    nodes = 2, replication = "sync", query_time = "1ms", failover = false,
    schema = "create table t(id integer primary key, n int not null)",
    backup = { full = "10s", archive = "1s", drill = "7s", size = "100MB", throughput = "100MB/s" },
}
local web = service "web" { handle = {
    ["POST /row"] = function(req)
        return req:sql { db, "insert into t values (?, 1)", { req.key } }.status
    end,
    ["POST /oops"] = function(req)
        local r = req:sql { db, "delete from t" }
        log("%d rows are gone", r.changes or -1)
        return r.status
    end,
    ["GET /count"] = function(req)
        local r = req:sql { db, "select count(*) as n, max(id) as last from t" }
        if r.ok then log("%d rows, the last is %s", r.rows[1].n, r.rows[1].last) end
        return r.status
    end,
} }
traffic "writers" { to = web, op = "POST /row", rate = "10/s", arrivals = "constant" }
traffic "oops" { to = web, op = "POST /oops", rate = "0.04/s", arrivals = "constant" }
traffic "counts" { to = web, op = "GET /count", rate = "0.2/s", arrivals = "constant" }

drive("whoever notices", function()
    sleep "28s"
    log("%s", tostring(db:restore { at = "24500ms" }))
end)
fault.kill { db.primary, at = "40s", lasting = "1s" }
fault.kill { db.primary, at = "45s", lasting = "1s" }
fault.backup_corrupt { db, at = "48s", lasting = "6s" }

expect "as much is lost as was written since" { at_end = db.lost_acks:between(20, 40) }
expect "and no more when it dies" {
    always = db.lost_acks:at_most(40), during = { after = "35s", lasting = "24s" },
}
expect "it takes what the copy takes" { sometimes = db.rto:between("1s", "3s") }
expect "drills succeed" { at_end = db.drills:at_least(5) }
expect "but for the one that finds it unreadable" { at_end = db.drills.failed:at_least(1) }
