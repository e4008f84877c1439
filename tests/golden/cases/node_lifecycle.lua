-- What a cluster does about its nodes must be kept: who is put elsewhere, who waits, and what the
-- control plane has to do with it. One region loses a node, one its control plane, one is cut off.
scenario "Nodes that are not heard of" { duration = "9m" }

local function cluster(name, more)
  return region(name) { zones = { "a", "b" }, node_lifecycle = more }
end
local function tier(name, at, replicas)
  return service(name) { replicas = replicas or 4, spread = at, service_time = "1ms" }
end

-- A declared host holds its own: they come back with it. A database's node does too.
local north = cluster("north", { monitor_grace = "40s", toleration = "60s", lease_renew = "0s" })
local rack = host "rack" { zone = north.zone.a }
local free = tier("free", north)
local bound = service "bound" { on = rack, replicas = 2, service_time = "1ms" }
local db = database "db" { nodes = 2, spread = north }
for _, one in ipairs { free.replica[2], rack, db.node[2] } do
  fault.down { one, at = "1m", lasting = "4m" }
end

-- While nobody decides, nobody is moved; once somebody does, all grace begins anew.
local east = cluster("east", { monitor_grace = "40s", toleration = "60s", lease_renew = "0s" })
local held = tier("held", east)
fault.control_plane_down { east, at = "30s", lasting = "2m30s" }
fault.down { held.replica[1], at = "1m" }

-- Cut off from where its leases go, a node runs on, and is treated as lost.
local west = cluster("west", { monitor_grace = "40s", toleration = "60s" })
local apart = tier("apart", west)
local plane = service "apiserver" { spread = west.zone.b, service_time = "1ms",
  control_plane_of = west }
fault.partition { west.zone.a, plane, at = "1m", lasting = "6m" }

local ways = { health = { by = "endpoints" }, timeout = "200ms", rate = "20/s",
  arrivals = "constant" }
for _, to in ipairs { free, held, apart } do
  ways.to = to
  traffic("users of " .. tostring(to)) (ways)
end

expect "what may move has moved" { at_end = free.replicas.ready:equals(4) }
expect "what waited for the control plane too" { at_end = held.replicas.ready:equals(4) }
expect "what was cut off too" { at_end = apart.replicas.ready:equals(4) }
expect "what is bound is back" { at_end = bound.replicas.ready:equals(2) }
expect "before its host is, it is not" { never = bound.replicas.ready:above(0),
  during = { after = "62s", lasting = "3m50s" } }
