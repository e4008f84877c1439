-- What a disk has lost shows when the power was lost: the end of a process alone loses nothing.
-- Where it has not been lost after it, or while a write could tear, nobody could have noticed: that
-- "nothing is lost" then says nothing.
local kind = param("kind", { "fsync_lie", "lost_write", "misdirected_write", "torn_write" })
local power = param("power", { "stays", "goes before", "goes during", "goes after", "goes twice", "stays, killed" })

scenario "A lie of the disk is tested by reading it" { duration = "40s", warmup = "1s" }

local db = database "db" { nodes = 1 }
traffic "users" { to = db, op = "write x", rate = "50/s", timeout = "1s" }

fault[kind] {
  db, at = "10s", lasting = power == "goes twice" and "5s" or "10s",
  every = power == "goes twice" and "10s" or nil,
}
local when = { ["goes before"] = "5s", ["goes during"] = "15s", ["goes after"] = "25s",
               ["goes twice"] = "12s" }
if when[power] then fault.down { db, at = when[power], lasting = "1s" } end

if power == "stays, killed" then fault.kill { db, at = "15s", lasting = "1s" } end

expect "less than all is lost" { at_end = db.lost_acks:below(1900) }
