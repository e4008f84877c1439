scenario "What a node refuses: memory metric" { duration = "1m" }
local web = service "web" {}
expect "memory" { always = web.memory:below "1GiB" }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
