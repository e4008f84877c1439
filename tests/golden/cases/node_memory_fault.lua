scenario "What a node refuses: memory fault" { duration = "1m" }
local web = service "web" {}
fault.memory { web, fill = "90%", at = "10s" }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
