-- The first of two masters is shown token 50 and is down before the other is up. That the other
-- refuses token 1 is by what nobody can have told it: such refusals are no proof. Of one that hands
-- on what it has acknowledged, they are.
local replication = param("replication", { "multi", "raft" })
scenario "Another master refuses" { duration = "12s" }

local orders = database "orders" { nodes = replication == "multi" and 2 or 3, replication = replication }
local asked = 0
local app = service "app" { handle = { ["GET /"] = function(req)
  asked = asked + 1
  return req:call { orders, "write", key = 7, token = asked < 45 and 50 or 1,
    timeout = "200ms" }.status
end } }
traffic "users" { to = app, op = "GET /", rate = "10/s", arrivals = "constant" }
if replication == "multi" then
  fault.down { orders.node[2], at = "1ms", lasting = "4900ms" }
  fault.down { orders.node[1], at = "4800ms" }
else
  fault.down { orders.primary, at = "4800ms" }
end

expect "only who holds the lock writes" { fenced = orders }
