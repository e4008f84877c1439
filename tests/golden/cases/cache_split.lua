scenario "A primary that is cut off loses what it acknowledges" {
  duration = "2m", xfail = { guard = 0 },
}

local guard = param("guard", { 0, 1 })

local eu = region "eu" { zones = { "a", "b", "c" } }
local redis = cache "redis" {
  mode = "sentinel", nodes = 3, entries = 10000, spread = eu, min_replicas_to_write = guard,
  min_replicas_max_lag = "3s", sentinel = { down_after = "5s" },
}
-- Next to the primary: they are cut off together.
local near = service "near" { on = eu.zone.a, calls = { call { redis, "set", timeout = "100ms" } } }
local far = service "far" { on = eu.zone.b, calls = { call { redis, "set", timeout = "100ms" } } }
traffic "near-users" { to = near, rate = "50/s", timeout = "1s" }
traffic "far-users" { to = far, rate = "50/s", timeout = "1s" }

local cut = fault.partition { eu.zone.a, eu.zone.b, at = "30s", lasting = "30s" }
fault.partition { eu.zone.a, eu.zone.c, at = "30s", lasting = "30s" }

expect "the others go on within 10 s" {
  eventually = far.errors.ratio:equals "0%", after = cut, within = "10s", holding = "1m",
}
expect "all agree again in the end" {
  eventually = near.errors.ratio:equals "0%", after = cut.ends, within = "15s", holding = "20s",
}
expect "what was acknowledged in the first seconds is lost at most" {
  at_end = redis.lost_acks:below(300),
}
