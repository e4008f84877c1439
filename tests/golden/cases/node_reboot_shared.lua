-- A machine is restarted as a whole, in order, whether or not a cluster looks after it.
local where = param("where", { "cluster", "alone" })
scenario "shared" { duration = "3m" }
local eu = region "eu" { node_lifecycle = where == "cluster" and {} or nil }
local rack = host "rack" { zone = eu.zone.a }
local api = service "api" { on = rack, service_time = "1ms" }
local other = service "other" { on = rack, service_time = "1ms" }
traffic "users" { to = api, rate = "10/s", timeout = "100ms" }
fault.reboot { api, at = "60s", lasting = "60s", notice = "5s" }
expect "other is off too" { always = other.replicas.ready:equals(0),
    during = { after = "61s", lasting = "58s" } }
expect "and back" { at_end = other.replicas.ready:equals(1) }
