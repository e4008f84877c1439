-- What fails at different times is told apart: of each what happened then, of what is judged at the
-- end since when it has been so; and a fault that touched nothing is named beside what failed.
scenario "Two outages and a disk that nobody reads" { duration = "5m", warmup = "10s" }

local db = database "db" { disk = { latency = "100us" } }
local web = service "web" { replicas = 3, calls = { call { db, "write x", timeout = "200ms" } } }
local users = traffic "users" { to = web, rate = "20/s" }

local slow = fault.disk_latency { db, add = "300ms", at = "1m", lasting = "20s" }
local corrupt = fault.disk_corrupt { db, ratio = "50%", at = "2m", lasting = "20s" }
local failing = fault.disk_error { db, ratio = "50%", operations = { "write" }, at = "3m",
    lasting = "20s" }
fault.kill { web.replica[2], at = "4m50s", lasting = "9700ms" }
fault.kill { web.replica[3], at = "4m55s" }

expect "it is never slow" { always = users.latency.p99:below "100ms" }
expect "writes do not fail" { always = db.errors.ratio:below "1%", during = failing }
expect "reads neither" { always = users.errors.ratio:below "1%", during = corrupt }
expect "all are back" { at_end = web.replicas.up:equals(3) }
expect "two are" { at_end = web.replicas.up:equals(2) }
