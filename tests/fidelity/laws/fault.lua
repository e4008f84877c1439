scenario "A fault, timeouts and refusals" { duration = "60s" }
local web = service "web" { concurrency = 4, replicas = 1, queue = { max = 20 },
  service_time = dist.exponential { mean = "10ms" } }
traffic "users" { to = web, rate = shape.burst { base = "0/s", peak = "500/s", every = "25s",
  lasting = "10s" }, timeout = "30ms", retries = 2, backoff = "20ms" }
fault.degrade { web, factor = 3, at = "20s", lasting = "10s" }
fault.latency { web, add = dist.exponential { mean = "2ms" }, at = "45s", lasting = "5s",
  ramp = "2s" }
expect "answers come" { sometimes = web.rate:above "1/s" }
