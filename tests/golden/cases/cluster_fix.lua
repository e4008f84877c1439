-- A source that fails over leaves its slot open: no other reshard begins until an operator has it
-- fixed. Two operators, of whom one asks for the same move again, which goes on.
local asks = param("asks", { "fix", "again" })
scenario "A slot is left open" { duration = "70s" }

local redis = cache "redis" { nodes = 6, mode = "cluster", entries = 10000,
  cluster = { replicas = 1, node_timeout = "1s" } }
traffic "counters" { to = redis, op = "incr", rate = "50/s", timeout = "300ms",
  keys = dist.zipf { n = 2000, skew = 1 } }

fault.pause { redis.node[1], at = "9501ms", lasting = "5s" }

drive("operator", function()
  sleep "9s"
  assert(redis:reshard { slots = 3000, from = 1, to = 2, timeout = "20s" })
  sleep "30s"
  local ok, why = redis:reshard { slots = 10, from = 3, to = 1 }
  assert(not ok)
  log("3 to 1: %s", why)
  if asks == "fix" then
    assert(redis:fix())
  else
    assert(redis:reshard { slots = 1, from = 1, to = 2 })
  end
  sleep "10s"
  assert(redis:reshard { slots = 10, from = 3, to = 1 })
  wait_until(redis.slots.covered:equals "100%")
  mark "whole"
end)

expect "all slots are served in the end" { at_end = redis.slots.covered:equals "100%" }
expect "one primary was replaced" { at_end = redis.failovers:equals(1) }
