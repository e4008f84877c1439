-- Unclean elections: a copy that is behind may lead, and what it lacks is lost, for some seed. This
-- must fail.
local monkey = use "./_monkey.lua"
scenario "An unclean election may lose what all acknowledged" { duration = "3m", warmup = "1s" }

local s = monkey.system({ min_isr = 1, unclean = true }, { acks = "all", retries = 50 })
monkey.wreck(s, 30)

expect "readers find what was acknowledged" {
  log_intact = s.orders, tolerates = { "duplicate", "reordered" },
}
expect "no acknowledged record is lost" { at_end = s.orders.lost_acks:equals(0) }
