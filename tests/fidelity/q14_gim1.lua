-- Q14, GI/M/1: renewal arrivals. With sigma the root of the gaps' transform at 1 - s, the time in
-- system is exponential with rate 1 - sigma. Expected: Kleinrock, Queueing Systems I (1975), ch.
-- 6. `error` is the relative standard error of T over a million customers, from 20 seeds.
local Q = use "./_queue.lua"
local n = param("customers", 5e5)
local case = param("case", { "D .5", "D .8", "E2 .8", "E4 .9", "H2(4) .8", "H2(4) .9" })
local want = ({
  ["D .5"] = { rho = 0.5, T = 1.255, p99 = 5.7795, error = 0.0016, gaps = Q.constant },
  ["D .8"] = { rho = 0.8, T = 2.6927, p99 = 12.4, error = 0.005,  gaps = Q.constant },
  ["E2 .8"] = { rho = 0.8, T = 3.844, p99 = 17.702, error = 0.009,
    gaps = function(mean) return Q.erlang(2, mean) end },
  ["E4 .9"] = { rho = 0.9, T = 6.383, p99 = 29.395, error = 0.014,
    gaps = function(mean) return Q.erlang(4, mean) end },
  ["H2(4) .8"] = { rho = 0.8, T = 10.819, p99 = 49.824, error = 0.019,
    gaps = function(mean) return Q.h2(4, mean) end },
  ["H2(4) .9"] = { rho = 0.9, T = 23.409, p99 = 107.8, error = 0.038,
    gaps = function(mean) return Q.h2(4, mean) end },
})[case]

scenario "GI/M/1" { duration = Q.duration(n, want.rho) }

local q = service "q" { concurrency = 1, queue = { max = "unbounded" }, service_time = Q.exp(1) }
traffic "customers" { to = q, gaps = want.gaps(1 / want.rho), timeout = "1000h", beside = true }

local slack = Q.slack(want.error, n)
expect "the mean time in system is 1/(1 - sigma)" {
  at_end = Q.near(q.latency.mean, want.T, slack),
}
expect "the 99th percentile is the exponential's" {
  at_end = Q.near(q.latency.p99, want.p99, 0.01 + 1.5 * slack),
}
