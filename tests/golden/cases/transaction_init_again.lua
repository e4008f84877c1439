-- Its coordinator is paused, and keeps what a producer has asked of it and given up: another one
-- has answered since. When the paused node goes on, that is no request of another producer.
scenario "A lone producer does not fence itself" { duration = "90s", warmup = "1s" }

local node = param("node", { 1, 2, 3 })
local at = param("at", { "0s", "10s" })

local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, partitions = 3, replication = 3, min_isr = 2 }
local only = traffic "only" {
  to = orders, transactional_id = "checkout", transaction_timeout = "3s",
  rate = "20/s", timeout = "1s", overall_timeout = "10s",
}

fault.pause { kafka.node[node], at = at, lasting = "15s" }
fault.partition { only, kafka, at = "40s", lasting = "5s" }

expect "nobody else has its id" { at_end = kafka.transactions.fenced:equals(0) }
expect "it goes on" {
  after = "50s", within = "5s", eventually = only.errors.ratio:below "1%", holding = "30s",
}
