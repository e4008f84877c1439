-- Faults by chance, within a budget. What a seed brings: lorenz plan examples/chaos.lua --seed 3
-- Many of them: lorenz sweep examples/chaos.lua; smaller what fails: it shrinks by itself.
scenario "The shop lives through bad weather" { duration = "5m", warmup = "10s", seeds = 20 }

local eu = region "eu" { zones = { "a", "b", "c" } }
local db = database "db" {
  nodes = 3, spread = eu, replication = "sync", failover = { detect = "2s", promote = "1s" },
}
local web = service "web" {
  replicas = 6, spread = eu, service_time = "5ms",
  calls = { call { db, "read cart", timeout = "200ms", retries = 2 } },
}
local users = traffic "users" { to = web, rate = "50/s", timeout = "1s" }

-- Each comes at its own mean distance in time; the budget says how much may be hit at once.
chaos "weather" {
  fault.kill { web, mtbf = "30s", lasting = "10s" },
  fault.degrade { web, mtbf = "40s", lasting = "10s", factor = 4 },
  fault.latency { link(web, db), mtbf = "1m", lasting = "8s", add = "40ms" },
  together = 2, zones = 2, replicas = "34%", quiet = "5s",
}

expect "most users are served, always" { always = users.success.ratio:at_least "80%", over = "5s" }
