scenario "What a node refuses: clock still" { duration = "5m" }
local web = service "web" {}
fault.clock_step { web, offset = "0s", at = "10s" }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
