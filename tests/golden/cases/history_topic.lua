-- A partition's leader is cut off from its peers, not from its clients, and goes on; then a copy
-- that is behind leads, uncleanly. With acks = leader, or with one copy in sync enough, what had
-- been acknowledged is gone; with two copies in sync and acks = all it is not. A producer that is
-- not idempotent writes twice what it tries again.
scenario "What was acknowledged is in the log" { duration = "60s", warmup = "1s" }

local form = param("form", { "leader alone", "one in sync", "two in sync", "not idempotent" })
local safe = form == "two in sync" or form == "not idempotent"

local kafka = broker "kafka" { nodes = 3, election = "2s", replica_lag_time = "3s" }
local orders = topic "orders" {
  on = kafka, partitions = 2, replication = 3, min_isr = safe and 2 or 1, unclean = not safe,
}
consumers "readers" { of = orders, members = 2, session = "5s", reset = "earliest" }
traffic "shop" {
  to = orders, rate = "100/s", acks = form == "leader alone" and "leader" or "all",
  idempotent = form ~= "not idempotent" and form ~= "leader alone", retries = 20, timeout = "500ms",
}

fault.latency { kafka.node[1], add = "600ms", at = "8s", lasting = "6s" }
fault.partition { kafka.node[1], kafka, at = "15s", lasting = "10s" }
if not safe then
  fault.unclean_election { orders, at = "27s" }
  fault.kill { kafka.node[2], at = "32s", lasting = "5s" }
end

expect "no order is lost, none comes twice" { log_intact = orders }
expect "no order is lost" { log_intact = orders, tolerates = { "duplicate", "reordered" } }
