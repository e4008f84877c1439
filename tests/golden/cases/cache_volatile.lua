-- Redis' volatile policies: a full cache takes a write only if a key that has a time to live may go for
-- it, and those without one are never evicted; 507 where there is none (OOM command not allowed).
local eviction = param("eviction", { "volatile-lru", "volatile-lfu", "volatile-random",
                                     "volatile-ttl" })
scenario "A cache of settings and of sessions" { duration = "30s" }
local redis = cache "redis" { entries = 100, eviction = eviction }
local app = service "app" {
  handle = {
    ["POST /setting"] = function(req)
      return req:call { redis, "set", key = req.key, value = 1 }.status
    end,
    ["POST /session"] = function(req)
      return req:call { redis, "set", key = 1000 + req.key, value = 1, ttl = "1h" }.status
    end,
    ["GET /setting"] = function(req)
      return req:call { redis, "exists", key = req.key }.ok and 200 or 500
    end,
  },
}
local KEYS = dist.zipf { n = 60, skew = 0 }
-- Sixty settings and any number of sessions, then more settings than fit.
local settings = traffic "settings" { to = app, op = "POST /setting", keys = KEYS,
  rate = shape.steps { { "0s", "200/s" }, { "5s", "0/s" } } }
local sessions = traffic "sessions" { to = app, op = "POST /session", rate = "50/s",
                                      keys = dist.zipf { n = 5000, skew = 0 } }
local readers = traffic "readers" { to = app, op = "GET /setting", keys = KEYS,
  rate = shape.steps { { "0s", "0/s" }, { "8s", "50/s" } } }
local more = traffic "more" { to = app, op = "POST /setting",
  keys = dist.zipf { n = 5000, skew = 0 },
  rate = shape.steps { { "0s", "0/s" }, { "20s", "100/s" } } }
expect "sessions make room for one another" { always = sessions.errors.ratio:equals "0%",
                                              during = { after = "1s", lasting = "18s" } }
expect "all settings stay" { always = readers.errors.ratio:equals "0%" }
expect "sessions go" { sometimes = redis.evictions:above(100) }
expect "until there are settings alone" { sometimes = more.errors.ratio:above "90%" }
