-- M/M/c with one queue. Expected: Erlang C; Kleinrock, Queueing Systems I (1975), ch. 3;
-- Harchol-Balter, Performance Modeling and Design (2013), ch. 14.
-- `slack` is four standard errors of the mean wait over 1e6 customers, from 20 seeds.
local case = param("case", { "c=2 rho=0.8", "c=2 rho=0.9", "c=4 rho=0.8", "c=8 rho=0.9",
                             "c=16 rho=0.8", "c=16 rho=0.9" })
local want = ({
  ["c=2 rho=0.8"]  = { c = 2,  rho = 0.8, Wq = 1.7778,   T = 2.7778, slack = 0.085 },
  ["c=2 rho=0.9"]  = { c = 2,  rho = 0.9, Wq = 4.2632,   T = 5.2632, slack = 0.36 },
  ["c=4 rho=0.8"]  = { c = 4,  rho = 0.8, Wq = 0.74554,  T = 1.7455, slack = 0.045 },
  ["c=8 rho=0.9"]  = { c = 8,  rho = 0.9, Wq = 0.87692,  T = 1.8769, slack = 0.09 },
  ["c=16 rho=0.8"] = { c = 16, rho = 0.8, Wq = 0.095276, T = 1.0953, slack = 0.01 },
  ["c=16 rho=0.9"] = { c = 16, rho = 0.9, Wq = 0.36959,  T = 1.3696, slack = 0.045 },
})[case]
local unit = 10     -- one service time is 10 ms

scenario "M/M/c" { duration = (1e6 * unit / 1000 / (want.c * want.rho)) .. "s" }

local q = service "q" {
  concurrency  = want.c,
  queue        = { max = "unbounded" },
  service_time = dist.exponential { mean = unit .. "ms" },
}
traffic "customers" {
  to = q, rate = (want.c * want.rho * 1000 / unit) .. "/s", timeout = "1000h", beside = true,
}

local function ms(x) return x * unit .. "ms" end

expect "the mean wait is Erlang C's" {
  at_end = q.queue.wait.mean:between(ms(want.Wq - want.slack), ms(want.Wq + want.slack)),
}
expect "the mean time in system is the wait and one service" {
  at_end = q.latency.mean:between(ms(want.T - want.slack - 0.004), ms(want.T + want.slack + 0.004)),
}
