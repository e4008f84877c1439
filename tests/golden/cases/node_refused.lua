scenario "A probe that would leave its service stopped" { duration = "1m" }
local web = service "web" { restart = "never", liveness = {} }
local many = service "many" { replicas = 100000, readiness = { period = "1ms" } }
traffic "users" { to = web, rate = "10/s" }
traffic "more" { to = many, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
