scenario "A request has no status yet" { duration = "10s" }
local web = service "web" { listen = 80 }
local users = traffic "users" { to = web, op = "GET /", rate = "1/s" }
fault.http_reset { web, of_status = 200, at = "1s" }
