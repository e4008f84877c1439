scenario "Everything is looked at before anybody came" { duration = "20s" }
local web = service "web" { replicas = 1 }
local idle = service "idle" { replicas = 1 }
traffic "users" { to = web, rate = "50/s" }
expect "the idle service is quick" { always = idle.latency.p99:below "10ms" }
