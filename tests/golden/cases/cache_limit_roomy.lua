-- Ten keys fit into a hundredth of it: nothing goes, and nothing was tested.
scenario "As much room as it needs" { duration = "10s" }
local redis = cache "redis" { entries = 1000 }
local web = service "web" { calls = { call { redis, "get", timeout = "1s" } } }
traffic "users" { to = web, rate = "10/s", keys = dist.zipf { n = 10, skew = 1 } }
fault.cache_limit { redis, share = "1%", at = "1s" }
expect "it has no errors" { always = redis.errors.ratio:equals "0%" }
