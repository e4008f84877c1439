scenario "What a node refuses: disk latency" { duration = "5m" }
local db = database "db" {}
fault.disk_latency { db, at = "10s" }
local web = service "web" { calls = { call { db, "write x" } } }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
