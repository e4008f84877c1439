-- Expectations: what must hold, and when. Run: lorenz run examples/expectation.lua
scenario "A slow minute is noticed, and ends" { duration = "4m", warmup = "30s" }

local api = service "api" { replicas = 2, concurrency = 16, service_time = "10ms" }
local users = traffic "users" { to = api, rate = "150/s" }

local slow = fault.degrade { api, factor = 4, at = "2m", lasting = "30s" }

expect "p99 stays under 200 ms outside the slow spell" {
  always = users.latency.p99:below "200ms",
  except = { after = slow, lasting = "35s" },
}

expect "goodput is back to normal 20 s after it ends" {
  eventually = users.goodput:recovers_to "90%", over = "5s",
  after = slow.ends, within = "20s", holding = "10s",
}

expect "the slow spell can be seen at all" { sometimes = api.latency.p50:above "30ms" }
expect "nothing is refused" { at_end = api.shed.ratio:equals(0) }

slo "availability" { of = users, objective = "99.9%", over = "4m" }
