-- Who writes and reads at once finds its write on a replica only if that has applied it, which
-- takes half a second here. With tokens it is asked of one that has, or of the primary; with a
-- bound on the lag nobody asks a replica that is so late; within the bound it may still miss one.
local how = param("how", { "any replica", "read your writes", "max lag" })

scenario "Reads of replicas" { duration = "30s", xfail = { how = "any replica" } }

local eu = region "eu" { latency = "1ms" }
local db = database "db" {
  nodes = 3, reads = "replicas", apply_time = "20ms", query_time = "1ms", spread = eu,
  read_your_writes = how == "read your writes", max_lag = how == "max lag" and "100us" or nil,
}
local web = service "web" {
  spread = eu,
  calls = { call { db, "write profile" }, call { db, "select profile" } },
}
traffic "users" { to = web, arrivals = "closed", users = 10, think = "400ms" }

expect "nobody misses what it wrote" { always = db.stale_reads:equals(0) }
expect "replicas are late" { sometimes = db.lag.records:at_least(1) }
