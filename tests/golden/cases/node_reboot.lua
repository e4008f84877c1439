scenario "What a node refuses: reboot" { duration = "5m" }
local web = service "web" {}
fault.reboot { web, notice = "10s", lasting = "5s", at = "10s" }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
