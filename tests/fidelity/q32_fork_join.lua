-- Q32, fork and join: each job forks to n queues and is done when the last part is. Expected: n
-- = 2 exactly (12 - rho) / (8 (1 - rho)), Flatto and Hahn (1984); Nelson and Tantawi (1988); n =
-- 4 and 8 by a simulation in C of its own: 3.842 +- 0.003, 9.167 +- 0.026, 4.852 +- 0.005,
-- 11.404 +- 0.044. The front calls each replica once, round robin, 20 us away, and a service
-- time is 100 ms. `error` is the relative standard error of T over a million jobs, from 20 seeds.
local n = param("customers", 1e5)
local case = param("case", { "n=2 .3", "n=2 .5", "n=2 .7", "n=2 .8", "n=2 .9", "n=4 .5", "n=4 .8",
                             "n=8 .5", "n=8 .8" })
local want = ({
  ["n=2 .3"] = { n = 2, rho = 0.3, T = 2.0893, error = 0.0012 },
  ["n=2 .5"] = { n = 2, rho = 0.5, T = 2.875, error = 0.002 },
  ["n=2 .7"] = { n = 2, rho = 0.7, T = 4.7083, error = 0.005 },
  ["n=2 .8"] = { n = 2, rho = 0.8, T = 7, error = 0.009 },
  ["n=2 .9"] = { n = 2, rho = 0.9, T = 13.875, error = 0.017 },
  ["n=4 .5"] = { n = 4, rho = 0.5, T = 3.842, error = 0.002 },
  ["n=4 .8"] = { n = 4, rho = 0.8, T = 9.167, error = 0.008 },
  ["n=8 .5"] = { n = 8, rho = 0.5, T = 4.852, error = 0.002 },
  ["n=8 .8"] = { n = 8, rho = 0.8, T = 11.404, error = 0.006 },
})[case]
local slack = 4 * want.error * math.sqrt(1e6 / n)

scenario "Fork and join" { duration = math.ceil(n / want.rho / 10) .. "s" }

local rack = host "rack" {}
local q = service "q" {
  on = rack, replicas = want.n, concurrency = 1, queue = { max = "unbounded" },
  service_time = dist.exponential { mean = "100ms" },
}
local front = service "front" { on = rack, concurrency = 60000, service_time = "0s",
  calls = { call { q, "part", fan_out = want.n, timeout = "1000h" } } }
traffic "jobs" { to = front, rate = want.rho * 10 .. "/s", timeout = "1000h", beside = true }

expect "a job takes as long as its last part" {
  at_end = front.latency.mean:between(("%.9gs"):format(want.T / 10 * (1 - slack)),
    ("%.9gs"):format(want.T / 10 * (1 + slack))),
}
