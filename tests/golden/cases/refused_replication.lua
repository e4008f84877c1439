-- What the model refuses of a database's log and its leader: each in a case of its own.
local what = param("what", { "quorum", "levels", "masters", "follow", "lease", "rebuild", "reads",
                             "listed" })
local bodies = {
  quorum = { nodes = 3, commit = "quorum", quorum = 3 },
  levels = { nodes = 3, replication = "async", commit = "remote_apply" },
  masters = { nodes = 3, replication = "multi", commit = "on" },
  follow = { nodes = 3, replication = "multi", failover = { detect = "1s" } },
  lease = { nodes = 3, failover = { ttl = "20s" } },
  rebuild = { nodes = 3, failover = { rejoin = "rebuild" } },
  reads = { nodes = 3, read_your_writes = true },
  listed = { nodes = 3, commit = "on", quorum = 2, priority = { 2, 3 } },
}

scenario "Databases that cannot be" { duration = "1m" }
local db = database "db" (bodies[what])
traffic "users" { to = db, rate = "10/s" }
expect "it answers" { at_end = db.rate:above "1/s" }
