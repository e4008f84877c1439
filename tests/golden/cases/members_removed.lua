-- A member that is down when it is removed cannot hear of it. Back, it asks for votes until it is
-- told that it is none (etcd's members answer such with 410 Gone), and its callers go elsewhere. As
-- long as it is away a restore leaves it out all the same.
scenario "Who was removed while it was away is told so" { duration = "60s", warmup = "1s" }

local etcd = consensus "etcd" { nodes = 3 }
local away = consensus "away" { nodes = 3 }
local jobs = service "jobs" {
  handle = {
    ["GET /"] = function(req)
      local put = req:call { etcd, "put", key = req.key % 20 + 1, timeout = "1s" }
      return put.ok and 200 or 500
    end,
  },
}
local users = traffic "users" { to = jobs, rate = "50/s", op = "GET /", timeout = "8s" }

fault.kill { away.node[3], at = "5s" }
fault.kill { etcd.node[3], at = "5s", lasting = "5s" }
drive("operator", function()
  sleep "7s"
  assert(etcd:member_remove { node = etcd.node[3] })
  assert(away:member_remove { node = away.node[3] })
  sleep "10s"
  assert(away:snapshot_save())
  assert(away:snapshot_restore())
  sleep "10s"
  local ok, why = away:member_remove { node = away.node[3] }
  assert(not ok and why == "away[3]: it is no member", tostring(why))
end)

expect "two vote" { at_end = etcd.members:equals(2) }
expect "and after a restore too" { at_end = away.members:equals(2) }
expect "users hardly notice" { at_end = users.success.ratio:above "89%" }
