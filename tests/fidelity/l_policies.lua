-- Balancing policies over n M/M/1 replicas: the mean time in system, in service times.
--
-- Entries and sources:
--   L01  power of d choices, n -> infinity: T = sum of lam^((d^i - d)/(d - 1)); Mitzenmacher, IEEE
--        TPDS 12(10), 2001; Vvedenskaya 1996. 100 replicas exceed it by 1.3 % at 0.9.
--   L02  n = 100, two *different* replicas drawn, ties random: Mitzenmacher 2001, table 1, and an
--        independent simulation of 20 runs. With replacement T is a little longer.
--   L04  join the shortest queue, ties random: independent simulation; n = 2: Flatto, McKean 1977.
--   L06  round robin is En/M/1 at each replica: thinning argument, GI/M/1.
--   L07  the order at n = 10, rho = 0.9: random > round robin > two choices > shortest queue > one
--        queue for all (Erlang-C).
-- The slack is about four standard errors of the mean over so many customers; where queues have
-- a long memory (random, round robin) it is wider.
local rows = {
  ["random n=10 0.9"] = { policy = "random", n = 10, rho = 0.9, T = 10, slack = 0.11 },
  ["random n=10 0.8"] = { policy = "random", n = 10, rho = 0.8, T = 5, slack = 0.045 },
  ["turn n=2 0.8"] = { policy = "round_robin", n = 2, rho = 0.8, T = 3.844, slack = 0.035 },
  ["turn n=4 0.8"] = { policy = "round_robin", n = 4, rho = 0.8, T = 3.2674, slack = 0.03 },
  ["turn n=10 0.8"] = { policy = "round_robin", n = 10, rho = 0.8, T = 2.9223, slack = 0.03 },
  ["turn n=10 0.9"] = { policy = "round_robin", n = 10, rho = 0.9, T = 5.6603, slack = 0.06 },
  ["two n=100 0.5"] = { policy = "power_of_two", n = 100, rho = 0.5, T = 1.2674 },
  ["two n=100 0.8"] = { policy = "power_of_two", n = 100, rho = 0.8, T = 1.9589 },
  ["two n=100 0.9"] = { policy = "power_of_two", n = 100, rho = 0.9, T = 2.6477, slack = 0.03 },
  ["two n=100 0.95"] = { policy = "power_of_two", n = 100, rho = 0.95, T = 3.465, slack = 0.06 },
  ["two again n=100 0.5"] = { policy = "power_of_two", n = 100, rho = 0.5, T = 1.2716,
    replacement = true, slack = 0.0025 },
  ["three n=100 0.9"] = { policy = "power_of_two", choices = 3, n = 100, rho = 0.9,
    T = 2.0279 * 1.01, slack = 0.02 },
  ["two n=10 0.9"] = { policy = "power_of_two", n = 10, rho = 0.9, T = 2.98, slack = 0.03 },
  ["shortest n=2 0.5"] = { policy = "join_shortest_queue", n = 2, rho = 0.5, T = 1.4266 },
  ["shortest n=2 0.8"] = { policy = "join_shortest_queue", n = 2, rho = 0.8, T = 2.948,
    slack = 0.025 },
  ["shortest n=10 0.5"] = { policy = "join_shortest_queue", n = 10, rho = 0.5, T = 1.0242 },
  ["shortest n=10 0.8"] = { policy = "join_shortest_queue", n = 10, rho = 0.8, T = 1.3556 },
  ["shortest n=10 0.9"] = { policy = "join_shortest_queue", n = 10, rho = 0.9, T = 1.912,
    slack = 0.03 },
  ["one queue n=10 0.9"] = { policy = "round_robin", n = 10, rho = 0.9, T = 1.6687,
    central = true, slack = 0.03 },
}
local names = {}
for name in pairs(rows) do names[#names + 1] = name end
table.sort(names)
local row = rows[param("row", names)]
local customers = 5e5
local unit = 10 -- milliseconds of one service

scenario "balancing policies" {
  duration = math.ceil(customers * unit / 1000 / row.n / row.rho + 20) .. "s",
  warmup = "20s",
}

local q = service "q" {
  replicas     = row.central and 1 or row.n,
  concurrency  = row.central and row.n or 1,
  queue        = { max = "unbounded" },
  service_time = dist.exponential { mean = unit .. "ms" },
}
traffic "customers" {
  to = q, rate = row.n * row.rho * 1000 / unit .. "/s", timeout = "1000h", beside = true,
  balance = row.policy, choices = row.choices, replacement = row.replacement,
}

local slack = row.slack or 0.01
expect "the mean time in system is the published one" {
  at_end = q.latency.mean:between(row.T * (1 - slack) * unit .. "ms",
      row.T * (1 + slack) * unit .. "ms"),
}
