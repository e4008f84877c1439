-- Likes are counted by INCR at a primary that acknowledges before its replica has it. The primary
-- is cut off from its replicas and goes on counting; the sentinels promote one of them, and when
-- the link is back all that was counted since is gone. Repaired, the count is in a database that
-- acknowledges once a standby has it too.
--
-- Redis' own pages: "Redis Sentinel + Redis distributed system does not guarantee that
-- acknowledged writes are retained during failures, since Redis uses asynchronous replication".
scenario "No like is lost" {
  about = "Broken: INCR in a cache whose replicas are behind. Repaired: a row, replicated first.",
  tags = { "zoo" }, duration = "40s", warmup = "2s", seeds = 20,
}

local form = param("form", { "broken", "repaired" })

local redis, db
if form == "broken" then
  redis = cache "likes" {
    nodes = 3, entries = 1000, mode = "sentinel", sentinel = { down_after = "3s" },
  }
  link { redis, redis, latency = "30ms" }
else
  db = database "likes" { nodes = 3, replication = "sync",
    failover = { detect = "3s", promote = "1s" } }
  link { db, db, latency = "30ms" }
end

-- The count is one row: whoever adds to it waits for those before.
local function add(req)
  if redis then return req:call { redis, "incr", key = 1, timeout = "500ms" } end
  return req:transaction({ db, timeout = "2s" }, function(tx)
    local count = (tx:lock(1) or 0) + 1
    tx:write(1, count)
    return count
  end)
end
local function count(req)
  if redis then return req:call { redis, "get", key = 1, timeout = "500ms" } end
  return req:call { db, "read", key = 1, timeout = "500ms" }
end

local api = service "api" {
  replicas = 2,
  handle = {
    ["POST /like"] = function(req) return add(req).ok and 200 or 503 end,
    ["GET /likes"] = function(req)
      local seen = count(req)
      if not seen.ok then return 503 end
      return 200, seen.value or 0
    end,
  },
}
traffic "fans" { to = api, op = "POST /like", timeout = "3s",
  rate = shape.steps { { "0s", "8/s" }, { "30s", "0/s" } } }
traffic "readers" { to = api, op = "GET /likes", rate = "5/s", timeout = "3s" }

drive("the primary is cut off from the others", function()
  sleep(dur("10s") + dur("2s") * rand())
  if redis then
    fault.partition { redis.primary, redis, lasting = "12s" }
  else
    fault.partition { db.primary, db, lasting = "12s" }
  end
end)

expect "what was counted stays counted" {
  counter = api, adds = { "POST /like" }, reads = { "GET /likes" },
}
