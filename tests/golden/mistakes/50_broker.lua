scenario "Brokers" { duration = "2m" }
local log = broker "log" { nodes = 3, replicas = 3, flush = 30 }
local a = topic "a" { on = log, partitions = 6, replication = 4 }
local b = topic "b" { on = log, replication = 2, min_isr = 3 }
local c = topic "c" { on = log, replication = 3 }
local web = service "web" {}
traffic "one" { to = c, rate = "10/s", acks = "both" }
traffic "two" { to = c, rate = "10/s", acks = "leader", idempotent = true, retries = 3 }
traffic "three" { to = c, rate = "10/s", idempotent = true }
traffic "four" { to = c, rate = "10/s", breaker = { consecutive = 3 }, op = "produce" }
traffic "five" { to = web, rate = "10/s", linger = "5ms" }
traffic "six" { to = c, rate = "10/s", retries = 3, idempotent = true, max_in_flight = 9 }
consumers "seven" { of = log }
consumers "eight" { of = c, session = "10s", rebalance = "12s" }
consumers "nine" { of = c, session = "10s", heartbeat = "10s" }
consumers "ten" { of = c, protocol = "cooperative", assignment = "range" }
consumers "eleven" { of = c, commit = { every = "5s", after = "batch" } }
consumers "twelve" { of = c, handle = "log it" }
consumers "thirteen" { of = c, handle = function() end, calls = { call { web, "GET /" } } }
local d = consumers "fourteen" { of = c, members = 2 }
fault.poison_message { d, at = "1m" }
fault.consumer_stall { c, at = "1m" }
fault.isr_shrink { c.partition[2], keep = 0, at = "1m" }
expect "no lag" { always = d.lag.recods:below(10) }
expect "nothing lost" { at_end = c.lost_ack:equals(0) }
