-- Lists that transactions append to are sets; what a service adds, reads and generates, its
-- handlers know. Standbys fall behind, and the primary is lost.
scenario "What was added stays added" { duration = "25s", warmup = "1s" }

local commit = param("commit", { "sync", "async" })

local db = database "orders" {
  nodes = 3, replication = commit, failover = { detect = "2s", promote = "1s" },
}
local api = service "api" {
  handle = {
    ["POST /order"] = function(req)
      local done = req:transaction({ db, timeout = "1s" }, function(tx)
        local count = (tx:lock(0) or 0) + 1
        tx:write(0, count)
        return count
      end)
      local listed = req:transaction({ db, timeout = "1s" }, function(tx)
        tx:append(1 + req.key % 3, req.value or req.key)
      end)
      if not done.ok or not listed.ok then return 503 end
      return 200, done.value
    end,
    ["GET /orders"] = function(req)
      local seen = req:transaction({ db, timeout = "1s" }, function(tx)
        return tx:read(1 + req.key % 3), tx:read(0)
      end)
      local count = req:call { db, "read", key = 0, timeout = "1s" }
      if not seen.ok or not count.ok then return 503 end
      return 200, count.value or 0
    end,
  },
}
traffic "shop" { to = api, op = "POST /order", timeout = "3s", arrivals = "constant",
  rate = shape.steps { { "0s", "10/s" }, { "20s", "0/s" } } }
traffic "kitchen" { to = api, op = "GET /orders", rate = "5/s", timeout = "3s",
  arrivals = "constant" }

fault.replication_lag { db, add = "150ms", at = "6s", lasting = "4s" }
fault.kill { db.primary, at = "9s", lasting = "10s" }

expect "no order is gone" { set = db }
expect "they are counted" { counter = api, adds = { "POST /order" }, reads = { "GET /orders" } }
expect "each has a number" { unique_ids = api, generates = { "POST /order" } }
