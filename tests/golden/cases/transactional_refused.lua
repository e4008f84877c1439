scenario "A transaction is of one broker" { duration = "10s", warmup = "1s" }
local kafka = broker "kafka" {}
local other = broker "other" {}
local orders = topic "orders" { on = kafka }
local audit = topic "audit" { on = other }
traffic "shop" { to = orders, also_to = { audit }, transactional_id = "shop", rate = "5/s" }
traffic "again" { to = orders, also_to = { orders }, transactional_id = "shop", rate = "5/s" }
expect "records are written" { at_end = orders.acked:at_least(1) }
