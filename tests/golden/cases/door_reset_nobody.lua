-- Selectors that fit no request: a fault that touched nothing has tested nothing.
scenario "Nobody is meant" { duration = "10s" }
local web = service "web" { listen = 80 }
local users = traffic "users" { to = web, op = "GET /", rate = "50/s", arrivals = "constant" }
fault.http_reset { web, port = 81, at = "1s", lasting = "1s" }
fault.http_reset { web, path = "/other", at = "2s", lasting = "1s" }
fault.http_reset { web, side = "answer", of_status = 404, at = "3s", lasting = "1s" }
fault.http_delay { web, side = "answer", method = "POST", add = "1s", at = "4s", lasting = "1s" }
expect "all is well" { always = users.errors.ratio:equals "0%" }
