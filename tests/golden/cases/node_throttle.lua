scenario "What a node refuses: throttle" { duration = "1m" }
local web = service "web" {}
fault.cpu_throttle { web, quota = "0%", at = "10s" }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
