-- D05, PgBouncer's pool is M/M/c: default_pool_size 20, transaction pooling, Poisson 180
-- transactions per second of exponential 100 ms, so that 18 of 20 connections are busy. Erlang's C
-- formula gives a wait in 55.077 % of them, of 27.538 ms on average, 127.54 ms in all; 4 standard
-- errors of room. A connection that is held while its client thinks (sessions, and transactions
-- that wait for their client) serves c / (Z + s): 100 ms of query and 300 of thought, 50/s.
local held = param("held", { "query", "thought" })
local thinks = held == "thought"

scenario "A pool of connections is a queue of as many servers" {
  duration = thinks and "10m" or "2h", warmup = "2m",
}

local db = database "db" {
  query_time = thinks and "100ms" or dist.exponential { mean = "100ms" },
  max_connections = 100, pool = { size = 20, max_clients = 1000 },
}

if not thinks then
  traffic "users" { to = db, op = "write order", rate = "180/s", timeout = "60s", beside = true }
  expect "the mean wait" { at_end = db.pool.wait.mean:between("26.0ms", "29.1ms") }
  expect "the mean latency" { at_end = db.latency.mean:between("126ms", "129.1ms") }
  expect "a few are free now and then" { sometimes = db.pool.used:below(15) }
else
  local api = service "api" { service_time = "0s", concurrency = 25, handle = {
    ["GET /"] = function(req)
      req:transaction({ db, timeout = "60s" }, function(tx)
        tx:read(req.key)
        req:sleep "300ms"
      end)
      return 200
    end,
  } }
  local users = traffic "users" {
    to = api, op = "GET /", arrivals = "closed", users = 25, timeout = "60s",
  }
  expect "as many as 20 connections serve" {
    always = users.rate:between("49/s", "50.1/s"), over = "60s",
  }
end
