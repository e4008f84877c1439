-- A write is acknowledged when the primary alone has it. Its network fails, and a moment later it
-- dies: the replica that then leads has never heard of it, and what a client was told is gone.
-- Repaired, a write waits until a standby has it on disk, so that whoever leads next has it too.
--
-- PostgreSQL documents the loss (26.2.8, "Synchronous Replication"); Jepsen found it in Redis
-- (2013), in MongoDB with write concern 1 (2015) and in others that ship their log afterwards.
scenario "An acknowledged write survives the primary" {
  about = "Broken: acknowledged before another node has it. Repaired: after.",
  tags = { "zoo" }, duration = "30s", warmup = "2s", seeds = 20,
}

local form = param("form", { "broken", "repaired" })

local db = database "ledger" {
  nodes = 3, replication = form == "broken" and "async" or "sync",
  failover = { detect = "2s", promote = "1s" },
}
local api = service "api" {
  replicas = 3,
  handle = {
    ["POST /"] = function(req)
      local put = req:call { db, "write", key = req.key % 200, timeout = "1s" }
      return put.ok and 200 or 500
    end,
    ["GET /"] = function(req)
      local got = req:call { db, "read", key = req.key % 200, timeout = "1s" }
      return got.ok and 200 or 500
    end,
  },
}
traffic "writers" {
  to = api, op = "POST /", rate = shape.steps { { "0s", "150/s" }, { "15s", "0/s" } },
  timeout = "5s",
}
-- Once another leads.
traffic "readers" {
  to = api, op = "GET /", rate = shape.steps { { "0s", "0/s" }, { "16s", "150/s" } },
  timeout = "5s",
}

drive("the primary dies", function()
  sleep(dur("8s") + dur("4s") * rand())
  fault.partition { db.node[1], db.node[2], lasting = "10s" }
  fault.partition { db.node[1], db.node[3], lasting = "10s" }
  sleep(dur("500ms") * rand())
  fault.kill { db.primary, lasting = "10s" }
end)

expect "what was acknowledged is read" { linearizable = db }
