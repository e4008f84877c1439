-- D17, a row that everybody writes: its lock is held over k round trips of the client, the work and
-- the commit, so no more than 1 / (k RTT + exec + commit) transactions per second get through.
-- Arithmetic: GitHub's cross-country writes of October 2018 are the 70 ms. Expected 133.33/s,
-- 6.8729/s, and 181.82/s for a statement that is a transaction of its own; 2 %.
-- Below that rate the lock is an M/D/1 queue: at half of it Pollaczek and Khinchine say a mean
-- wait of 0.5 / (2 (1 - 0.5)) of 5.5 ms, 2.75 ms.
local trips = param("trips", { 0, 2 })
local rtt = param("rtt", { 1, 70 })
local exec, commit = 0.5, 5
local expected = 1000 / (trips * rtt + exec + commit)

scenario "A hot row is a queue" { duration = "10m", warmup = "10s" }

local box = host "box" {}
local db = database "db" {
  on = box, query_time = (trips == 0 and exec or exec / 2) .. "ms",
  disk = { latency = commit .. "ms" },
}
local api = service "api" { service_time = "0s", concurrency = 1000, handle = {
  ["POST /order"] = function(req)
    if trips == 0 then return req:call { db, "write row", key = 1, value = 1 }.status end
    local r = req:transaction({ db }, function(tx)
      tx:write(1, 1)
      tx:read(2)
    end)
    return r.status
  end,
} }
link { api, db, latency = rtt / 2 .. "ms" }
traffic "all" { to = api, op = "POST /order", arrivals = "closed", users = 50 }

expect "as many as the lock lets through" {
  at_end = db.acked:between(expected * 600 * 0.98, expected * 600 * 1.02 + 1),
}
expect "and nobody but the lock was in the way" { at_end = db.deadlocks:equals(0) }
