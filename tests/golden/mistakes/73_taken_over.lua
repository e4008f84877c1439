-- What people try first who come from Chaos Mesh, Toxiproxy, Litmus and Jepsen.
scenario "Tried first" { duration = "10m" }
local here = region "here" { zones = 3 }
local db = database "db" {}
local web = service "web" { calls = { call { db, "write", timeout = "1s" } } }
local users = traffic "users" { to = web, rate = "10/s", keys = dist.uniform { from = 1, to = 100 } }
fault.latency { link(web, db), add = "5ms", stream = "downstream", at = "1m", lasting = "1m" }
fault.kill { web, at = "1m", lasting = "5s", period = "1m" }
fault.cpu { web, percent = 50, at = "1m", lasting = "1m" }
fault.disk_error { db, methods = { "write" }, at = "1m", lasting = "1m" }
fault.slicer { link(web, db), average_size = "64B", at = "1m", lasting = "1m" }
expect "all is well" { always = users.errors.ratio:below "1%" }
