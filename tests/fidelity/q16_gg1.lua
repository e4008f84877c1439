-- Q16, G/G/1 beside Kingman's approximation rho/(1 - rho) (ca2 + cs2)/2 of the wait, which must be
-- as far off as it is: 9, 16, 18, 3 and 10. Expected: exact by Kleinrock I (1975), ch. 6, for
-- exponential service; for the others a simulation of 20 x 3e6 customers in C of its own
-- (8.809 +- 0.043, 16.14 +- 0.068 and 17.68 +- 0.17 with 95 %); Kingman (1961).
-- `error` is the relative standard error of Wq over a million customers, from 20 seeds.
local Q = use "./_queue.lua"
local n = param("customers", 5e5)
local case = param("case", { "E2/H2(4) .8", "H2(4)/H2(4) .8", "D/H2(4) .9", "E2/M .8",
                             "H2(4)/M .8" })
local want = ({
  ["E2/H2(4) .8"] = { rho = 0.8, Wq = 8.809, error = 0.02, gaps = Q.erlang(2, 1 / 0.8),
    work = Q.h2(4, 1) },
  ["H2(4)/H2(4) .8"] = { rho = 0.8, Wq = 16.14, error = 0.025, gaps = Q.h2(4, 1 / 0.8),
    work = Q.h2(4, 1) },
  ["D/H2(4) .9"] = { rho = 0.9, Wq = 17.68, error = 0.035, gaps = Q.constant(1 / 0.9),
    work = Q.h2(4, 1) },
  ["E2/M .8"] = { rho = 0.8, Wq = 2.844, error = 0.012, gaps = Q.erlang(2, 1 / 0.8),
    work = Q.exp(1) },
  ["H2(4)/M .8"] = { rho = 0.8, Wq = 9.8192, error = 0.021, gaps = Q.h2(4, 1 / 0.8),
    work = Q.exp(1) },
})[case]

scenario "G/G/1" { duration = Q.duration(n, want.rho) }

local q = service "q" { concurrency = 1, queue = { max = "unbounded" }, service_time = want.work }
traffic "customers" { to = q, gaps = want.gaps, timeout = "1000h", beside = true }

expect "the mean wait is the simulated or exact one, and not Kingman's" {
  at_end = Q.near(q.queue.wait.mean, want.Wq, Q.slack(want.error, n)),
}
