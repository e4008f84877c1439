-- A shop keeps its users' sessions in a cache. When the cache loses them, everybody has to log in
-- again, and the login service sees them all at once.
scenario "Losing the sessions logs everybody out, and they come back" {
  duration = "4m", warmup = "1m",
}

local redis = cache "sessions" {
  mode = "sentinel", nodes = 3, entries = 100000, ttl = "30m",
  sentinel = { down_after = "5s" },
}
local login = service "login" { replicas = 2, concurrency = 50, service_time = "40ms" }

local shop = service "shop" {
  replicas = 4,
  handle = {
    ["GET /cart"] = function(req)
      local session = req:call { redis, "get", key = req.key, timeout = "50ms", retries = 1 }
      if session.ok then return 200 end
      if session.status ~= 404 then return 503 end -- the cache has not answered
      if not req:call({ login, "POST /login", timeout = "2s" }).ok then return 503 end
      req:call { redis, "set", key = req.key, value = "session", timeout = "50ms" }
      return 200
    end,
  },
}

traffic "users" {
  to = shop, rate = "300/s", timeout = "5s", keys = dist.zipf { n = 5000, skew = 0.8 },
}

local lost = fault.flush { redis, at = "2m" }
local killed = fault.kill { redis.primary, at = "3m" }

expect "logging in again is done within half a minute" {
  eventually = login.rate:below "60/s", after = lost, within = "30s",
}
expect "a failover keeps nearly all sessions" {
  always = login.rate:below "100/s", during = { after = killed, lasting = "1m" },
}
expect "the shop answers again 12 s after its cache's primary has gone" {
  eventually = shop.errors.ratio:below "1%", after = killed, within = "12s", holding = "20s",
}
