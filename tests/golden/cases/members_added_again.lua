-- One node begins a new cluster from a snapshot. The two others come back and go on as the old one:
-- they are a majority of it, and have clients. Added to the new one, a node of them begins from
-- nothing, however far it had come, and has what the new cluster has.
scenario "Who comes from the old cluster begins from nothing" { duration = "40s", warmup = "1s" }

local db = database "db" {
  nodes = 3, replication = "raft", query_time = "1ms", disk = { latency = "500us" },
  schema = "create table x (id integer primary key, v integer)",
}
local rows
local jobs = service "jobs" {
  handle = {
    ["GET /"] = function(req)
      if now() > dur "6s" and now() < dur "15s" or now() > dur "25s" then return 200 end
      local row = req:sql { db, "insert into x (v) values (?)", { 7 }, timeout = "1s" }
      return row.ok and 200 or 500
    end,
    ["GET /n"] = function(req)
      local count = req:sql { db, "select count(*) as n from x", timeout = "1s" }
      if count.ok then rows = count.rows[1].n end
      return count.ok and 200 or 500
    end,
  },
}
traffic "users" { to = jobs, rate = "50/s", op = "GET /", arrivals = "constant" }
traffic "counts" { to = jobs, rate = "2/s", op = "GET /n", arrivals = "constant" }

for n = 2, 3 do fault.down { db.node[n], at = "8s", lasting = "6s" } end
drive("operator", function()
  sleep "5s"
  assert(db:snapshot_save { node = db.node[1] })
  sleep "5s"
  assert(db:snapshot_restore())
  sleep "17s"
  local before = rows
  assert(db:member_add { node = db.node[2] })
  sleep "8s"
  assert(db:failover { to = db.node[2] })
  sleep "4s"
  log("%d rows of the old cluster, %d of the new one", before, rows)
  assert(before > 700 and rows < 300)
end)
expect "the restore undoes a second of writes" { at_end = db.lost_acks:between(45, 55) }
