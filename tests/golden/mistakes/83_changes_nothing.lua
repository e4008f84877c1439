scenario "Nothing would change" { duration = "10s" }
local web = service "web" {}
local db = database "db" { nodes = 2 }
traffic "users" { to = web, rate = "5/s" }
traffic "writers" { to = db, op = "write", rate = "5/s" }
fault.degrade { web, at = "2s", factor = 1 }
expect "it" { always = web.errors.ratio:below "1%" }
