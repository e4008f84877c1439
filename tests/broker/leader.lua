-- acks = "leader": what only a leader had when it died is lost, for some seed. This must fail.
local monkey = use "./_monkey.lua"
scenario "What a leader alone acknowledged may be lost" { duration = "3m", warmup = "1s" }

local s = monkey.system({ min_isr = 2 }, { acks = "leader", retries = 50 })
monkey.wreck(s, 30)

expect "readers find what was acknowledged" {
  log_intact = s.orders, tolerates = { "duplicate", "reordered" },
}
expect "no acknowledged record is lost" { at_end = s.orders.lost_acks:equals(0) }
