-- What counts as touched: producers that are refused, where copies stand still; and not what a
-- factor makes of a disk that takes no time.
local what = param("what", { "refused", "no time" })
scenario "A fault has touched what it changed" { duration = "20s", warmup = "1s" }

if what == "refused" then
  local kafka = broker "kafka" { nodes = 3 }
  local orders = topic "orders" { on = kafka, partitions = 2, replication = 3, min_isr = 2 }
  local shop = traffic "shop" { to = orders, rate = "50/s", timeout = "1s" }
  fault.isr_shrink { orders, at = "5s", lasting = "5s" }
  expect "the shop is refused" { sometimes = shop.errors.ratio:above "99%" }
else
  local db = database "db" { nodes = 1 }
  traffic "users" { to = db, op = "write x", rate = "50/s", timeout = "1s" }
  fault.disk_latency { db, factor = 100, at = "5s", lasting = "5s" }
  expect "it is fast" { always = db.latency.max:below "10ms" }
end
