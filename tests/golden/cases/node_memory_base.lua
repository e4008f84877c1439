scenario "What a node refuses: memory base" { duration = "1m" }
local web = service "web" { memory = { limit = "1GiB", base = "2GiB" } }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
