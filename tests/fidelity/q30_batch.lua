-- Q30, batch arrivals: b customers at once. Expected: E[N] = rho (1 + b) / (2 (1 - rho)), and by
-- Little T = N / rho; Gross and Harris, Fundamentals of Queueing Theory (1998), ch. 3.
-- `error` is the relative standard error of T over a million customers, from 20 seeds.
local Q = use "./_queue.lua"
local n = param("customers", 5e5)
local case = param("case", { "b=1 .5", "b=1 .8", "b=5 .5", "b=5 .8", "b=10 .5", "b=10 .8" })
local want = ({
  ["b=1 .5"]  = { b = 1, rho = 0.5, T = 2, error = 0.0027 },
  ["b=1 .8"]  = { b = 1, rho = 0.8, T = 5, error = 0.011 },
  ["b=5 .5"]  = { b = 5, rho = 0.5, T = 6, error = 0.005 },
  ["b=5 .8"]  = { b = 5, rho = 0.8, T = 15, error = 0.02 },
  ["b=10 .5"] = { b = 10, rho = 0.5, T = 11, error = 0.007 },
  ["b=10 .8"] = { b = 10, rho = 0.8, T = 27.5, error = 0.028 },
})[case]

scenario "M^b/M/1" { duration = Q.duration(n, want.rho) }

local q = service "q" { concurrency = 1, queue = { max = "unbounded" }, service_time = Q.exp(1) }
traffic "customers" { to = q, rate = Q.rate(want.rho), batch = want.b, timeout = "1000h",
  beside = true }

expect "the mean time in system is the formula's" {
  at_end = Q.near(q.latency.mean, want.T, Q.slack(want.error, n)),
}
