scenario "Disks that cannot be so" { duration = "10m" }
local db = database "db" { disk = { iops = "3000/s", latency = 5, size = 100, sync = true } }
local web = service "web" { disk = { iops = 10 }, calls = { call { db, "write x" } } }
traffic "users" { to = web, rate = "10/s" }
fault.disk_latency { db, add = 10, at = "1m" }
fault.disk_iops { db, limit = "100/s", at = "1m" }
fault.disk_full { db, keep = 1, at = "1m" }
fault.disk_error { db, ratio = 2, operations = { "fsink" }, at = "1m" }
fault.disk_corrupt { db, at = "1m" }
fault.lost_write { db, share = "10%", at = "1m" }
