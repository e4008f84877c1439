scenario "What a node refuses: cpu limit" { duration = "1m" }
local web = service "web" { cpu = 2, cpu_limit = 0.001, cpu_period = "10ms" }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
