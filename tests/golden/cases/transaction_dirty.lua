-- Who reads uncommitted records is given those of transactions that are aborted afterwards (G1a),
-- and the history says so; who asks for it says that it tolerates them.
scenario "What is aborted may be read before" { duration = "20s", warmup = "1s" }
local kafka = broker "kafka" {}
local orders = topic "orders" { on = kafka, partitions = 2 }
local payments = topic "payments" { on = kafka }
local audit = topic "audit" { on = kafka }
consumers "careless" { of = orders, work = "100us" }
consumers "careful" { of = payments, work = "100us", isolation = "read_committed" }
consumers "tolerant" { of = audit, work = "100us" }
traffic "shop" {
  to = orders, also_to = { payments, audit }, transactional_id = "shop", rate = "20/s",
  aborts = "5%",
}
expect "nothing aborted is read of orders" { log_intact = orders }
expect "nor of payments" { log_intact = payments }
expect "and of the audit it does not matter" { log_intact = audit, tolerates = { "aborted-read" } }
expect "some are aborted" { at_end = kafka.transactions.aborted:at_least(5) }
