-- Linux divides a host's cores by weight (cgroup v2, cpu.weight): with equal weights a service that
-- needs little keeps all it needs, however much its neighbour wants, but a service that needs more
-- than its half is cut down to it. A quota (limits.cpu) on the neighbour gives the rest back.
--
-- Numbers to reproduce: api needs 2.5 of 4 cores (250/s of 10 ms). The batch wants all four. By
-- max-min fairness api gets 2 of them, 200 requests a second: a fifth of its load is too much. Held
-- to half a core the batch leaves 3.5, though not evenly: it takes its two cores for a quarter of
-- each 100 ms, and then none.
local neighbour = param("neighbour", { "quiet", "noisy", "limited" })

scenario "A service keeps its latency beside a noisy neighbour" {
  about = "Two services share a host of four cores; one of them starts a batch. max-min fair "
    .. "shares as of cgroup v2's cpu.weight; Verma et al., \"Large-scale cluster management at "
    .. "Google with Borg\" (EuroSys 2015), section 6.2, is why limits exist.",
  tags     = { "cpu", "noisy-neighbour" },
  duration = "3m",
  warmup   = "30s",
  xfail    = { neighbour = "noisy" },
}

local rack = host "rack-1" { cores = 4 }

local api = service "api" {
  on = rack, cpu = 4, concurrency = 64, queue = { max = 200 },
  service_time = dist.exponential { mean = "10ms" },
}

local batch = service "batch" {
  on = rack, cpu = 4, concurrency = 64, cpu_limit = neighbour == "limited" and 0.5 or nil,
  service_time = "100ms",
}

traffic "users" { to = api, rate = "250/s", timeout = "5s" }

-- The batch wants forty core-seconds a second; it takes what it is given.
if neighbour ~= "quiet" then
  traffic "jobs" { to = batch, rate = "400/s", timeout = "20s" }
end

expect "the api answers within 250 ms" {
  always  = api.latency.p99:below "250ms", over = "10s",
  because = "its cores are its own: nobody said that they may be taken",
}

expect "no request of the api is refused" { always = api.shed.ratio:equals "0%" }

if neighbour == "noisy" then
  expect "the api is cut down to its half, 200 of 250 requests a second" {
    at_end = api.success.ratio:between("75%", "85%"), over = "60s",
  }
end
