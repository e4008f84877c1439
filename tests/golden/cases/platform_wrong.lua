scenario "A service that does not scale" { duration = "1m" }

local web = service "web" { replicas = 2 }
local redis = cache "redis" { entries = 10 }
traffic "users" { to = web, rate = "5/s" }
fault.autoscaler_off { web, at = "10s" }
fault.hot_key { redis.primary, ratio = "50%", at = "10s" }
expect "it answers" { always = web.errors.ratio:below "1%" }
