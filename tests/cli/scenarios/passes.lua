-- Everything holds.
scenario "Everything holds" { duration = "10s", warmup = "1s" }
local web = service "web" { replicas = 1, concurrency = 8, service_time = "1ms" }
traffic "users" { to = web, rate = "50/s" }
expect "answers come within a second" { always = web.latency.p99:below "1s" }
