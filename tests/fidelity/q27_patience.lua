-- M/M/1 with a deadline on waiting: who has waited tau leaves unserved. Expected: Barrer (1957):
-- the share that leaves is (1 - rho) rho e / (1 - rho^2 e) with e = exp(-(1 - rho) tau).
-- Tolerance: 0.002 absolute, over 1e6 customers.
local case = param("case", { "rho=0.9 tau=5", "rho=0.8 tau=1", "rho=1.2 tau=5", "rho=2.0 tau=1" })
local want = ({
  ["rho=0.9 tau=5"] = { rho = 0.9, tau = 5, leave = 0.10731, idle = 0.19658 },
  ["rho=0.8 tau=1"] = { rho = 0.8, tau = 1, leave = 0.2752,  idle = 0.42016 },
  ["rho=1.2 tau=5"] = { rho = 1.2, tau = 5, leave = 0.22386, idle = 0.068627 },
  ["rho=2.0 tau=1"] = { rho = 2.0, tau = 1, leave = 0.55064, idle = 0.10129 },
})[case]
local unit = 10     -- one service time is 10 ms
local length = (1e6 * unit / 1000 / want.rho) .. "s"

scenario "M/M/1 with a deadline on waiting" { duration = length }

local q = service "q" {
  concurrency  = 1,
  queue        = { max = "unbounded", timeout = want.tau * unit .. "ms" },
  service_time = dist.exponential { mean = unit .. "ms" },
}
traffic "customers" {
  to = q, rate = (want.rho * 1000 / unit) .. "/s", timeout = "1000h", beside = true,
}

expect "as many leave as the formula says" {
  at_end = q.shed.ratio:between(want.leave - 0.002, want.leave + 0.002),
}
expect "the server is idle as often as the formula says" {
  at_end = q.busy:between(1 - want.idle - 0.004, 1 - want.idle + 0.004), over = "1h",
}
expect "nobody who is served has waited longer" {
  at_end = q.queue.wait.max:at_most(want.tau * unit .. "ms"),
}
