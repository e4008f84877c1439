-- What a consumer has been sent it goes on with; what was aborted when the partition was led is so
-- when nobody leads it.
scenario "What was aborted is passed over while nobody leads" { duration = "40s", warmup = "2s" }
local kafka = broker "kafka" { nodes = 3, election = "1s", restart = "never" }
local orders = topic "orders" { on = kafka, replication = 3 }
local payments = topic "payments" { on = kafka, replication = 2 }
local aborted, count = {}, 0
local workers = consumers "workers" {
  of = orders, batch = 4, transactions = true, members = 1,
  handle = function(record)
    count = count + 1
    local mine = count
    local paid = record:call { payments, "produce", timeout = "2s", key = record.key, value = mine }
    aborted[mine] = paid.ok and mine % 10 == 0
    return paid.ok and not aborted[mine]
  end,
}
local committed = consumers "committed" {
  of = payments, isolation = "read_committed", work = "150ms", batch = 10, on_error = "skip",
  handle = function(record) return record.value ~= nil and not aborted[record.value] end,
}
traffic "shop" { to = orders, rate = shape.steps { { "0s", "30/s" }, { "20s", "0/s" } } }
fault.kill { kafka.node[2], at = "6s" }
fault.kill { kafka.node[3], at = "15s" }
expect "there were some" { at_end = workers.transactions.aborted:at_least(5) }
expect "none of them is read" { at_end = committed.failed:equals(0) }
