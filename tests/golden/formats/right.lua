scenario "All is right" { duration = "5m" }
local web = service "web" {}
traffic "users" { to = web, rate = "10/s" }
expect "quick" { always = web.latency.p99:below "300ms" }
