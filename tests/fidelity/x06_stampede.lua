-- X06: how many callers make a hot entry anew when it is gone. One key, asked for by Poisson
-- arrivals; its value takes D = 3 s to make; the cache is flushed every 10 s. Not coalesced, the
-- first miss and all that come until it is there make it: 1 + lambda D (Vattani, Chierichetti,
-- Lowenstein, VLDB 2015, introduction: 10 requests a second and 3 s are thirty); with a single
-- flight it is one. Tolerance 3 %.
scenario "A stampede is as large as it must be" { duration = "1h", warmup = "10s" }

local case = param("case", { "ten", "hundred", "single" })
local rate = ({ ten = "10/s", hundred = "100/s", single = "100/s" })[case]
local per_flush = ({ ten = 31, hundred = 301, single = 1 })[case]

local redis = cache "redis" { entries = 10 }
local db = database "db" { query_time = "3s", max_connections = 10000 }
local web = service "web" {
  concurrency = 10000, service_time = "1us",
  calls = { call { db, "select hot", timeout = "30s", through = redis,
    single_flight = case == "single" } },
}
traffic "users" { to = web, rate = rate, keys = dist.zipf { n = 1, skew = 1 }, timeout = "60s" }

fault.flush { redis, at = "5s", lasting = "1s", every = "10s" }

expect "as many make it as come until it is there" {
  at_end = db.rate:between(("%f/s"):format(per_flush / 10 * 0.97),
    ("%f/s"):format(per_flush / 10 * 1.03)),
}
