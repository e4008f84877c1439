scenario "A piece without a byte" { duration = "10s" }
local db = service "db" {}
local web = service "web" { calls = { call { db, timeout = "1s" } } }
traffic "users" { to = web, rate = "1/s" }
fault.slicer { link(web, db), size = "64B", variation = "64B", at = "1s" }
