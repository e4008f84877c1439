-- Commits and aborts are records too, with an offset and a time, but nobody's: a poll that gets one
-- alone goes on behind it, and it is no older than when it was written.
scenario "Markers are passed over" { duration = "60s", warmup = "2s" }

local kafka = broker "kafka" { nodes = 3 }

local function pays(name, batch)
  local orders = topic(name .. "_orders") { on = kafka, replication = 3 }
  local payments = topic(name .. "_payments") { on = kafka, replication = 3 }
  consumers(name .. "_workers") {
    of = orders, batch = batch, transactions = true,
    handle = function(record)
      return record:call({ payments, "produce", timeout = "2s", value = record.offset }).ok
    end,
  }
  return orders, payments
end

local orders, payments = pays("single", 1)
traffic "early" { to = orders, rate = shape.steps { { "0s", "20/s" }, { "20s", "0/s" } } }
local slow = consumers "slow" { of = payments, batch = 1, work = "1ms" }
fault.pause { slow.member[1], at = "10s", lasting = "1s" }

orders, payments = pays("many", 5)
traffic "steady" { to = orders, rate = "20/s" }
local quick = consumers "quick" { of = payments, work = "100us" }
for _, at in ipairs { "40s", "45s", "50s" } do
  fault.pause { quick.member[1], at = at, lasting = "1500ms" }
end

expect "a poll of one record reads to the end" { at_end = slow.lag.records:equals(0) }
expect "who stood still for 1.5 s is never 5 s behind" { always = quick.lag.time:below "5s" }
