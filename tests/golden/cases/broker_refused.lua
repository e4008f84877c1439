-- What only the model refuses: a fault on a topic's processes.
scenario "A topic has no processes" { duration = "1m" }
local log = broker "log" { nodes = 3 }
local orders = topic "orders" { on = log, replication = 3 }
fault.kill { orders, at = "30s" }
expect "it is refused" { at_end = orders.lost_acks:equals(0) }
