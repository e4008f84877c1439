scenario "A host's disk is the disk of all on it" { duration = "10s" }

local box = host "box" { disk = { iops = 100 } }
local db = database "db" { on = box, disk = { iops = 200 } }
traffic "users" { to = db, op = "write x", rate = "10/s" }
expect "never shown" { at_end = db.errors.ratio:equals(0) }
