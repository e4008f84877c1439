scenario "A kill comes some time" { duration = "40s" }
local web = service "web" { replicas = 3, service_time = "1ms" }
traffic "users" { to = web, rate = "20/s" }
fault.kill { web, pick = 1, at = "20s ± 10s", lasting = "5s" }
expect "answers come" { always = web.latency.p99:below "1s" }
