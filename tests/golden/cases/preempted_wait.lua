-- Who loses its worker waits again, and all of it is its wait: 100 ms of work that is begun at once
-- and is interrupted for 100 ms has waited for 100 ms.
scenario "A preempted request has waited" { duration = "10s" }

local api = service "api" {
  concurrency = 1, service_time = "100ms", queue = { max = "unbounded", preemptive = true },
}
local low = traffic "low" { to = api, op = "GET /", rate = "2/s", arrivals = "constant",
  timeout = "1s", priority = 7 }
traffic "high" { to = api, op = "GET /", rate = "3/s", arrivals = "constant", timeout = "1s" }

expect "its wait is counted whole" { at_end = api.queue.wait.max:between("99ms", "101ms") }
-- One of 200 ms in gaps of 50 ms, whose worker is taken three times or four for 200 ms each.
local torn = service "torn" {
  concurrency = 1, service_time = "200ms", queue = { max = "unbounded", preemptive = true },
}
traffic "slow" { to = torn, op = "GET /", rate = "0.2/s", arrivals = "constant", timeout = "5s",
  priority = 7 }
traffic "fast" { to = torn, op = "GET /", rate = "4/s", arrivals = "constant", timeout = "1s" }
expect "its waits are summed" { at_end = torn.queue.wait.max:between("749ms", "801ms") }

expect "its latency is that, its work and 30 ms of way" {
  at_end = low.latency.max:between("229ms", "232ms") }
