scenario "What a node refuses: disk iops" { duration = "5m" }
local db = database "db" {}
fault.disk_iops { db, limit = 0, at = "10s" }
local web = service "web" { calls = { call { db, "write x" } } }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
