-- Kleppmann's "How to do distributed locking": a client takes a lease and is paused; the lease runs
-- out, another takes it and writes; the first wakes up and writes, too. A lock cannot help it, and
-- what it protects can: it refuses a token that is lower than one it was shown.
scenario "A paused holder writes" { duration = "20s" }

local checks = param("checks", { false, true })
local locks = param("locks", { "etcd", "redis" })
local etcd = consensus "etcd" { nodes = 3, lease = "3s" }
local redis = cache "redis" { entries = 100, nodes = 2 }
local files = store "files" { checks_tokens = checks }
local orders = database "orders" { checks_tokens = checks }
local shelf = cache "shelf" { entries = 100, checks_tokens = checks }

local function acquire(req)
  if locks == "etcd" then return req:call { etcd, "acquire", key = 1 } end
  return req:call { redis, "setnx", key = 1, value = req.key, ttl = "3s" }
end

local app = service "app" { replicas = 2, handle = {
  ["POST /"] = function(req)
    local lock = acquire(req)
    if not lock.ok then return 409 end
    req:sleep "500ms"
    req:call { orders, "write order", key = 7, token = lock.token }
    req:call { shelf, "set", key = 7, value = "new", token = lock.token }
    local r = req:call { files, "put", key = "file", value = req.key, token = lock.token }
    if r.status == 412 and r.value <= lock.token then error "it is told the higher one" end
    if locks == "etcd" then req:call { etcd, "release", key = 1 } end
    return r.ok and 200 or r.status
  end,
} }
traffic "users" { to = app, op = "POST /", arrivals = "constant", rate = "1/s", timeout = "20s" }
fault.pause { app.replica[2], at = "4.2s", lasting = "6s" }

expect "only who has the lock writes files" { fenced = files }
expect "nor orders" { fenced = orders }
expect "nor the shelf" { fenced = shelf }
local refused = checks and 1 or 0
expect "the store has refused one, or none" { at_end = files.stale_tokens:equals(refused) }
expect "and so has the database" { at_end = orders.stale_tokens:equals(refused) }
expect "and the cache" { at_end = shelf.stale_tokens:equals(refused) }
