-- Ids come from a row: read it, add one, write it back, in a transaction. Then the database splits:
-- a replica is promoted while the old primary still serves those next to it, and both give out the
-- same numbers. Repaired, who leads is agreed on: the side without a majority gives out none.
--
-- GitHub, 21 October 2018, had to look for rows that two primaries had written; Jepsen's reports
-- have a workload of its own for it ("unique ids").
scenario "No id is given twice" {
  about = "Broken: the old primary is not fenced. Repaired: nodes agree on each commit.",
  tags = { "zoo" }, duration = "40s", warmup = "2s", seeds = 20,
}

local form = param("form", { "broken", "repaired" })

local coast = region "coast" { zones = { "east", "west", "middle" }, latency = "2ms" }
local db
if form == "broken" then
  db = database "sequence" { nodes = 3, spread = coast, replication = "async",
    failover = { detect = "3s", promote = "1s", fencing = false, discovery = "1s" } }
else
  db = database "sequence" { nodes = 3, spread = coast, replication = "raft" }
end
local ids = service "ids" {
  replicas = 2, spread = coast,
  handle = {
    ["POST /id"] = function(req)
      local next = req:transaction({ db, timeout = "1s" }, function(tx)
        local id = (tx:lock(1) or 0) + 1
        tx:write(1, id)
        return id
      end)
      if not next.ok then return 503 end
      return 200, next.value
    end,
  },
}
traffic "users" { to = ids, op = "POST /id", rate = "10/s", timeout = "3s" }

drive("the link fails", function()
  sleep(dur("8s") + dur("2s") * rand())
  fault.partition { coast.zone.east, coast.zone.west, lasting = "15s" }
  fault.partition { coast.zone.east, coast.zone.middle, lasting = "15s" }
end)

expect "no two have one id" { unique_ids = ids, generates = { "POST /id" } }
