-- Thesis, 3.10 and 4: a new node learns first; who leads hands over before it goes. Between the two
-- the lead is moved by a fault, and a node is lost in the middle of a change.
scenario "A group is replaced node by node while it is written to" { duration = "60s", warmup = "2s" }

local etcd = consensus "etcd" { nodes = 5, members = 3, disk = { latency = "500us" } }

local jobs = service "jobs" {
  replicas = 2,
  handle = {
    ["GET /"] = function(req)
      local put = req:call { etcd, "put", key = "config", timeout = "1s", retries = 4 }
      return put.ok and 200 or 500
    end,
  },
}
local users = traffic "users" { to = jobs, rate = "50/s", op = "GET /", timeout = "8s" }

-- A refusal says why, and mostly that it is too early.
local function insist(act, options)
  for _ = 1, 100 do
    local ok, why = act(etcd, options)
    if ok then return ok end
    log("%s", why)
    sleep "500ms"
  end
  error "it was never the right time"
end

drive("operator", function()
  sleep "5s"
  for _, new in ipairs { etcd.node[4], etcd.node[5] } do
    insist(etcd.member_add, { node = new, learner = true })
    insist(etcd.member_promote, { node = new })
  end
  sleep "2s"
  insist(etcd.move_leader, { to = etcd.node[4] })
  for _, old in ipairs { etcd.node[1], etcd.node[2] } do
    insist(etcd.member_remove, { node = old })
  end
  sleep "20s"
  log("saved up to index %d", insist(etcd.snapshot_save))
  sleep "3s"
  insist(etcd.snapshot_restore)
end)
fault.kill { etcd.node[3], at = "7s", lasting = "5s" }
fault.failover { etcd, at = "20s", lasting = "5s" }

expect "five vote in between" { sometimes = etcd.members:equals(5) }
expect "three in the end" { at_end = etcd.members:equals(3) }
expect "the lead is handed over, by the operator, by the fault, and back" {
  at_end = etcd.transfers:equals(3),
}
expect "only the restore needs an election" { at_end = etcd.no_leader:below "3s" }
expect "the restore undoes what came after the snapshot" { at_end = etcd.lost:equals(1) }
expect "with retries hardly anybody notices" { at_end = users.success.ratio:above "99%" }
