-- With acks = "all", min_isr = 2 and clean elections no acknowledged record is ever lost, and an
-- idempotent producer writes none twice. Kafka's documentation, "Design: Replication" and
-- "Configuration: min.insync.replicas".
local monkey = use "./_monkey.lua"
scenario "What was acknowledged by all is never lost" { duration = "3m", warmup = "1s" }

local s = monkey.system({ min_isr = 2 }, { acks = "all", retries = 50 })
monkey.wreck(s, 30)

expect "readers find what was acknowledged" {
  log_intact = s.orders, tolerates = { "duplicate", "reordered" },
}
expect "no acknowledged record is lost" { at_end = s.orders.lost_acks:equals(0) }
expect "no record is there twice" { at_end = s.orders.duplicates:equals(0) }
expect "readers miss nothing" { at_end = s.readers.lost:equals(0) }
expect "leaders change" { sometimes = s.kafka.elections:at_least(3) }
