scenario "The fault hits nothing: a single node has no replica" { duration = "10s" }
local db = database "db" { nodes = 1 }
local web = service "web" { calls = { call { db, "select x" } } }
traffic "users" { to = web, rate = "50/s" }
fault.kill { db.replica, at = "5s" }
expect "answers are quick" { always = web.latency.p99:below "100ms" }
