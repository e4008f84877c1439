-- What a cache's counters and sets have, and what a failover takes from them.
scenario "What a cache was told to add is there" { duration = "30s", warmup = "1s" }
local form = param("form", { "well", "lost", "evicted", "written" })
local redis = cache "redis" {
  entries = form == "evicted" and 3 or 1000, nodes = 3, mode = "sentinel",
  sentinel = { down_after = "3s" },
}
link { redis, redis, latency = "30ms" }
local carts = store "carts" { kind = "key_value" }
local api = service "api" {
  handle = {
    ["POST /"] = function(req)
      local id = req:call { redis, "incr", key = 7, timeout = "300ms" }
      req:call { redis, "incr", key = 10 + req.key % 3, value = 5, timeout = "300ms" }
      req:call { redis, "decr", key = 10 + req.key % 3, timeout = "300ms" }
      req:call { redis, "get", key = 10 + req.key % 3, timeout = "300ms" }
      req:call { redis, "sadd", key = 20 + req.key % 2, timeout = "300ms" }
      req:call { redis, "smembers", key = 20 + req.key % 2, timeout = "300ms" }
      req:call { carts, "increment", key = req.key % 5, timeout = "1s" }
      if form == "written" then req:call { redis, "set", key = 10, value = 3 } end
      return id.ok and 200 or 503
    end,
  },
}
traffic "users" { to = api, op = "POST /", arrivals = "constant",
  rate = shape.steps { { "0s", "25/s" }, { "25s", "0/s" } } }
if form == "lost" then fault.partition { redis.primary, redis, at = "10s", lasting = "8s" } end
expect "what was added is in the counters" { counter = redis }
expect "what was added is in the sets" { set = redis }
expect "no id is given twice" { unique_ids = redis }
expect "a store's counters count" { counter = carts }
