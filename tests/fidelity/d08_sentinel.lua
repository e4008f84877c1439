-- D08: Redis Sentinel with the times of its own configuration file (redis/redis, sentinel.conf):
-- down-after-milliseconds 30000, failover-timeout 180000, parallel-syncs 1, quorum 2, a ping every
-- second. The primary is down 30 to 31 s after its last answer, which was up to 1 s before its end;
-- election, promotion and the word of it take up to 2 s. What failed is tried again after 360 s.
scenario "Sentinel fails over when Redis does" { duration = "10m", seeds = 20 }

local case = param("case", { "failover", "no replica" })

local redis = cache "redis" {
  mode = "sentinel", nodes = 3, entries = 1000, sentinel = { count = 3, quorum = 2 },
}
local web = service "web" { calls = { call { redis, "set", timeout = "200ms" } } }
traffic "users" { to = web, rate = "20/s", keys = dist.zipf { n = 100, skew = 1 } }

local killed = fault.kill { redis.primary, at = "60s" }

if case == "failover" then
  expect "nobody leads before 29 s" {
    never = redis.failovers:above(0), during = { after = "0s", lasting = "89s" },
  }
  expect "another leads within 33 s" {
    eventually = redis.failovers:equals(1), after = killed, within = "33s", holding = "7m",
  }
  expect "writes are taken again" {
    eventually = web.errors.ratio:equals "0%", after = killed, within = "34s", holding = "7m",
  }
else -- the replicas stand still until the first attempt has failed
  fault.pause { redis.node[2], at = "55s", lasting = "100s" }
  fault.pause { redis.node[3], at = "55s", lasting = "100s" }
  expect "it is not tried again for six minutes" {
    never = redis.failovers:above(0), during = { after = "0s", lasting = "449s" },
  }
  expect "then it is" {
    eventually = redis.failovers:equals(1), after = "449s", within = "8s", holding = "1m",
  }
end
