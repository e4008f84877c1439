-- Q23, closed clients before a pool: N clients think for 1 s, 20 connections, queries of 100 ms.
-- Expected: the machine repairman, M/M/c//N; Kleinrock, Queueing Systems I (1975), ch. 3.
-- `error` is the relative standard error of X over a million requests.
local n = param("customers", 3e5)
local users = param("users", { 50, 150, 200, 220, 300 })
local want = ({
  [50]  = { X = 45.455, R = 0.1 },
  [150] = { X = 136.27, R = 0.10079 },
  [200] = { X = 179.19, R = 0.11613 },
  [220] = { X = 192.23, R = 0.14446 },
  [300] = { X = 200,    R = 0.5 },
})[users]
local slack = 4 * 0.0013 * math.sqrt(1e6 / n)

scenario "Clients before a pool" { duration = math.ceil(n / want.X) .. "s" }

local pool = service "pool" {
  concurrency = 20, queue = { max = "unbounded" },
  service_time = dist.exponential { mean = "100ms" },
}
local clients = traffic "clients" {
  to = pool, arrivals = "closed", users = users, think = dist.exponential { mean = "1s" },
  timeout = "1000h", beside = true,
}

expect "the throughput is the machine repairman's" {
  at_end = clients.rate:between(("%.9g/s"):format(want.X * (1 - slack)),
    ("%.9g/s"):format(want.X * (1 + slack))),
}
local wide = slack * (1 + 1 / want.R) / 2
expect "the response time is the machine repairman's" {
  at_end = clients.latency.mean:between(("%.9gs"):format(want.R * (1 - wide)),
    ("%.9gs"):format(want.R * (1 + wide))),
}
