scenario "What is measured of streams" { duration = "10s" }

local web = service "web" {}
local users = traffic "users" { to = web, rate = "1/s" }
expect "measured without" { always = users.first_byte.p99:below "1s" }
