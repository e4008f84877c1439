scenario "Requests of HTTP at a broker" { duration = "10s" }
local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, partitions = 3, replication = 3 }
local users = traffic "users" { to = orders, rate = "5/s" }
fault.http_abort { kafka, ratio = "50%", at = "5s" }
expect "fine" { never = users.errors.ratio:above "10%" }
