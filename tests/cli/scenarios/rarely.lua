-- Two of some thousand requests fail, in few seeds at the same second.
scenario "Two requests fail at once, now and then" { duration = "20s", seeds = 30 }
local web = service "web" { concurrency = 64, error_ratio = "1%", service_time = "1ms" }
local users = traffic "users" { to = web, rate = "20/s" }
fault.degrade { web, at = "5s", lasting = "5s", factor = 2 }
expect "most requests are answered" { always = users.errors.ratio:below "60%" }
expect "three fail in one second" { sometimes = users.errors.rate:at_least "3/s" }
