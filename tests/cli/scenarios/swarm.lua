-- The brown-out fails requests, unless the outage before it has emptied the queue: with all faults
-- it is never seen.
scenario "An outage hides what comes with it" { duration = "20s", seeds = 8 }

local web = service "web" { concurrency = 8, service_time = "1ms" }
local users = traffic "users" { to = web, rate = "50/s" }
fault.degrade { web, error_ratio = "20%", at = "8s", lasting = "4s" }
fault.pause { web, at = "7s", lasting = "6s" }
expect "no request is an error" { always = web.errors.rate:equals "0/s" }
