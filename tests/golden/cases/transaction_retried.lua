-- A transactional producer is an idempotent one.
scenario "A call that is made again is one record" { duration = "40s", warmup = "2s" }
local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, replication = 1 }
local payments = topic "payments" { on = kafka, replication = 3 }
local seen = {}
consumers "workers" {
  of = orders, batch = 10, transactions = true,
  handle = function(record)
    return record:call({ payments, "produce", timeout = "100ms", retries = 3,
      value = record.offset }).ok
  end,
}
local committed = consumers "committed" {
  of = payments, isolation = "read_committed", work = "100us", on_error = "skip",
  handle = function(record)
    local is_new = not seen[record.value]
    seen[record.value] = true
    return is_new
  end,
}
traffic "shop" { to = orders, rate = shape.steps { { "0s", "20/s" }, { "30s", "0/s" } } }
for i = 1, 10 do fault.pause { kafka.node[3], at = (10 + i) .. "s", lasting = "250ms" } end
expect "nothing is read twice" { at_end = committed.failed:equals(0) }
expect "all is read" { at_end = committed.lag.records:equals(0) }
