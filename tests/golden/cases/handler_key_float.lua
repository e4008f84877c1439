-- A float is no key, even of a whole number.
scenario "A key that is a float" { duration = "5s" }
local redis = cache "redis" { entries = 100 }
local web = service "web" { service_time = "1ms",
  handle = { ["GET /"] = function(req) req:call { redis, "get", key = 4 / 2 } return 200 end } }
traffic "users" { to = web, rate = "10/s" }
expect "answers come" { always = web.errors.ratio:equals(0) }
