-- Orders are appended to a list of the day, acknowledged once the primary has them. The primary
-- goes, a standby that is behind takes over: what was in the list is not there any more. Repaired,
-- a commit waits for a standby, and only one that has it is promoted.
--
-- Jepsen's set test found it in a dozen of databases; PostgreSQL says of asynchronous replication
-- that "some transactions that were committed may not have been replicated to the standby server,
-- causing data loss" (Log-Shipping Standby Servers, Synchronous Replication).
scenario "What was added to a set stays in it" {
  about = "Broken: replication is asynchronous. Repaired: commits wait for a standby.",
  tags = { "zoo" }, duration = "40s", warmup = "2s", seeds = 20,
}

local form = param("form", { "broken", "repaired" })

local db = database "orders" {
  nodes = 3, replication = form == "broken" and "async" or "sync",
  failover = { detect = "3s", promote = "1s" },
}
link { db, db, latency = "30ms" }

local api = service "api" {
  replicas = 2,
  handle = {
    ["POST /order"] = function(req)
      local done = req:transaction({ db, timeout = "1s" }, function(tx)
        tx:append(req.key % 4, req.key)
      end)
      return done.ok and 200 or 503
    end,
    ["GET /orders"] = function(req)
      local seen = req:transaction({ db, timeout = "1s" }, function(tx)
        return tx:read(req.key % 4)
      end)
      return seen.ok and 200 or 503
    end,
  },
}
traffic "shop" { to = api, op = "POST /order", timeout = "3s",
  rate = shape.steps { { "0s", "30/s" }, { "30s", "0/s" } } }
traffic "kitchen" { to = api, op = "GET /orders", rate = "10/s", timeout = "3s" }

drive("the standbys fall behind, and the primary is lost", function()
  sleep(dur("10s") + dur("2s") * rand())
  fault.replication_lag { db, add = "200ms", lasting = "4s" }
  sleep "2s"
  fault.kill { db.primary, lasting = "15s" }
end)

expect "no order is gone" { set = db }
