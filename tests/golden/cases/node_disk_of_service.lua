scenario "What a node refuses: disk of service" { duration = "5m" }
local db = database "db" {}
local api = service "api" {}
traffic "more" { to = api, rate = "1/s" }
fault.disk_freeze { api, at = "10s" }
local web = service "web" { calls = { call { db, "write x" } } }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
