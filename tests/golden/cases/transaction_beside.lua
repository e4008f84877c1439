-- Who writes without transactions is not fenced because others write with some: a record that comes
-- after its call has timed out is appended, as without them.
scenario "A plain producer beside transactions" { duration = "40s", warmup = "2s" }

local has_transactions = param("transactions", { true, false })
local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, replication = 1 }
local payments = topic "payments" { on = kafka, replication = 1 }

local workers = consumers "workers" {
  of = orders, batch = 10, transactions = has_transactions, commit = { after = "batch" },
  handle = function(record) return record:call({ payments, "produce", timeout = "5s" }).ok end,
}
local audit = service "audit" {
  handle = {
    ["GET /"] = function(req)
      req:call { payments, "produce", timeout = "100ms" }
      return 200
    end,
  },
}
local function for_30s(rate) return shape.steps { { "0s", rate }, { "30s", "0/s" } } end
traffic "users" { to = audit, rate = for_30s "20/s", arrivals = "constant" }
traffic "shop" { to = orders, rate = for_30s "5/s", arrivals = "constant" }
for i = 1, 10 do fault.pause { kafka.node[2], at = (10 + i) .. "s", lasting = "500ms" } end

expect "all was worked on" { at_end = workers.lag.records:equals(0) }
expect "25 in each of 28 seconds are there" { at_end = payments.appended:at_least(700) }
