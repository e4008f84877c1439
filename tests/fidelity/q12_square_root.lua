-- Q12, square-root staffing: R = 100 Erlangs on c = R + beta sqrt(R) servers. Expected: Erlang C
-- exactly, which the limit of Halfin and Whitt (1981) comes near: 0.50454, 0.22336, 0.08469 and
-- 0.026881. The chance to wait shows in the mean wait, P_wait / (c - R) service times.
-- `error` is the relative standard error over a million customers, from 20 seeds.
local Q = use "./_queue.lua"
local n = param("customers", 1e6)
local beta = param("beta", { 0.5, 1.0, 1.5, 2.0 })
local R = 100
local want = ({
  [0.5] = { c = 105, P = 0.51571, error = 0.02 },
  [1.0] = { c = 110, P = 0.23701, error = 0.02 },
  [1.5] = { c = 115, P = 0.095441, error = 0.025 },
  [2.0] = { c = 120, P = 0.033196, error = 0.035 },
})[beta]

scenario "Square-root staffing" { duration = Q.duration(n, R) }

local q = service "q" {
  concurrency = want.c, queue = { max = "unbounded" }, service_time = Q.exp(1),
}
traffic "customers" { to = q, rate = Q.rate(R), timeout = "1000h", beside = true }

expect "the mean wait is that of as many as wait by Erlang C" {
  at_end = Q.near(q.queue.wait.mean, want.P / (want.c - R), Q.slack(want.error, n)),
}
