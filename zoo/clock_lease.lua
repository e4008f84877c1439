-- A leader reads without asking anybody as long as its lease lasts, by the clock of its host. The
-- clock is set back, the leader is cut off, the others elect another: and the old one still
-- believes in its lease. Repaired, it asks a majority before it answers.
--
-- etcd documents it: lease-based reads are "affected by the clock" (raft, ReadOnlyLeaseBased);
-- Jepsen found stale reads of leaders with leases in several stores.
scenario "A read is current whatever the clock says" {
  about = "Broken: reads by lease. Repaired: reads by index.",
  tags = { "zoo" }, duration = "20s", warmup = "1s", seeds = 200,
}

local form = param("form", { "broken", "repaired" })

local etcd = consensus "etcd" { nodes = 3, reads = form == "broken" and "lease" or "index" }
local api = service "api" {
  replicas = 3,
  handle = {
    ["POST /"] = function(req)
      local put = req:call { etcd, "put", key = req.key % 8, timeout = "500ms" }
      return put.ok and 200 or 500
    end,
    ["GET /"] = function(req)
      local got = req:call { etcd, "get", key = req.key % 8, timeout = "500ms" }
      return got.ok and 200 or 500
    end,
  },
}
traffic "writers" { to = api, op = "POST /", rate = "100/s", timeout = "2s" }
traffic "readers" { to = api, op = "GET /", rate = "300/s", timeout = "2s" }

drive("time goes back", function()
  sleep(dur("4s") + dur("1s") * rand())
  for _ = 1, 3 do
    fault.clock_step { etcd.leader, offset = "-5s" }
    sleep "50ms"
    fault.partition { etcd.leader, etcd, lasting = "2s" }
    sleep "4s"
  end
end)

expect "nobody reads what is older" { linearizable = etcd }
