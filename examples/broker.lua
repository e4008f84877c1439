-- A broker, a topic and its consumers. Run: lorenz run examples/broker.lua
scenario "Orders survive losing a node of Kafka" { duration = "3m", warmup = "10s" }

local kafka = broker "kafka" { nodes = 3, election = "6s" }
local orders = topic "orders" { on = kafka, partitions = 6, replication = 3, min_isr = 2 }

-- Traffic to a topic is a producer: batches, retries, acks. With acks = "leader" the kill would
-- lose what had not been copied yet; with idempotent = false retries could write twice.
local shop = traffic "shop" { to = orders, rate = "500/s", retries = 5, timeout = "2s" }

local billing = consumers "billing" {
  of = orders, members = 3, work = "2ms",
  session = "10s",            -- a dead member's partitions are read by others after this
  commit = { every = "5s" },  -- what was worked on since then is worked on again
}

fault.kill { kafka.node[2], at = "1m", lasting = "30s" }
local gone = fault.kill { billing.member[1], at = "2m" }

expect "no acknowledged order is lost" { at_end = orders.lost_acks:equals(0) }
expect "no order is missed" { at_end = billing.lost:equals(0) }
expect "at most one commit's worth is billed twice" { at_end = billing.duplicates:at_most(2500) }
expect "billing is up to date 30 s after losing a member" {
  eventually = billing.lag.time:below "1s", after = gone, within = "30s", holding = "10s",
}
