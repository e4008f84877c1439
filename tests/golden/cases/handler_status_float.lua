-- A status is an integer: 400 / 2 is none in Lua.
scenario "A status that was divided" { duration = "5s" }
local web = service "web" { service_time = "1ms",
  handle = { ["GET /"] = function() return 400 / 2 end } }
traffic "users" { to = web, rate = "10/s" }
expect "answers come" { always = web.errors.ratio:equals(0) }
