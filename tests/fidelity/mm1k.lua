-- M/M/1/K: at most K in the system, the rest refused. Expected: Kleinrock, Queueing Systems I
-- (1975), ch. 3; Harchol-Balter (2013), ch. 13.
-- `slack` is four standard errors of the mean number in system over 1e6 customers, from 20 seeds.
local case = param("case", { "rho=0.8 K=5", "rho=1.0 K=10", "rho=1.2 K=10", "rho=2.0 K=20" })
local want = ({
  ["rho=0.8 K=5"]  = { rho = 0.8, K = 5,  loss = 0.088819, N = 1.8683, X = 0.72894, slack = 0.02 },
  ["rho=1.0 K=10"] = { rho = 1.0, K = 10, loss = 0.090909, N = 5,      X = 0.90909, slack = 0.08 },
  ["rho=1.2 K=10"] = { rho = 1.2, K = 10, loss = 0.19259,  N = 6.7107, X = 0.9689,  slack = 0.06 },
  ["rho=2.0 K=20"] = { rho = 2.0, K = 20, loss = 0.5,      N = 19,     X = 1,       slack = 0.02 },
})[case]
local unit = 10     -- one service time is 10 ms

scenario "M/M/1/K" { duration = (1e6 * unit / 1000 / want.rho) .. "s" }

local q = service "q" {
  concurrency  = 1,
  queue        = { max = want.K - 1 },
  service_time = dist.exponential { mean = unit .. "ms" },
}
local customers = traffic "customers" {
  to = q, rate = (want.rho * 1000 / unit) .. "/s", timeout = "1000h", beside = true,
}

expect "as many are lost as the formula says" {
  at_end = q.shed.ratio:between(want.loss - 0.002, want.loss + 0.002),
}
expect "the mean number in system in the last hour is the formula's" {
  at_end = q.in_flight:between(want.N - 2.5 * want.slack, want.N + 2.5 * want.slack), over = "1h",
}
expect "the throughput is the formula's" {
  at_end = customers.goodput:between((want.X - 0.005) * 1000 / unit .. "/s",
      (want.X + 0.005) * 1000 / unit .. "/s"),
}
