scenario "What is simulated has no headers" { duration = "10s" }
local web = service "web" { listen = 80 }
local users = traffic "users" { to = web, op = "GET /", rate = "1/s" }
fault.http_delay { web, header = "x-user: eve", add = "1s", at = "1s" }
