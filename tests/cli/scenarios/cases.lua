-- Three cases: the slowest is known to fail.
scenario "Three speeds" { duration = "10s", warmup = "1s", xfail = { work = "20ms" } }
local work = param("work", { "1ms", "5ms", "20ms" })
local web = service "web" { replicas = 1, concurrency = 8, service_time = work }
traffic "users" { to = web, rate = "50/s" }
expect "answers come within 10 ms" { always = web.latency.p99:below "10ms" }
