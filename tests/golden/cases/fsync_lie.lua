-- What was acknowledged while the disk lied is gone with the power, and counted; the end of the
-- process alone loses nothing.
local lost = param("lost", { "power", "process" })
scenario "A disk that lies loses what it acknowledged" { duration = "1m", warmup = "1s" }
local db = database "db" { nodes = 1 }
traffic "users" { to = db, op = "write x", rate = "100/s", arrivals = "constant", timeout = "1s" }
fault.fsync_lie { db, at = "20s", lasting = "20s" }
fault[lost == "power" and "down" or "kill"] { db, at = "30s", lasting = "1s" }
if lost == "power" then
  expect "ten seconds of writes are lost" { at_end = db.lost_acks:between(990, 1001) }
else
  expect "nothing is lost" { at_end = db.lost_acks:equals(0) }
end
expect "what a loss of power would take was known" { sometimes = db.unflushed:above(500) }
