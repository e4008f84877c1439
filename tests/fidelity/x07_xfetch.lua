-- X07: probabilistic early recomputation (XFetch). One key asked for by Poisson arrivals, D = 3 s
-- to make, good for 30 s. Each refresh is made by e^(1/beta) callers on average, the first of them
-- beta D (ln(lambda beta D) + 0.5772) before it runs out: closed forms from the rule of Vattani,
-- Chierichetti, Lowenstein, VLDB 2015 (an independent simulation gave 2.707 and 2.741 of 2.718, and
-- gaps of 11.94 and 18.89 s). Both are in the rate at which it is made:
--
--   e^(1/beta) / (30 s + D - gap + L)
--
-- where L, from the first of them to the last, is the mean of the last point of the process on the
-- D seconds after the first, whose intensity grows as e^(t / (beta D)): the integral over 0 .. D of
-- 1 - 1 / (1 + e^(1/beta) - e^(t / (beta D))). The first 200 s are left out.
scenario "A hot key is made anew before it runs out" { duration = "40h", warmup = "200s" }

local ROWS = {
  ["beta 1"] = { beta = 1, made = 0.121075, within = 0.03 }, -- three standard errors
  ["beta 0.5"] = { beta = 0.5, made = 0.243406, within = 0.04 },
}
local case = param("case", { "beta 1", "beta 0.5" })
local row = ROWS[case]

local redis = cache "redis" { entries = 10 }
local db = database "db" { query_time = "3s", max_connections = 10000 }
local web = service "web" {
  concurrency = 10000, service_time = "1us",
  calls = { call { db, "select hot", timeout = "30s",
    through = call { redis, ttl = "30s", beta = row.beta } } },
}
traffic "users" { to = web, rate = "10/s", keys = dist.zipf { n = 1, skew = 1 }, timeout = "60s" }

expect "it is made as often as the closed form says" {
  at_end = db.rate:between(("%f/s"):format(row.made * (1 - row.within)),
    ("%f/s"):format(row.made * (1 + row.within))),
}
expect "hardly anybody finds it gone" { at_end = redis.hit_ratio:at_least "99%" }
