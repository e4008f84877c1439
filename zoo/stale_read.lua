-- Reads go to replicas, which have the log a little later. Who has just written, and reads, may
-- not find it. Repaired, reads go to the primary.
--
-- Terry et al., "Session guarantees for weakly consistent replicated data" (PDIS 1994) have the
-- names for it; every guide to read replicas has the bug.
scenario "Who has written reads it" {
  about = "Broken: reads go to replicas. Repaired: to the primary.",
  tags = { "zoo" }, duration = "20s", warmup = "2s", seeds = 20,
}

local form = param("form", { "broken", "repaired" })

local db = database "profiles" {
  nodes = 3, reads = form == "broken" and "replicas" or "primary", failover = false,
}
link { db, db, latency = dist.lognormal { p50 = "1ms", p99 = "30ms" } }

local api = service "api" {
  replicas = 2,
  handle = {
    ["POST /"] = function(req)
      local put = req:call { db, "write", key = req.key % 50, timeout = "1s" }
      req:sleep "5ms" -- the browser follows the redirect
      local got = req:call { db, "read", key = req.key % 50, timeout = "1s" }
      return put.ok and got.ok and 200 or 500
    end,
  },
}
traffic "users" { to = api, op = "POST /", rate = "50/s", timeout = "5s" }

expect "who has written reads it" { read_your_writes = db }
expect "nobody reads what is older" { linearizable = db }
