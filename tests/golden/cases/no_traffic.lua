scenario "Nobody comes" { duration = "10s" }
local web = service "web" { replicas = 2 }
traffic "users" { to = web, rate = "0/s" }
expect "answers are quick" { always = web.latency.p99:below "10ms" }
