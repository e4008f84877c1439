scenario "A number after a method" { duration = "10s" }
local web = service "web" {}
local users = traffic "users" { to = web, rate = "5/s" }
expect "it is fast" { always = users.latency.p99:below 100 }
