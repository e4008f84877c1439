-- Records, who writes and who reads them.
scenario "Records are read in time" { duration = "10m" }

local log = broker "log" { nodes = 3 }
local orders = topic "orders" { on = log, partitions = 6, replication = 3 }
local readers = consumers "readers" { of = orders, members = 2, work = "2ms" }
local shop = service "shop" { calls = { call { orders, "append" } } }
local name = dns "shop.example" { answers = { shop } }
traffic "users" { to = name, rate = shape.ramp { from = "10/s", to = "90/s", over = "5m" } }
fault.clock_skew { readers, offset = "-2s", at = "4m" }
expect "the lag stays short" { always = readers.lag.time:below "10s" }
