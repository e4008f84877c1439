-- A partition has no way of its own that could be cut.
scenario "A topic's partition is no place" { duration = "1m" }
local log = broker "log" { nodes = 3 }
local orders = topic "orders" { on = log, partitions = 3, replication = 3 }
fault.latency { orders.partition[2], add = "5ms", at = "30s" }
expect "it is refused" { at_end = orders.lost_acks:equals(0) }
