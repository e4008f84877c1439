-- Toxiproxy's timeout is a toxic of a link, and who looks for it finds fault.blackhole first.
scenario "A link is not swallowed" { duration = "1m" }
local db = database "db" {}
local web = service "web" { calls = { call { db, "write", timeout = "1s" } } }
traffic "users" { to = web, rate = "10/s" }
fault.blackhole { link(web, db), at = "10s", lasting = "10s" }
expect "all is well" { always = web.errors.ratio:below "1%" }
