-- An idle connection of a caller's own is room for one call, not for all that come before it is
-- taken: the others get in the caller's line, and have none of the database's meanwhile.
-- `a` wants 0.75 of the database's 4 connections, `b` 2.5.
local pool = param("pool", { 1, 64 })
local limit = param("limit", { 4, 1000 })

scenario "A small pool takes nothing from others" { duration = "40s", warmup = "1s" }

local db = database "db" { query_time = "50ms", max_connections = limit, when_full = "wait" }
local function web(name, max)
  return service(name) {
    concurrency = 64,
    calls = { call { db, "select", timeout = "5s", pool = { max = max } } },
  }
end
local b = web("b", 64)
traffic "of-a" { to = web("a", pool), rate = "15/s", timeout = "5s" }
traffic "of-b" { to = b, rate = "50/s", timeout = "5s" }

expect "b has what a leaves" { at_end = b.latency.p99:below "300ms" }
expect "its queries wait briefly" { always = db.connections.wait.max:below "500ms" }
