-- Q06, M/G/1, first in first out: of the service time's distribution only the mean and the squared
-- coefficient of variation matter. Expected: Pollaczek-Khinchine, T = 1 + rho (1 + cv2) /
-- (2 (1 - rho)); Kleinrock, Queueing Systems I (1975), ch. 5; Harchol-Balter (2013), ch. 23.
-- `error` is the relative standard error of T over a million customers, from 20 seeds.
local Q = use "./_queue.lua"
local n = param("customers", 5e5)
local case = param("case", { "Erlang-4 .5", "Erlang-4 .8", "Erlang-2 .8", "H2(2) .8", "H2(4) .8",
                             "H2(4) .9" })
local want = ({
  ["Erlang-4 .5"] = { rho = 0.5, T = 1.625, error = 0.0012, work = Q.erlang(4, 1) },
  ["Erlang-4 .8"] = { rho = 0.8, T = 3.5, error = 0.006, work = Q.erlang(4, 1) },
  ["Erlang-2 .8"] = { rho = 0.8, T = 4, error = 0.009, work = Q.erlang(2, 1) },
  ["H2(2) .8"] = { rho = 0.8, T = 7, error = 0.013, work = Q.h2(2, 1) },
  ["H2(4) .8"] = { rho = 0.8, T = 11, error = 0.025, work = Q.h2(4, 1) },
  ["H2(4) .9"] = { rho = 0.9, T = 23.5, error = 0.045, work = Q.h2(4, 1) },
})[case]

scenario "M/G/1" { duration = Q.duration(n, want.rho) }

local q = service "q" { concurrency = 1, queue = { max = "unbounded" }, service_time = want.work }
traffic "customers" { to = q, rate = Q.rate(want.rho), timeout = "1000h", beside = true }

expect "the mean time in system is Pollaczek and Khinchine's" {
  at_end = Q.near(q.latency.mean, want.T, Q.slack(want.error, n)),
}
