-- What an operator does with CLUSTER FAILOVER, and what replicas do by themselves: one of a shard
-- that has two goes to one that has none, 5 s after that was so (CLUSTER_SLAVE_MIGRATION_DELAY).
scenario "Roles and replicas of a cluster move" { duration = "5m" }

local two = cache "two" {
  nodes = 9, mode = "cluster", entries = 10000, cluster = { replicas = 2, node_timeout = "5s" },
}
local still = cache "still" {
  nodes = 9, mode = "cluster", entries = 10000,
  cluster = { replicas = 2, node_timeout = "5s", allow_replica_migration = false },
}
local app = service "app" {
  calls = { call { two, "set", timeout = "3s", retries = 0 }, call { still, "get" } },
}
local users = traffic "users" { to = app, rate = "100/s", timeout = "4s",
  keys = dist.zipf { n = 5000, skew = 0.5 } }

-- By hand, while all is well: nothing that was acknowledged is lost, and nobody sees an error.
local handed = fault.failover { two.shard[1], at = "30s", lasting = "20s" }
-- Its primary cannot be asked: only by force.
local cut = fault.pause { two.node[2], at = "80s", lasting = "2s" }
local forced = fault.failover { two.shard[2], mode = "force", at = "80s" }
local taken = fault.failover { two.shard[3], mode = "takeover", to = 7, at = "110s" }
-- Both replicas of the first shard go: another shard gives one of its own.
fault.kill { two.node[6], at = "150s" }
fault.kill { two.node[8], at = "150s" }
fault.kill { still.node[6], at = "150s" }
fault.kill { still.node[8], at = "150s" }

expect "a graceful failover, and one back, cost nobody an error" {
  always = users.errors.ratio:equals "0%", during = { after = "28s", lasting = "40s" },
}
expect "writes are held back for a moment" {
  always = users.latency.max:below "600ms", during = { after = "28s", lasting = "40s" },
}
expect "nothing that was acknowledged is lost by hand" {
  always = two.lost_acks:equals(0), during = { after = "0s", lasting = "79s" },
}
expect "the roles have moved" { at_end = two.failovers:equals(4) }
expect "without a replica left one comes from elsewhere" {
  eventually = two.migrations:equals(1), after = "150s", within = "20s", holding = "1m",
}
expect "not before it is known, and 5 s more" {
  never = two.migrations:above(0), during = { after = "150s", lasting = "10s" },
}
expect "where that is not allowed none does" { at_end = still.migrations:equals(0) }
assert(handed and cut and forced and taken)
