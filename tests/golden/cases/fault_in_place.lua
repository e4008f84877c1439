-- In a place stand others, too, than those that a fault is about: they are passed by, and never
-- picked. Everything is in zone a; of six processes two are the cache's, and one has a disk and a
-- limit of memory.
scenario "A fault of a place meets its own kind only" { duration = "20s", warmup = "2s" }

local eu = region "eu" { zones = { "a" } }
local db = database "db" { nodes = 1, spread = eu, memory = { limit = "1GiB" } }
local pages = cache "pages" { nodes = 2, entries = 1000, spread = eu }
local web = service "web" {
  replicas = 3, spread = eu, calls = { call { pages, "set" }, call { db, "write" } },
}
traffic "users" { to = web, rate = "100/s", keys = dist.zipf { n = 200, skew = 1 } }

fault.flush { eu.zone.a, at = "5s" }
fault.expire { eu, ratio = "50%", at = "7s" }
fault.cache_limit { eu.zone.a, entries = 50, at = "9s", lasting = "2s" }
fault.disk_latency { eu.zone.a, add = "20ms", pick = "one", at = "12s", lasting = "2s" }
fault.memory { eu, fill = "20%", pick = "one", at = "13s", lasting = "1s" }
local blocked = fault.waf_false_positive { eu, ratio = "100%", pick = 3, at = "15s", lasting = "1s" }

expect "the database lets everybody in: the rule stands before web" {
  never = db.errors.rate:above "0/s",
}
expect "three are hit, and that is all of web" {
  always = web.errors.ratio:at_least "90%",
  during = { after = blocked, lasting = "1s" },
}
