scenario "What clients saw is explained" { duration = "10s", warmup = "1s" }

local form = param("reads", { "replicas", "primary" })

local db = database "profiles" { nodes = 2, reads = form, failover = false }
link { db, db, latency = "20ms" }

local api = service "api" {
  handle = {
    ["POST /"] = function(req)
      local put = req:call { db, "write", key = req.key % 3, timeout = "1s" }
      local got = req:call { db, "read", key = req.key % 3, timeout = "1s" }
      return put.ok and got.ok and 200 or 500
    end,
  },
}
traffic "users" { to = api, op = "POST /", rate = "10/s" }

expect "who has written reads it" { read_your_writes = db }
expect "nobody reads what is older" { linearizable = db, because = "profiles are shown at once" }
expect "a warning only" { monotonic_reads = db, severity = "warn" }
