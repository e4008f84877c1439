-- A partition separates the primary from its replicas, and nobody stops it: a replica is promoted,
-- and the old one goes on taking writes of those who still talk to it. Repaired, it is fenced: it
-- steps down before another can lead.
--
-- GitHub, 21 October 2018: 43 s without a link between two coasts, two primaries, and 24 h 11 min
-- to put the writes of both together (github.blog, "October 21 post-incident analysis").
scenario "Only one primary takes writes" {
  about = "Broken: the old primary is not fenced. Repaired: it is, and waits for a standby.",
  tags = { "zoo" }, duration = "80s", warmup = "2s", seeds = 20,
}

local form = param("form", { "broken", "repaired" })

local coast = region "coast" { zones = { "east", "west", "middle" }, latency = "2ms" }
local east, west, middle = coast.zone.east, coast.zone.west, coast.zone.middle
local db = database "orders" {
  nodes = 3, spread = coast, replication = form == "broken" and "async" or "sync",
  failover = { detect = "5s", promote = "2s", fencing = form == "repaired", discovery = "1s" },
}
-- Each side has orders of its own, and reads them when the link is back.
local function front(name, where, first)
  return service(name) {
    replicas = 2, spread = where,
    handle = {
      ["POST /"] = function(req)
        local put = req:call { db, "write", key = first + 2 * (req.key % 4), timeout = "1s" }
        return put.ok and 200 or 500
      end,
      ["GET /"] = function(req)
        local got = req:call { db, "read", key = first + 2 * (req.key % 4), timeout = "1s" }
        return got.ok and 200 or 500
      end,
    },
  }
end
local near, far = front("near", east, 0), front("far", west, 1)
for _, api in ipairs { near, far } do
  traffic(api == near and "east users" or "west users") {
    to = api, op = "POST /", rate = shape.steps { { "0s", "10/s" }, { "45s", "0/s" } },
    timeout = "5s" }
  traffic(api == near and "east readers" or "west readers") {
    to = api, op = "GET /", rate = shape.steps { { "0s", "0/s" }, { "65s", "10/s" } },
    timeout = "5s" }
end

-- The primary and those next to it on one side, the others on the other.
drive("the link fails", function()
  sleep(dur("15s") + dur("2s") * rand())
  fault.partition { east, west, lasting = "43s" }
  fault.partition { east, middle, lasting = "43s" }
end)

expect "all see the same orders" { linearizable = db }
