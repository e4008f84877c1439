-- An M/M/1 queue whose server goes away for a constant time V whenever nobody waits, and again
-- while nobody does (multiple vacations: compaction, or garbage collection when idle). The mean
-- wait is that without vacations and what is left of one: Wq = rho/(1 - rho) + E[V^2]/(2 E[V]),
-- the decomposition of Fuhrmann and Cooper, Operations Research 33 (1985).
-- A vacation is work that is less urgent than any customer's, and of which there is always more:
-- two users who do not think.
-- `slack` leaves four standard errors over 1e4 customers, from 10 seeds.
local n    = param("customers", 1e4)
local case = param("case", { "rho=.5 V=1", "rho=.5 V=10", "rho=.8 V=1", "rho=.8 V=10" })
local want = ({
  ["rho=.5 V=1"] = { rho = 0.5, V = 1, Wq = 1.5, slack = 0.11 },
  ["rho=.5 V=10"] = { rho = 0.5, V = 10, Wq = 6, slack = 0.07 },
  ["rho=.8 V=1"] = { rho = 0.8, V = 1, Wq = 4.5, slack = 0.2 },
  ["rho=.8 V=10"] = { rho = 0.8, V = 10, Wq = 9, slack = 0.24 },
})[case]
local q = use "./_queue.lua"

scenario "M/M/1 with vacations" { duration = q.duration(n, want.rho) }

local server = service "server" {
  concurrency = 1, service_time = "0s", queue = { max = "unbounded" },
  handle = {
    ["GET customer"] = function(req)
      req:work(q.exp(1))
      return 200
    end,
    ["GET vacation"] = function(req)
      req:work(q.time(want.V))
      return 200
    end,
  },
}
local customers = traffic "customers" {
  to = server, op = "GET customer", rate = q.rate(want.rho), timeout = "1000h", beside = true,
}
traffic "vacations" {
  to = server, op = "GET vacation", arrivals = "closed", users = 2, priority = 7,
  timeout = "1000h", beside = true,
}

expect "the mean wait is the queue's and the rest of a vacation" {
  at_end = q.near(customers.latency.mean, want.Wq + 1, want.slack),
}
expect "the server is never idle" { at_end = server.busy:above "99.99%" }
