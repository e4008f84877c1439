-- M/D/1. Expected: Pollaczek-Khinchine for the means; the quantiles of the wait are exact
-- (Crommelin 1932; Iversen & Staalhagen 1999).
-- `slack` is four standard errors of the mean wait over 1e6 customers, from 20 seeds.
local rho = param("rho", { 0.5, 0.8, 0.9 })
local want = ({
  [0.5] = { Wq = 0.5, T = 1.5, p90 = 1.5157, p99 = 3.3363, slack = 0.008 },
  [0.8] = { Wq = 2,   T = 3,   p90 = 5.0115, p99 = 10.356, slack = 0.07 },
  [0.9] = { Wq = 4.5, T = 5.5, p90 = 10.783, p99 = 21.898, slack = 0.30 },
})[rho]
local unit = 10     -- one service time is 10 ms

scenario "M/D/1" { duration = (1e6 * unit / 1000 / rho) .. "s" }

local q = service "q" { concurrency = 1, queue = { max = "unbounded" }, service_time = unit
    .. "ms" }
traffic "customers" { to = q, rate = (rho * 1000 / unit) .. "/s", timeout = "1000h", beside = true }

local function ms(x) return x * unit .. "ms" end
local rel = want.slack / want.Wq

expect "the mean wait is Pollaczek and Khinchine's" {
  at_end = q.queue.wait.mean:between(ms(want.Wq - want.slack), ms(want.Wq + want.slack)),
}
expect "the mean time in system is the wait and one service" {
  at_end = q.latency.mean:between(ms(want.T - want.slack), ms(want.T + want.slack)),
}
expect "the 90th percentile of the wait is exact" {
  at_end = q.queue.wait.p90:between(ms(want.p90 * (0.99 - rel)), ms(want.p90 * (1.01 + rel))),
}
expect "the 99th percentile of the wait is exact" {
  at_end = q.queue.wait.p99:between(ms(want.p99 * (0.99 - 2 * rel)),
      ms(want.p99 * (1.01 + 2 * rel))),
}
