-- Erlang-A, M/M/n+M: customers who wait lose patience after an exponential time and leave; work
-- that was left is not done. 50 servers, 48 customers a minute, a minute of service, two of
-- patience. Expected: Garnett, Mandelbaum, Reiman (2002); Mandelbaum and Zeltyn (2005), sec. 1,
-- whose table has 3.1 % abandoning, a queue of 3 and 93 % utilization; without patience it is
-- Erlang C with a queue of 16.7.
-- One minute is 100 ms here. `slack` leaves more than four standard errors over 1e6 callers.
local patient = param("patience", { "two minutes", "endless" })
local want = ({
  ["two minutes"] = { abandon = 0.030912, queue = 2.9676, busy = 0.93032,
    slack = { 0.0015, 0.12, 0.004 } },
  ["endless"]     = { abandon = 0, queue = 16.667, busy = 0.96, slack = { 0, 3.2, 0.005 } },
})[patient]

scenario "Erlang-A" { duration = "2080s" }

local q = service "q" {
  concurrency  = 50,
  queue        = { max = "unbounded",
                   timeout = patient ~= "endless" and dist.exponential { mean = "200ms" } or nil },
  service_time = dist.exponential { mean = "100ms" },
}
traffic "callers" { to = q, rate = "480/s", timeout = "1000h", beside = true }

local slack = want.slack
expect "as many give up as the formula says" {
  at_end = q.shed.ratio:between(want.abandon - slack[1], want.abandon + slack[1]),
}
expect "the mean queue is the formula's" {
  at_end = q.queue.length:between(want.queue - slack[2], want.queue + slack[2]), over = "2080s",
}
expect "the servers are as busy as the formula says" {
  at_end = q.busy:between(want.busy - slack[3], want.busy + slack[3]), over = "2080s",
}
