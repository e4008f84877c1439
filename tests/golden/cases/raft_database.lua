-- A database whose log is a Raft group: its leader is killed, then cut off with a minority of the
-- nodes while callers still reach it, then all but two are gone. Whoever reads sees what was
-- acknowledged, by asking a majority or by a lease; from followers, as they are, he does not.
local form = param("form", { "index", "lease", "followers", "sql" })
scenario "A majority decides" { duration = "40s" }

local speaks = form == "sql"
local db = database "db" {
    nodes = 5, replication = "raft", query_time = "200us",
    reads = form == "followers" and "replicas" or "primary",
    raft = { reads = form == "lease" and "lease" or "index", snapshot = { every = 200, keep = 20 } },
    schema = speaks and "create table t(id integer primary key, n int not null)" or nil,
    seed = speaks and "insert into t values (1, 0), (2, 0), (3, 0), (4, 0)" or nil,
}
link { db, db, latency = dist.lognormal { p50 = "1ms", p99 = "10ms" } }
local web = service "web" { replicas = 2, concurrency = 100, handle = {
    ["POST /"] = function(req)
        local key = req.key // 3 % 4 + 1
        if speaks then
            local r = req:sql { db, "update t set n = n + 1 where id = ?", { key },
                timeout = "500ms" }
            if r.ok and r.changes == 1 then mark "counted" end
            return r.ok and 200 or 503
        elseif req.key % 5 == 0 then
            return req:transaction({ db, timeout = "500ms", retries = 2,
                isolation = "serializable" }, function(tx)
                tx:write(key + 10, (tx:read(key + 10) or 0) + 1)
                tx:write(key + 20, 1)
            end).ok and 200 or 503
        end
        local r = req:call { db, req.key % 2 == 0 and "write" or "read", key = key,
            timeout = "500ms" }
        return r.ok and 200 or 503
    end,
    ["GET /"] = function(req)
        if not speaks then return 200 end
        local r = req:sql { db, "select sum(n) as n from t", timeout = "2s" }
        if r.ok then log("%d have been counted", r.rows[1].n) end
        return 200
    end,
} }
local users = traffic "users" { to = web, op = "POST /", rate = "60/s", timeout = "2s" }
traffic "sums" { to = web, op = "GET /", rate = "0.1/s", arrivals = "constant" }

fault.kill { db.node[1], at = "6s", lasting = "3s" }
for _, here in ipairs { 2, 3 } do
    for _, there in ipairs { 1, 4, 5 } do
        fault.partition { db.node[here], db.node[there], at = "14s", lasting = "6s" }
    end
end
for n = 3, 5 do fault.kill { db.node[n], at = "26s", lasting = "4s" } end

expect "nothing acknowledged is lost" { at_end = db.lost_acks:equals(0) }
expect "others came to lead" { at_end = db.failovers:at_least(1) }
if form ~= "followers" then
    expect "while three of five are gone nothing goes on" {
        always = users.success.ratio:below "1%", during = { after = "27s", lasting = "2s" },
    }
end
expect "and then it goes on" {
    always = users.success.ratio:above "90%", during = { after = "33s", lasting = "6s" },
}
if form == "followers" then
    expect "followers are behind" { at_end = db.stale_reads:at_least(1) }
elseif not speaks then
    expect "as if there were one copy" { linearizable = db }
    expect "no read is old" { at_end = db.stale_reads:equals(0) }
end
