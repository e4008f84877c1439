-- Declared calls that are transactions: four statements are five round trips, and one row that all
-- of them write makes them wait for each other.
scenario "A declared transaction holds what it needs" { duration = "20s" }

local db = database "db" { query_time = "1ms", max_connections = 20 }
local shop = service "shop" { service_time = "0s", calls = {
  call { db, "order", timeout = "2s", transaction = { reads = 2, writes = 2 } },
} }
local hot = service "hot" { service_time = "0s", calls = {
  call { db, "count", timeout = "2s",
         transaction = { reads = 1, writes = 1, isolation = "repeatable read" } },
} }
link { shop, db, latency = "1ms" }
local orders = traffic "orders" { to = shop, rate = "10/s", arrivals = "constant", beside = true }
traffic "counts" { to = hot, rate = "10/s", batch = 5, keys = dist.zipf { n = 1, skew = 1 } }

expect "five trips and four queries" { always = orders.latency.max:between("14ms", "14.1ms") }
expect "all of them commit" { at_end = orders.success.ratio:at_least "100%" }
expect "who is overtaken does not" { at_end = db.serialization_failures:above(50) }
expect "and waits first" { at_end = db.locks.wait.max:above "1ms" }
