-- A fault that moves the lead and is over before the hand-over is. Who has not been told to lead is
-- not told; who has leads for a moment, and gives the lead back.
scenario "A moved lead goes back though the fault was short" { duration = "30s", warmup = "1s" }

local busy = consensus "busy" { nodes = 3 }
local idle = consensus "idle" { nodes = 3 }
for _, group in ipairs { busy, idle } do
  link { group, group, latency = "50ms" }
  fault.failover { group, to = 3, at = "5s", lasting = "40ms" }
end
traffic "users" { to = busy, op = "put", rate = "50/s", timeout = "1s" }

expect "its successor lacks entries, so it has not been told" { at_end = busy.transfers:equals(0) }
expect "it was told at once, and gives it back" { at_end = idle.transfers:equals(2) }
