-- What could never be anything but 0 is not an expectation that holds.
scenario "Nothing is ever corrupt" { duration = "1m" }
local db = database "db" { disk = { checksums = true } }
traffic "users" { to = db, op = "read x", rate = "10/s" }
fault.disk_corrupt { db, ratio = "50%", at = "10s", lasting = "10s" }
expect "no page is lost" { always = db.corrupt:equals(0) }
