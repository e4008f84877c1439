-- A marker that its leader had on its own disk alone goes with it: the coordinator writes another.
scenario "A marker whose leader dies is written again" { duration = "40s", warmup = "2s" }
local kafka = broker "kafka" {
  nodes = 3, election = "1s", disk_write = "5ms",
  restart = "always", crash_backoff = { first = "200ms", max = "1s" },
}
local orders = topic "orders" { on = kafka, replication = 3, partitions = 4 }
local payments = topic "payments" { on = kafka, replication = 3, partitions = 4 }
local workers = consumers "workers" {
  of = orders, batch = 10, transactions = true, members = 4,
  handle = function(record)
    return record:call({ payments, "produce", timeout = "2s", value = record.offset }).ok
  end,
}
local committed = consumers "committed" {
  of = payments, isolation = "read_committed", work = "100us",
}
traffic "shop" { to = orders, rate = shape.steps { { "0s", "40/s" }, { "30s", "0/s" } } }
for i = 1, 5 do
  fault.kill { kafka.node[(i - 1) % 3 + 1], at = (2.4 + i * 5) .. "s" }
end
expect "all is worked on" { at_end = workers.lag.records:equals(0) }
expect "and all that was committed is read" { at_end = committed.lag.records:equals(0) }
