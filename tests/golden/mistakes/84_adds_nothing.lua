scenario "Nothing would be late" { duration = "10s" }
local web = service "web" {}
local db = database "db" { nodes = 2 }
traffic "users" { to = web, rate = "5/s" }
traffic "writers" { to = db, op = "write", rate = "5/s" }
fault.replication_lag { db, at = "2s", add = "0s" }
expect "it" { always = web.errors.ratio:below "1%" }
