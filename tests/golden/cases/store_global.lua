scenario "The last writer wins, and the other has lost an update" { duration = "1m" }

local eu = region "eu" { zones = { "a" } }
local us = region "us" { zones = { "a" } }
local items = store "items" { kind = "key_value", regions = { eu, us }, lag = "800ms" }
local cluster = store "cluster" {
  kind = "key_value", nodes = 5,
  quorum = { n = 3, w = 2, r = 1, sloppy = true, read_repair = true,
    write = dist.exponential { mean = "20ms" } },
}

local here = service "here" { on = eu, calls = { call { items, "put" }, call { items, "get" } } }
local there = service "there" { on = us, calls = { call { items, "put" }, call { items, "get" } } }
local app = service "app" { calls = { call { cluster, "put" }, call { cluster, "get" } } }

traffic "europeans" { to = here, rate = "20/s", keys = dist.zipf { n = 20, skew = 1 } }
traffic "americans" { to = there, rate = "20/s", keys = dist.zipf { n = 20, skew = 1 } }
traffic "others" { to = app, rate = "50/s", keys = dist.zipf { n = 20, skew = 1 }, timeout = "1s" }

fault.kill { cluster.node[2], at = "20s", lasting = "10s" }
fault.partition { eu, us, at = "30s", lasting = "5s" }

expect "some had not seen what they overwrote" { at_end = items.lost_updates:above(100) }
expect "who has just written reads that, mostly" { at_end = items.stale_reads:between(1, 100) }
expect "a quorum of less than all is stale at times" { at_end = cluster.stale_reads:above(10) }
expect "a node that is away is stood in for" { at_end = cluster.errors.ratio:below "1%" }
expect "regions go on alone" { at_end = items.errors.ratio:equals "0%" }
