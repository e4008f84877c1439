-- A transaction that does not end with its batch.
scenario "Transactions that cannot be" { duration = "1m" }
local kafka = broker "kafka" {}
local orders = topic "orders" { on = kafka }
traffic "shop" { to = orders, rate = "1/s" }
consumers "readers" {
  of = orders, transactions = true, commit = { every = "5s" },
  handle = function(record) return record:call({ orders, "produce" }).ok end,
}
