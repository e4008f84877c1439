scenario "A database that takes ten seconds to fail over is too slow for five" {
  duration = "3m", warmup = "20s",
}
local db = database "db" { nodes = 3, replication = "sync" }
local api = service "api" {
  replicas = 2, concurrency = 32,
  calls = { call { db, "write x", timeout = "500ms", retries = 2, backoff = "50ms" } },
}
local users = traffic "users" { to = api, rate = "50/s" }
local outage = fault.kill { db.primary, at = "1m" }

expect "errors are back under 1 % within 5 s" {
  eventually = users.errors.ratio:below "1%",
  after = outage, within = "5s", holding = "10s",
}
expect "no acknowledged write is lost" { always = db.lost_acks:equals(0) }
