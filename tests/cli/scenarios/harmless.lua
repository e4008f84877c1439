-- A microsecond more on a link is touched by every request and felt by none.
scenario "A microsecond more does no harm" { duration = "10s", warmup = "1s" }
local web = service "web" { replicas = 2, concurrency = 16,
  service_time = dist.exponential { mean = "5ms" } }
local edge = service "edge" { service_time = "1ms", concurrency = 64,
  calls = { call { web, timeout = "1s" } } }
local users = traffic "users" { to = edge, rate = "40/s" }
fault.latency { link(edge, web), add = "1us", at = "3s", lasting = "5s" }
expect "requests are answered" { always = users.errors.ratio:below "1%" }
expect "and in time" { always = users.latency.p99:below "500ms" }
