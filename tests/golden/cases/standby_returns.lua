-- A standby that was away comes back as the only one that lives, and leads with what it has: the
-- log is kept for it meanwhile. With the four others cut off or dead, records beyond the point at
-- which a new timeline begins are of no timeline: who has them cannot lead with them.
local way = param("way", { "away for 26 s", "cut timelines" })
local is_cut = way == "cut timelines"

scenario "A standby that was away leads" { duration = "60s" }

local eu = region "eu" { zones = { "a", "b", "c" }, latency = "1ms" }
local db = database "db" {
  nodes = is_cut and 5 or 3, spread = eu, query_time = "1ms",
  replication = is_cut and "sync" or "async",
  failover = { detect = "1s", promote = "500ms", fencing = not is_cut },
}
local web = service "web" {
  concurrency = 128, service_time = "1ms", replicas = 2,
  calls = { call { db, "write order", timeout = "500ms" } },
}
local users = traffic "users" { to = web, rate = "400/s" }

if is_cut then
  fault.pause { db, at = "7s", lasting = "8s" }
  fault.partition { db.node[3], at = "15s", lasting = "3s" }
  fault.kill { db.node[3], at = "5s", lasting = "8s" }
else
  fault.kill { db.node[2], at = "2s", lasting = "26s" }
  fault.kill { db.node[1], at = "28s" }
  fault.kill { db.node[3], at = "28s" }
end

expect "somebody leads in the end" {
  eventually = users.errors.ratio:below "1%", after = "30s", within = "20s", holding = "5s",
}
expect "somebody was promoted" { at_end = db.failovers:at_least(1) }
