-- A row's lock, and a snapshot, are a session's: a server that starts anew has no such session. Once
-- the process that held both was killed and is back, nobody waits any more and no version is kept,
-- though the fault lasts on, and its end undoes nothing twice.
local killed = param("killed", { true, false })
scenario "A server forgets what was held" { duration = "2m", xfail = { killed = { false } } }

local db = database "pg" { nodes = 1, failover = false }
local users = traffic "users" {
  to = db, op = "write order", rate = "20/s", keys = dist.zipf { n = 10, skew = 0 }, timeout = "2s",
}

fault.long_transaction { db, key = 1, at = "20s", lasting = "80s" }
fault.lock { db, key = 2, at = "20s", lasting = "80s" }
fault.lock { db, table = "order", at = "28s", lasting = "60s" }
if killed then fault.kill { db, at = "30s", lasting = "3s" } end

expect "it is held" { sometimes = users.errors.ratio:at_least "10%",
                      during = { after = "22s", lasting = "6s" } }
expect "until the process is gone" { always = users.errors.ratio:equals "0%",
                                     during = { after = "36s" } }
expect "no version is kept" { at_end = db.dead_rows:equals(0) }
