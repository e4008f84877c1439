scenario "Orders are taken, and the moon is up" { duration = "40s", warmup = "5s" }
local db = database "db" { nodes = 2, query_time = "2ms", failover = { detect = "2s" } }
local api = service "api" {
  replicas = 3, concurrency = 8, service_time = "5ms",
  calls = { call { db, "write", timeout = "500ms", retries = 2 } },
}
local users = traffic "users" { to = api, rate = "60/s", timeout = "2s" }
fault.kill { api, at = "10s", lasting = "5s", pick = 1 }
expect "orders are taken" { always = users.success.ratio:at_least "90%", over = "5s" }
-- It says nothing: there is no latency above an hour.
expect "answers come within the hour" { never = users.latency.p99:above "1h" }
