scenario "A cache is looked into first" { duration = "60s", warmup = "20s" }

local redis = cache "redis" { entries = 1000 }
local db = database "db" { query_time = "20ms" }
local web = service "web" {
  calls = { call { db, "select item", timeout = "1s", single_flight = true,
    through = call { redis, ttl = "5s", timeout = "20ms" } } },
}
local desk = service "desk" {
  calls = { call { db, "update item", timeout = "1s", through = redis } },
}
traffic "readers" { to = web, rate = "200/s", keys = dist.zipf { n = 100, skew = 1.2 } }
traffic "writers" { to = desk, rate = "2/s", keys = dist.zipf { n = 100, skew = 1.2 } }

fault.kill { redis, at = "40s", lasting = "10s" }

expect "most readers are answered by the cache" {
  always = redis.hit_ratio:above "70%", except = { after = "40s", lasting = "15s" },
}
expect "without it the database has all of them" { sometimes = db.rate:above "150/s" }
expect "nobody notices" { always = web.errors.ratio:equals "0%" }
expect "by and large the database is spared" { at_end = db.rate:below "60/s" }
