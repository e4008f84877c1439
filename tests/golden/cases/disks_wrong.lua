scenario "Faults of disks need one" { duration = "10s" }

local web = service "web" {}
traffic "users" { to = web, rate = "10/s" }
fault.disk_freeze { web, at = "1s", lasting = "1s" }
expect "never shown" { at_end = web.errors.ratio:equals(0) }
