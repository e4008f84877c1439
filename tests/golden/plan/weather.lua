-- Faults come by chance, two at once at the most and never in two zones.
scenario "Answers keep coming in bad weather" { duration = "5m", warmup = "10s", seeds = 10 }

local eu = region "eu" { zones = { "a", "b", "c" } }
local db = database "db" { nodes = 3, spread = eu, replication = "sync",
  failover = { detect = "2s" } }
local web = service "web" {
  replicas = 6, spread = eu, concurrency = 32, service_time = "5ms", calls = { call { db, "read",
    timeout = "200ms", retries = 1 } },
}
local users = traffic "users" { to = web, rate = "50/s", timeout = "1s" }

chaos "weather" {
  fault.kill { web, mtbf = "20s", lasting = "10s" },
  fault.latency { link(web, db), mtbf = "30s", lasting = "8s", add = "40ms" },
  fault.degrade { web, mtbf = "30s", lasting = "10s", factor = 4, pick = 2 },
  fault.down { eu.zone.a, mtbf = "1m", lasting = "15s" },
  together = 2, zones = 3, targets = 2, replicas = "34%", quiet = "5s", most = 12,
}

expect "answers keep coming" { always = users.success.ratio:at_least "50%", over = "5s" }
