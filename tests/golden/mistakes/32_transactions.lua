scenario "Transactions that cannot be" { duration = "1m" }

local kafka = broker "kafka" {}
local orders = topic "orders" { on = kafka }
traffic "shop" { to = orders, rate = "1/s" }
local function twice(record) return record:call({ orders, "produce" }).ok end
consumers "readers" {
  of = orders, transactions = true, handle = twice, protocol = "cooperative",
}
