scenario "What a node refuses: cpu weight" { duration = "1m" }
local web = service "web" { cpu_weight = 100000 }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
