scenario "What a node refuses: clock wild" { duration = "5m" }
local web = service "web" {}
fault.clock_drift { web, ppm = 1e9, at = "10s" }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
