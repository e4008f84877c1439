-- Kafka's max.poll.interval.ms: a member that has not asked for records for so long leaves, and
-- what it had is worked on again by somebody else. A dependency that becomes slow makes a batch of
-- 500 records last 500 x 321 ms = 160 s, far beyond a minute: every batch is taken away before it
-- is committed, and what it did is done twice. 50 records last 16 s, so with max.poll.records = 50
-- the group is late and nothing else (kafka.apache.org, consumer configuration:
-- "max.poll.records").
local batch = param("max_poll_records", { 500, 50 })

scenario "A dependency that is slow makes consumers late and nothing else" {
  about = "Kafka: batches that last longer than max.poll.interval.ms are done again and again.",
  tags = { "kafka", "overload" }, duration = "60m", warmup = "5m",
  xfail = { max_poll_records = 500 },
}

local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, partitions = 24, replication = 3 }
local bank = service "bank" { replicas = 4, concurrency = 100, service_time = "20ms" }
local billing = consumers "billing" {
  of = orders, members = 8, batch = batch, work = "1ms", commit = { after = "batch" },
  calls = { call { bank, "POST /charge", timeout = "5s" } },
  max_poll_interval = "1m", session = "10s",
}
traffic "shops" { to = orders, rate = "200/s" }

local slow = fault.latency { bank, add = "300ms", at = "15m", lasting = "10m" }

expect "nobody is taken for dead" { always = billing.rebalances:equals(0) }
expect "nobody is charged twice" { at_end = billing.duplicates:equals(0) }
expect "it is late meanwhile" { sometimes = billing.lag.time:above "5m" }
expect "and has caught up twenty minutes later" {
  eventually = billing.lag.time:below "10s", after = slow.ends, within = "20m", holding = "5m",
}
