-- A pool of connections that outlives what filled it. A pool of 20 serves 2000 queries of 10 ms a
-- second, but 200 of 100 ms (Little: L = lambda W). What does not fit waits in the pool's line, by
-- PgBouncer's default for 120 s (query_wait_timeout): far longer than any caller's patience. So
-- when queries have been slow for a minute and are quick again, the pool works through the queries
-- of callers who have left, those who wait meanwhile leave too and ask again, and it never ends: a
-- metastable failure (Bronson, Aghayev, Charapko, Zhu, "Metastable Failures in Distributed
-- Systems", HotOS 2021; its remedy is to drop work that nobody waits for). With a line as short as
-- patience it is over within a minute.
local wait = param("wait", { "120s", "1s" })

scenario "A slow minute of the database is over when it is over" {
  duration = "6m", warmup = "30s", xfail = { wait = "120s" },
}

local db = database "db" {
  query_time = dist.exponential { mean = "10ms" }, max_connections = 100, reserved = 3,
  pool = { mode = "transaction", size = 20, max_clients = 10000, queue_timeout = wait },
}
local api = service "api" {
  replicas = 4, concurrency = 2000, service_time = "1ms",
  calls = { call { db, "select account", timeout = "2s", retries = 2, backoff = "50ms" } },
}
local users = traffic "users" { to = api, rate = "800/s", timeout = "8s" }

local slow = fault.degrade { db, factor = 10, at = "1m", lasting = "1m" }

expect "users are served again within a minute" {
  eventually = users.success.ratio:above "99%", after = slow.ends, within = "1m", holding = "1m",
}
expect "nobody waits for the pool then" {
  eventually = db.pool.waiting:below(20), after = slow.ends, within = "1m", holding = "1m",
}
expect "the database has connections to spare" { always = db.pool.used:at_most(20) }
