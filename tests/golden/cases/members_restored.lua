-- Disasters of groups that begin again from a snapshot: who votes in it, what is counted of it, and
-- what is not read any more.
scenario "Half of the hosts are gone, and what is left begins anew" {
  duration = "30s", warmup = "1s",
}

local etcd = consensus "etcd" { nodes = 4, members = 3 }
local db = database "db" {
  nodes = 3, replication = "raft", query_time = "1ms", disk = { latency = "200us" },
}

local jobs = service "jobs" {
  handle = {
    ["GET /"] = function(req)
      local verb = now() < dur "11s" and "write" or "read"
      return req:call({ db, verb, key = req.key % 20 + 1, timeout = "1s" }).ok and 200 or 500
    end,
  },
}
local users = traffic "users" { to = jobs, rate = "50/s", op = "GET /", timeout = "8s" }

for _, lost in ipairs { etcd.node[2], etcd.node[3], db.node[1], db.node[2] } do
  fault.down { lost, at = "11s" }
end
drive("operator", function()
  sleep "5s"
  assert(etcd:member_add { node = etcd.node[4], learner = true })
  sleep "1s"
  assert(etcd:snapshot_save())
  assert(db:snapshot_save { node = db.node[3] })
  sleep "7s"
  assert(etcd:snapshot_restore())
  assert(db:snapshot_restore())
end)

expect "the learner votes with who is left" { at_end = etcd.members:equals(2) }
expect "and learns no more" { at_end = etcd.learners:equals(0) }
expect "what the new cluster has is not stale" { at_end = db.stale_reads:equals(0) }
expect "most are served" { at_end = users.success.ratio:above "92%" }
