scenario "Nothing to restore" { duration = "10s" }
local orders = database "orders" {}
traffic "writers" { to = orders, op = "write", rate = "5/s" }
expect "little is at risk" { always = orders.rpo:below "1m" }
expect "drills are good" { never = orders.drills.failed:above(0) }
