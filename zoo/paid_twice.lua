-- Orders are consumed, and a payment is produced for each. A worker ends between what it has
-- produced and the commit of what it has consumed: another begins at the last commit, and pays
-- again. Repaired, both are one transaction, and the ledger reads what is committed: what the first
-- worker had produced is never seen.
--
-- KIP-98, "Exactly Once Delivery and Transactional Messaging" (2017), names it as what it is for;
-- KIP-447 (2019) has the group's generation fence off who was given up.
scenario "An order is paid once" {
  about = "Broken: at least once. Repaired: consumed and produced in one transaction.",
  tags = { "zoo" }, duration = "40s", warmup = "2s", seeds = 20,
}

local form = param("form", { "broken", "repaired" })

local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, partitions = 4, replication = 3, min_isr = 2 }
local payments = topic "payments" { on = kafka, partitions = 2, replication = 3, min_isr = 2 }

-- It says which order a payment is for.
local workers = consumers "workers" {
  of = orders, members = 2, session = "6s", batch = 50, commit = { after = "batch" },
  transactions = form == "repaired",
  handle = function(record)
    local paid = record:call { payments, "produce", key = record.offset, timeout = "2s",
      value = record.offset * 10 + record.partition }
    record:sleep "12ms" -- it tells the shop, too
    return paid.ok
  end,
}
traffic "shop" { to = orders, rate = shape.steps { { "0s", "50/s" }, { "25s", "0/s" } } }

local paid = {}
local ledger = consumers "ledger" {
  of = payments, isolation = "read_committed", work = "100us", on_error = "skip",
  handle = function(record)
    local is_new = not paid[record.value]
    paid[record.value] = true
    return is_new
  end,
}

drive("a worker is lost, and one of the brokers", function()
  sleep(dur("10s") + dur("2s") * rand())
  fault.kill { workers.member[1], lasting = "1s" }
  sleep "8s"
  fault.kill { workers.member[2], lasting = "1s" }
  fault.kill { kafka.node[1], lasting = "8s" }
end)

expect "no order is paid twice" { at_end = ledger.failed:equals(0) }
expect "all are paid in the end" { at_end = workers.lag.records:equals(0) }
expect "and in the ledger" { at_end = ledger.lag.records:equals(0) }
