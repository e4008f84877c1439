-- What was to be seen never happens.
scenario "Nothing ever fails" { duration = "10s", warmup = "1s" }
local web = service "web" { replicas = 1, concurrency = 8, service_time = "1ms" }
traffic "users" { to = web, rate = "50/s" }
expect "half of the answers were errors once" { sometimes = web.errors.ratio:above "50%" }
