scenario "A point in a name" { duration = "10s" }
local web = service "web" {}
local users = traffic "users" { to = web, rate = "5/s" }
expect "it is fast" { always = users.latency.p99.9:below "1s" }
