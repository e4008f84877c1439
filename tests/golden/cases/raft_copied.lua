-- db[1] comes back with what the others have lost, and takes their log while its own disk lies.
-- Then all lose power: what it was sent no log has, nor may anybody read it.
scenario "A node that was sent the state loses it with the power" { duration = "40s" }

local db = database "db" {
  nodes = 3, replication = "raft", query_time = "100us", disk = { latency = "200us" },
}
local n = 0
local app = service "app" {
  handle = {
    ["W /"] = function(req)
      n = n + 1
      if n < 2100 then
        return req:call { db, "write", key = n % 50, value = n, timeout = "300ms" }.status
      end
      local r = req:call { db, "read", key = n % 50, timeout = "300ms" }
      if n > 2250 and r.ok and math.type(r.value) == "integer" and r.value > 1200 then
        error(("read %d at key %d, which every log has lost"):format(r.value, n % 50))
      end
      return r.status
    end,
  },
}
traffic "w" { to = app, op = "W /", rate = "100/s", arrivals = "constant", timeout = "1s" }

for i, lies in ipairs { { "19s", "15s" }, { "5s", "30s" }, { "5s", "30s" } } do
  fault.fsync_lie { db.node[i], at = lies[1], lasting = lies[2] }
end
fault.down { db.node[1], at = "10s", lasting = "10s" }
fault.down { db, at = "12s", lasting = "1s" }
fault.down { db, at = "21s", lasting = "1s" }
fault.down { db.node[2], at = "25s", lasting = "4s" }
fault.down { db.node[3], at = "31s", lasting = "4s" }

expect "what was lost is counted" { at_end = db.lost_acks:above(1000) }
