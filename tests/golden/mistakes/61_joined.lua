-- Lua's `and` gives the second of two matchers: the first would never be judged.
scenario "Joined by and" { duration = "1m" }
local web = service "web" { service_time = "5ms" }
traffic "users" { to = web, rate = "10/s" }
expect "it works" { always = web.latency.p99:below "1s" and web.errors.ratio:below "1%" }
expect "it works too" { always = web.errors.ratio:equals(0) or web.latency.p99:below "1s" }
