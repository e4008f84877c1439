-- A replica that is bound to its host has nowhere else to go: evicted without `lasting` it starts again
-- there, as a pod does on a node that nobody has cordoned off; otherwise it waits for the end.
scenario "Evicted in place" { duration = "30s" }

local rack = host "rack" {}
local back = service "back" { on = rack, startup = "2s" }
local gone = service "gone" { on = rack, startup = "2s" }
for _, s in ipairs { back, gone } do
  traffic("users of " .. tostring(s)) { to = s, rate = "10/s", arrivals = "constant" }
end
local once = fault.evict { back, at = "5s" }
local long = fault.evict { gone, at = "5s", lasting = "15s" }

expect "it serves again after its start-up" {
  eventually = back.replicas.ready:equals(1), after = once, within = "3s", holding = "20s" }
expect "the other does not while its fault lasts" {
  never = gone.replicas.ready:at_least(1), during = { after = "6s", lasting = "14s" } }
expect "and then does" {
  eventually = gone.replicas.ready:equals(1), after = long.ends, within = "3s", holding = "7s" }
