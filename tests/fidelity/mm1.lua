-- M/M/1, first in first out. Expected: Kleinrock, Queueing Systems I (1975), ch. 3: the time in
-- system is exponential with mean 1/(1 - rho) service times, the wait rho/(1 - rho).
-- Four standard errors of a mean over 1e6 customers: the asymptotic variance of the wait is
-- rho (2 + 5 rho - 4 rho^2 + rho^3) / (1 - rho)^4 (Daley 1968).
local rho = param("rho", { 0.5, 0.8, 0.9 })
local want = ({
  [0.5] = { T = 2,  Wq = 1, p50 = 1.3863, p90 = 4.6052, p99 = 9.2103, slack = 0.0216 },
  [0.8] = { T = 5,  Wq = 4, p50 = 3.4657, p90 = 11.513, p99 = 23.026, slack = 0.178 },
  [0.9] = { T = 10, Wq = 9, p50 = 6.9315, p90 = 23.026, p99 = 46.052, slack = 0.758 },
})[rho]
local unit = 10     -- one service time is 10 ms

scenario "M/M/1" { duration = (1e6 * unit / 1000 / rho) .. "s" }

local q = service "q" {
  concurrency  = 1,
  queue        = { max = "unbounded" },
  service_time = dist.exponential { mean = unit .. "ms" },
}
traffic "customers" { to = q, rate = (rho * 1000 / unit) .. "/s", timeout = "1000h", beside = true }

local function ms(x) return x * unit .. "ms" end
local rel = want.slack / want.T

expect "the mean time in system is 1/(1 - rho)" {
  at_end = q.latency.mean:between(ms(want.T - want.slack), ms(want.T + want.slack)),
}
expect "the mean wait is rho/(1 - rho)" {
  at_end = q.queue.wait.mean:between(ms(want.Wq - want.slack), ms(want.Wq + want.slack)),
}
expect "the median time in system is the exponential's" {
  at_end = q.latency.p50:between(ms(want.p50 * (0.99 - rel)), ms(want.p50 * (1.01 + rel))),
}
expect "the 90th percentile is the exponential's" {
  at_end = q.latency.p90:between(ms(want.p90 * (0.99 - rel)), ms(want.p90 * (1.01 + rel))),
}
expect "the 99th percentile is the exponential's" {
  at_end = q.latency.p99:between(ms(want.p99 * (0.99 - 1.5 * rel)),
      ms(want.p99 * (1.01 + 1.5 * rel))),
}
