scenario "What a node refuses: disk used" { duration = "5m" }
local db = database "db" { disk = { used = "1GiB" } }
local web = service "web" { calls = { call { db, "write x" } } }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
