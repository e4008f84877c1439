-- Redis with sentinels, cut in two with the clients on the old primary's side (Kingsbury, "Jepsen:
-- Redis", 2013: of 1998 writes that were acknowledged 872 were there in the end). The majority
-- makes another primary after down_after, and the old one goes on saying OK until it hears of it:
-- all that is gone. With min-replicas-to-write 1 it says no once its replicas have been silent for
-- min-replicas-max-lag, 10 s, so ten seconds are lost and no more (redis.io, "High availability
-- with Redis Sentinel", example 2, where that is the bound).
local min = param("min_replicas", { 0, 1 })

scenario "A primary that is cut off stops taking writes" {
  about = "Redis Sentinel: a primary in the minority loses what it took, or says no.",
  tags = { "cache", "failover", "split-brain", "incident" }, duration = "4m", warmup = "10s",
  seeds = 20,
  xfail = { min_replicas = 0 },
}

local eu = region "eu" { zones = { "a", "b", "c" } }
local redis = cache "redis" {
  mode = "sentinel", nodes = 3, entries = 100000, spread = eu, min_replicas_to_write = min,
}
local app = service "app" {
  on = eu.zone.a, replicas = 2, calls = { call { redis, "set", timeout = "100ms" } },
}
local users = traffic "users" {
  to = app, rate = "200/s", beside = true, keys = dist.zipf { n = 1000, skew = 0.1 },
}

-- Users reach zone a all the time; zone a reaches no other.
local cut = fault.partition { eu.zone.a, eu.zone.b, at = "1m", lasting = "90s" }
fault.partition { eu.zone.a, eu.zone.c, at = "1m", lasting = "90s" }

expect "the others make a primary" {
  eventually = redis.failovers:equals(1), after = cut, within = "40s", holding = "1m",
}
expect "ten seconds of writes are lost, and the second in which it is noticed" {
  at_end = redis.lost_acks:at_most(2250),
}
expect "once it is whole again everybody writes" {
  eventually = users.success.ratio:above "99.9%", after = cut.ends, within = "30s", holding = "30s",
}
if min == 0 then
  expect "a minute and a half of them" { at_end = redis.lost_acks:between(16500, 19000) }
  expect "and nobody was told" {
    always = users.success.ratio:equals "100%", during = { after = cut, lasting = "90s" },
  }
end
