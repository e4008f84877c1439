scenario "One request in some thousand fails" { duration = "20s" }
local web = service "web" { concurrency = 64, error_ratio = "0.05%", service_time = "1ms" }
local users = traffic "users" { to = web, rate = "60/s" }
expect "no request fails" { always = users.errors.rate:equals "0/s" }
