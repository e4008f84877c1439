scenario "Work takes a little too long" { duration = "10s", warmup = "1s" }
local web = service "web" { replicas = 2, concurrency = 8, service_time = "12ms" }
traffic "users" { to = web, rate = "50/s" }
expect "answers come within 10 ms" { always = web.latency.p99:below "10ms" }
