scenario "A database that is a group loses to a restore what came later" {
  duration = "40s", warmup = "2s",
}

local db = database "db" {
  nodes = 4, replication = "raft", raft = { members = 3 }, query_time = "1ms",
  disk = { latency = "500us" }, schema = "create table x (id integer primary key, v integer)",
}
local plain = database "plain" {}

local jobs = service "jobs" {
  handle = {
    ["GET /"] = function(req)
      local put = req:sql { db, "insert into x (v) values (?)", { 7 }, timeout = "1s", retries = 4 }
      return put.ok and 200 or 500
    end,
  },
}
local users = traffic "users" { to = jobs, rate = "50/s", op = "GET /", timeout = "8s" }

drive("operator", function()
  log("%s", select(2, plain:member_add { node = plain.node[1] }))
  sleep "5s"
  log("%s", select(2, db:member_remove { node = db.node[4] }))
  assert(db:member_add { node = db.node[4], learner = true })
  sleep "1s"
  assert(db:member_promote { node = db.node[4] })
  sleep "1s"
  assert(db:failover { to = db.node[4] })
  sleep "1s"
  assert(db:member_remove { node = db.node[1] })
  sleep "10s"
  assert(db:snapshot_save())
  sleep "3s"
  assert(db:snapshot_restore())
end)

expect "the new node leads" { at_end = db.failovers:at_least(1) }
expect "three seconds of writes are gone" { at_end = db.lost_acks:between(140, 155) }
expect "few notice more than the election" { at_end = users.success.ratio:above "97%" }
