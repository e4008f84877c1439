scenario "Warnings only" { duration = "5m" }
local web = service "web" {}
local lone = service "a \"quoted\" name" {}
traffic "users" { to = web, rate = "10/s" }
expect "quick" { always = web.latency.p99:below "300ms" }
