-- To Lua a method of `always`.
scenario "A colon" { duration = "1m" }
local web = service "web" { service_time = "5ms" }
traffic "users" { to = web, rate = "10/s" }
expect "it works" { always: web.latency.p99:below "1s" }
