-- A shard of a Redis Cluster loses its primary, as the cluster's specification has it
-- (redis.io/docs/reference/cluster-spec): with the default cluster-node-timeout of 15 s the others
-- suspect it 15 s after the first ping that it does not answer, most primaries agree, and half a
-- second to a second later its replica asks for their votes: "failovers are usually executed in a
-- matter of 1 or 2 seconds". Until they agree a third of the keys is gone; from then on, because
-- cluster-require-full-coverage is on unless somebody turns it off, all of them are.
scenario "A shard of a Redis Cluster fails over" {
  about = "Redis Cluster: a shard is away for its node_timeout and a little more.",
  duration = "6m", warmup = "10s", seeds = 20, tags = { "cache", "failover" },
}

local coverage = param("require_full_coverage", { true, false })

local redis = cache "redis" {
  mode = "cluster", nodes = 6, entries = 100000,
  cluster = { replicas = 1, node_timeout = "15s", require_full_coverage = coverage },
}
local shop = service "shop" {
  replicas = 2, concurrency = 256,
  calls = { call { redis, "set", timeout = "50ms" } },
}
traffic "shoppers" { to = shop, rate = "300/s", keys = dist.zipf { n = 20000, skew = 0.3 } }

local killed = fault.kill { redis.shard[2], at = "60s", lasting = "90s" }

drive("operator", function()
  sleep "4m"
  assert(redis:reshard { slots = 2048, from = 1, to = 3 })
end)

expect "nobody takes over before its time" {
  never = redis.failovers:above(0), during = { after = "0s", lasting = "75s" },
}
expect "within 15 s, half of it until somebody asks, and 2 s another leads" {
  eventually = redis.failovers:equals(1), after = killed, within = "25s", holding = "3m",
}
expect "then all slots are served, and stay so while some are moved" {
  eventually = redis.slots.covered:equals "100%", after = killed, within = "27s", holding = "4m",
}
expect "at first a third of the keys is gone" {
  always = shop.errors.ratio:between("20%", "45%"), over = "5s",
  during = { after = "62s", lasting = "12s" },
}
if coverage then
  expect "at last all of them are" { sometimes = redis.slots.covered:equals "0%" }
else
  expect "the other two thirds are served throughout" {
    always = redis.slots.covered:at_least "66%",
  }
  expect "nobody is told that the cluster is down" { at_end = redis.turned_away.down:equals(0) }
end
expect "moving slots costs no request" {
  always = shop.errors.ratio:equals "0%", during = { after = "90s", lasting = "4m" },
}
expect "a few writes that were acknowledged are lost at the most" {
  at_end = redis.lost_acks:below(5),
}
expect "callers find the moved slots" { at_end = redis.redirects.moved:above(0) }
expect "it was the slots that were asked for" { at_end = redis.slots.moved:equals(2048) }
