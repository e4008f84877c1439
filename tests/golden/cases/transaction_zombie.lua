-- A producer writes each order to two topics, or to neither (KIP-98). A twin with its transactional
-- id begins while it cannot be heard: what it had open is aborted, and it commits nothing any more.
scenario "A zombie commits nothing" { duration = "90s", warmup = "2s" }

local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, partitions = 3, replication = 3, min_isr = 2 }
local payments = topic "payments" { on = kafka, partitions = 2, replication = 3, min_isr = 2 }

local function shop(name, rate)
  return traffic(name) {
    to = orders, also_to = { payments }, transactional_id = "checkout", aborts = "10%",
    rate = rate, timeout = "10s", overall_timeout = "60s", keys = dist.zipf { n = 100, skew = 1 },
  }
end
local first = shop("first", shape.steps { { "0s", "40/s" }, { "35s", "0/s" } })
local second = shop("second", shape.steps { { "0s", "0/s" }, { "25s", "40/s" }, { "70s", "0/s" } })

local seen = { orders = 0, payments = 0 }
local function reader(name, of, isolation)
  return consumers(name) {
    of = of, isolation = isolation, work = "100us",
    handle = function() seen[name] = (seen[name] or 0) + 1 return true end,
  }
end
reader("orders-committed", orders, "read_committed")
reader("payments-committed", payments, "read_committed")

fault.partition { kafka, first, at = "20s", lasting = "12s" }
fault.kill { kafka.node[1], at = "50s" }

expect "the zombie is fenced" { at_end = kafka.transactions.fenced:equals(1) }
expect "some are aborted" { at_end = kafka.transactions.aborted:at_least(20) }
expect "others count" { at_end = kafka.transactions.committed:at_least(200) }
expect "nothing aborted is read of orders" { log_intact = orders }
expect "nor of payments" { log_intact = payments }
expect "who was fenced fails, and who has taken over does not" {
  at_end = second.errors.ratio:below "20%",
}
drive("count", function()
  sleep "89s"
  log("%d orders, %d payments", seen["orders-committed"] or 0, seen["payments-committed"] or 0)
  assert(seen["orders-committed"] == seen["payments-committed"])
end)
