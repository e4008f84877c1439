-- A primary ends, and one of its replicas leads on. The others turn to it one after another
-- (parallel_syncs); what it has written by then they get from its backlog (PSYNC2).
scenario "Who turns late to a new primary misses nothing" { duration = "40s" }

local redis = cache "redis" {
  nodes = 4, entries = 50, mode = "sentinel", sentinel = { count = 1, down_after = "800ms" },
}
local web = service "web" { calls = { call { redis, "set", timeout = "1s" } } }
traffic "users" { to = web, rate = shape.steps { { "0s", "50/s" }, { "20s", "0/s" } } }
fault.stop { redis.primary, at = "8s", lasting = "4s" }

expect "another leads" { at_end = redis.failovers:equals(1) }
expect "each has soon what was written" {
  eventually = redis.lag.records:below(2), after = "12s", within = "12s", holding = "10s",
}
