scenario "As many, or a share" { duration = "10s" }
local redis = cache "redis" { entries = 1000 }
local web = service "web" { calls = { call { redis, "get", timeout = "1s" } } }
traffic "users" { to = web, rate = "10/s", keys = dist.zipf { n = 10, skew = 1 } }
fault.cache_limit { redis, entries = 10, share = "10%", at = "1s" }
