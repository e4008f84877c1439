-- SENTINEL FAILOVER: the best replica leads at once, nobody having been asked. What led hears of it
-- after eight seconds (redis/src/sentinel.c: four times SENTINEL_PUBLISH_PERIOD); who reaches no
-- sentinel writes to it until then, and that is lost. A minute later the role goes back.
scenario "An operator moves a cache's primary" { duration = "3m" }

local redis = cache "redis" {
  mode = "sentinel", nodes = 3, entries = 1000, sentinel = { count = 3, quorum = 2 },
}
local web = service "web" { calls = { call { redis, "set", timeout = "200ms" } } }
local far = service "far" { calls = { call { redis, "set", timeout = "200ms" } } }
traffic "users" { to = web, rate = "20/s", keys = dist.zipf { n = 100, skew = 1 } }
traffic "others" { to = far, rate = "20/s", keys = dist.zipf { n = 100, skew = 1 } }

for i = 1, 3 do fault.partition { far, redis.sentinel[i], at = "30s", lasting = "1m" } end
local moved = fault.failover { redis, to = 3, at = "60s", lasting = "1m" }

expect "nobody leads for no more than a moment" {
  always = web.errors.ratio:below "20%",
}
expect "another leads within two seconds, and the first again" {
  eventually = redis.failovers:equals(1), after = moved, within = "2s", holding = "55s",
}
expect "then the first leads again" {
  eventually = redis.failovers:equals(2), after = moved.ends, within = "2s", holding = "50s",
}
expect "what the replaced one took was lost" { at_end = redis.lost_acks:between(150, 260) }
expect "no more is lost after ten seconds" {
  eventually = redis.lost_acks:at_least(150), after = moved, within = "12s", holding = "1s",
}
