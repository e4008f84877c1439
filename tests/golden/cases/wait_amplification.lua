-- What nobody counts cannot be waited for.
scenario "Waiting for an amplification" { duration = "5s" }
local web = service "web" { service_time = "1ms" }
local users = traffic "users" { to = web, rate = "10/s" }
drive("storm", function() wait_until(amplification(users, web):above(2)) end)
expect "answers come" { always = web.errors.ratio:equals(0) }
