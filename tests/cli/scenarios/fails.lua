-- Work takes longer than is allowed.
scenario "Work takes too long" { duration = "10s", warmup = "1s" }
local web = service "web" { replicas = 1, concurrency = 8, service_time = "5ms" }
traffic "users" { to = web, rate = "50/s" }
expect "answers come within a millisecond" { always = web.latency.p99:below "1ms" }
