scenario "Now and then the queue is too long" { duration = "30s", seeds = 12 }

local web = service "web" { concurrency = 1, queue = { max = 20 },
  service_time = dist.exponential { mean = "10ms" } }
traffic "users" { to = web, rate = "70/s", timeout = "500ms" }

expect "p99 is fine" { at_end = web.latency.p99:below "150ms" }
